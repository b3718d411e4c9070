"""`manage.py export_votes --format F --out DIR`: the votes as a data set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from arena.exports.release import ExportError, release_write
from arena.exports.shapes import SHAPES


class Command(BaseCommand):
    help = "Write all votes that count into a new folder, with a dataset card and checksums."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=sorted(SHAPES), required=True)
        parser.add_argument("--out", type=Path, required=True, help="a folder; it is made")

    def handle(self, *_: Any, **options: Any) -> None:
        folder: Path = options["out"].resolve()
        try:
            progress = release_write(shape=options["format"], folder=folder)
            rows = sum(1 for _ in tqdm(progress, unit=" votes", disable=not sys.stderr.isatty()))
        except ExportError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{folder}: {rows} votes")
