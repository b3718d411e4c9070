"""`manage.py tag_votes [--again]`: tell language, categories and style of all votes now."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from arena.services.annotations import annotations_remake, votes_to_annotate


class Command(BaseCommand):
    help = "Annotate the votes that have no annotation; the worker does it for new ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--again",
            action="store_true",
            help="also those that another version of the tagger has annotated, or failed on",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        again: bool = options["again"]
        try:
            total = votes_to_annotate(again=again).count()
            done = 0
            with tqdm(total=total, unit=" votes", disable=not sys.stderr.isatty()) as progress:
                for count in annotations_remake(again=again):
                    done += count
                    progress.update(count)
        except ImportError as error:
            raise CommandError(f"ARENA_TAGGER names no tagger: {error}") from error
        self.stdout.write(f"{done} votes annotated")
