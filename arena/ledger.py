"""The vote ledger: an append-only chain of hashes over what was voted and what no longer counts.

Each entry's hash is SHA-256 over the hash before it, its sequence, kind and payload, joined by line
feeds. A payload holds no text and no stable person: commitments SHA-256(salt || content) with a
random 256-bit salt per field, and a fresh random voter token per entry. How it is checked stands in
`arena.ledger_verification`, how its head is signed in `arena.ledger_heads`. See docs/ledger.md.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from arena.models import Answer, LedgerEntry

GENESIS_HASH = "0" * 64


class LedgerBrokenError(Exception):
    """The first entry that does not follow from those before it, and why."""

    def __init__(self, sequence: int, why: str) -> None:
        super().__init__(f"ledger entry {sequence}: {why}")
        self.sequence = sequence


def canonical_json(value: Mapping[str, Any]) -> str:
    """Keys sorted, no blanks, non-ASCII as it is: the same value is always the same bytes."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def entry_hash(*, previous_hash: str, sequence: int, kind: str, payload: str) -> str:
    """Hex SHA-256 of one entry, as the module says."""
    return hashlib.sha256(f"{previous_hash}\n{sequence}\n{kind}\n{payload}".encode()).hexdigest()


def commitment(*, salt: str, content: str) -> str:
    """Hex SHA-256(salt || content); without the salt (64 hex digits) "hi" cannot be guessed."""
    return hashlib.sha256(bytes.fromhex(salt) + content.encode()).hexdigest()


def salt_new() -> str:
    return secrets.token_hex(32)


def ledger_append(*, kind: LedgerEntry.Kind, payload: Mapping[str, Any]) -> LedgerEntry:
    """Append one entry. Must run inside a transaction, as late in it as can be.

    Takes the ledger's advisory lock until that transaction ends, so that entries come one after
    the other without gaps, and a transaction that rolls back leaves no trace in the sequence. The
    database numbers and hashes (migration 0006), in one round trip: the lock is held as shortly as
    can be, and a hundred voters wait for it.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("ledger_append needs a transaction")
    text = canonical_json(payload)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sequence, previous_hash, hash FROM arena_ledger_append(%s, %s)",
            [str(kind), text],
        )
        sequence, previous_hash, hash_ = cursor.fetchone()
    return LedgerEntry(
        sequence=sequence, kind=kind, payload=text, previous_hash=previous_hash, hash=hash_
    )


def ledger_head() -> dict[str, Any]:
    """`{"sequence", "hash"}` of the newest entry; sequence 0 while the ledger is empty."""
    last = LedgerEntry.objects.order_by("-sequence").values("sequence", "hash").first()
    return dict(last) if last else {"sequence": 0, "hash": GENESIS_HASH}


def vote_texts(prompt: str, answers: Mapping[str, Answer]) -> dict[str, str]:
    """What a vote commits to, by the name of the field; `answers` are those judged, by side."""
    return {"prompt": prompt, "answer_a": answers["a"].text, "answer_b": answers["b"].text}
