"""`manage.py verify_ledger`: walk the vote ledger and name the first broken entry."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from arena.ledger import LedgerBrokenError, ledger_head
from arena.ledger_heads import HeadError, SignedHead, head_check_signature, heads_read
from arena.ledger_verification import ledger_verify


class Command(BaseCommand):
    help = (
        "Check every entry of the vote ledger, the votes that they speak of, and the signed heads "
        "that this installation has appended to its file outside the database."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--head",
            type=Path,
            metavar="FILE",
            help="compare with signed heads that somebody kept: one JSON object, or one a line",
        )
        parser.add_argument(
            "--key",
            type=Path,
            metavar="FILE",
            help="the public key (PEM) that --head must be signed with; without it, a key of this "
            "installation",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            heads = self._heads(options["head"], options["key"])
        except HeadError as error:
            raise CommandError(str(error)) from error
        end = ledger_head()
        progress = tqdm(
            ledger_verify(heads=heads),
            total=end["sequence"],
            unit=" entries",
            disable=not sys.stderr.isatty(),
        )
        try:
            count = sum(1 for _ in progress)
        except LedgerBrokenError as error:
            raise CommandError(str(error)) from error
        compared = f", {len(heads)} signed heads agree" if heads else ""
        self.stdout.write(f"{count} entries verify; head {end['sequence']} {end['hash']}{compared}")

    def _heads(self, kept: Path | None, key_file: Path | None) -> list[SignedHead]:
        """Those in the installation's own file and those that somebody kept, signatures checked."""
        heads = []
        if settings.LEDGER_HEADS_FILE.exists():
            heads += _checked(settings.LEDGER_HEADS_FILE, None)
        if kept is not None:
            heads += _checked(kept, _public_key(key_file) if key_file else None)
        elif key_file is not None:
            raise CommandError("--key is for the heads of --head: name their file too")
        return heads


def _checked(path: Path, key: Ed25519PublicKey | None) -> list[SignedHead]:
    heads = list(heads_read(path))
    for head in heads:
        head_check_signature(head, key=key)
    return heads


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise HeadError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise HeadError(f"{path} is no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise HeadError(f"{path} is no Ed25519 key")
    return key
