"""`manage.py verify_ledger`: walk the vote ledger and name the first broken entry."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from arena.ledger import LedgerBrokenError, ledger_head, ledger_verify


class Command(BaseCommand):
    help = "Check every entry of the vote ledger and the votes that they speak of."

    def handle(self, *_: Any, **__: Any) -> None:
        head = ledger_head()
        progress = tqdm(
            ledger_verify(),
            total=head["sequence"],
            unit=" entries",
            disable=not sys.stderr.isatty(),
        )
        try:
            count = sum(1 for _ in progress)
        except LedgerBrokenError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} entries verify; head {head['sequence']} {head['hash']}")
