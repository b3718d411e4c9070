"""The vote ledger: an append-only chain of hashes over what was voted and what no longer counts.

Each entry's hash is SHA-256 over the hash before it, its sequence, kind and payload, joined by line
feeds. A payload holds no text and no stable person: commitments SHA-256(salt || content) with a
random 256-bit salt per field, and a fresh random voter token per entry. Knows nothing of ratings.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection, transaction

from arena.models import LedgerEntry, Turn, Vote

GENESIS_HASH = "0" * 64
# An arbitrary constant: the key of the advisory lock that keeps the chain free of gaps and forks.
LEDGER_LOCK = 0x50524546_4C454447


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
    the other without gaps, and a transaction that rolls back leaves no trace in the sequence.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("ledger_append needs a transaction")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LEDGER_LOCK])
    last = LedgerEntry.objects.order_by("-sequence").only("sequence", "hash").first()
    sequence = last.sequence + 1 if last else 1
    previous_hash = last.hash if last else GENESIS_HASH
    text = canonical_json(payload)
    return LedgerEntry.objects.create(
        sequence=sequence,
        kind=kind,
        payload=text,
        previous_hash=previous_hash,
        hash=entry_hash(previous_hash=previous_hash, sequence=sequence, kind=kind, payload=text),
    )


def ledger_head() -> dict[str, Any]:
    """`{"sequence", "hash"}` of the newest entry; sequence 0 while the ledger is empty."""
    last = LedgerEntry.objects.order_by("-sequence").only("sequence", "hash").first()
    return (
        {"sequence": last.sequence, "hash": last.hash}
        if last
        else {
            "sequence": 0,
            "hash": GENESIS_HASH,
        }
    )


def ledger_verify() -> Iterator[LedgerEntry]:
    """Walk the chain and the votes it speaks of; yield each entry found good.

    Raises LedgerBrokenError at the first that is not: a gap, a changed payload, a hash that does
    not follow, or a vote whose row, texts or exclusion say something else than the ledger. Texts
    are checked where their salts still exist: an erased person has none.
    """
    previous_hash, expected = GENESIS_HASH, 1
    excluded: dict[int, str] = {}
    entries = (
        LedgerEntry.objects.select_related(
            "vote__turn__battle__model_a", "vote__turn__battle__model_b", "vote__secret"
        )
        .prefetch_related("vote__turn__answers")
        .order_by("sequence")
    )
    for entry in entries.iterator(chunk_size=1000):
        if entry.sequence != expected:
            raise LedgerBrokenError(expected, f"is missing; the next one is {entry.sequence}")
        if entry.previous_hash != previous_hash:
            raise LedgerBrokenError(entry.sequence, "does not follow from the entry before it")
        found = entry_hash(
            previous_hash=previous_hash,
            sequence=entry.sequence,
            kind=entry.kind,
            payload=entry.payload,
        )
        if found != entry.hash:
            raise LedgerBrokenError(entry.sequence, "its content does not have its hash")
        try:
            _verify_vote(entry)
            _fold_exclusion(entry, excluded)
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerBrokenError(entry.sequence, f"its payload lacks {error}") from error
        previous_hash, expected = entry.hash, expected + 1
        yield entry
    _verify_exclusions(excluded)


def _verify_vote(entry: LedgerEntry) -> None:
    vote = getattr(entry, "vote", None)
    if entry.kind != LedgerEntry.Kind.VOTE:
        if vote is not None:
            raise LedgerBrokenError(entry.sequence, "a vote hangs on it, but it is none")
        return
    if vote is None:
        raise LedgerBrokenError(entry.sequence, "its vote is gone from the table of votes")
    payload = json.loads(entry.payload)
    battle = vote.turn.battle
    stored = (vote.choice, battle.language_model("a").slug, battle.language_model("b").slug)
    entered = (payload["choice"], payload["model_a"], payload["model_b"])
    if stored != entered:
        raise LedgerBrokenError(
            entry.sequence, f"says {entered}, but the table of votes says {stored}"
        )
    secret = getattr(vote, "secret", None)
    if secret is None:
        return
    for name, text in vote_texts(vote.turn).items():
        salt = secret.salts[name]
        if commitment(salt=salt, content=text) != payload["commitments"][name]:
            raise LedgerBrokenError(entry.sequence, f"its {name} is not what was voted on")


def vote_texts(turn: Turn) -> dict[str, str]:
    """What a vote on `turn` commits to, by the name of the field."""
    answers = {a.side: a.text for a in sorted(turn.answers.all(), key=lambda a: a.attempt)}
    return {"prompt": turn.prompt, "answer_a": answers["a"], "answer_b": answers["b"]}


def _fold_exclusion(entry: LedgerEntry, excluded: dict[int, str]) -> None:
    """Keep `excluded`, vote entry to reason, as it stands after `entry`."""
    payload = json.loads(entry.payload)
    if entry.kind == LedgerEntry.Kind.EXCLUSION:
        excluded[payload["vote"]] = payload["reason"]
    elif entry.kind == LedgerEntry.Kind.WITHDRAWAL:
        excluded[payload["vote"]] = "withdrawn"
    elif entry.kind == LedgerEntry.Kind.REINSTATEMENT:
        excluded.pop(payload["vote"], None)


def _verify_exclusions(excluded: dict[int, str]) -> None:
    votes = Vote.objects.order_by("ledger_entry").values_list("ledger_entry_id", "exclusion")
    for sequence, exclusion in votes.iterator(chunk_size=10_000):
        if exclusion != (says := excluded.get(sequence, "")):
            raise LedgerBrokenError(
                sequence,
                f"its vote is excluded as {exclusion!r} in the table of votes, as {says!r} here",
            )
