"""Checks the vote ledger: the chain itself, the votes that it speaks of, and heads kept elsewhere.

Walks from the beginning and names the first entry that is wrong. Changes nothing. Knows nothing of
ratings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from arena.ledger import GENESIS_HASH, LedgerBrokenError, commitment, entry_hash, vote_texts
from arena.ledger_heads import SignedHead
from arena.models import LedgerEntry, Vote

Kind = LedgerEntry.Kind
CHUNK = 1000
# Fields that a payload must have, by the kind of its entry; `import` is free in form.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    Kind.VOTE: ("mode", "model_a", "model_b", "choice", "voter", "hour", "commitments"),
    Kind.EXCLUSION: ("vote", "reason", "by"),
    Kind.REINSTATEMENT: ("vote", "by"),
    Kind.WITHDRAWAL: ("vote", "by"),
    Kind.RETIREMENT: ("model", "on", "reason"),
    Kind.IMPORT: (),
}


def ledger_verify(*, heads: Iterable[SignedHead] = ()) -> Iterator[LedgerEntry]:
    """Walk the chain and the votes it speaks of; yield each entry found good.

    Raises LedgerBrokenError at the first that is not: a gap, a changed payload, a hash that does
    not follow, a head of `heads` that names another hash, or a vote whose row, texts or exclusion
    say something else than the ledger. Texts are checked where their salts still exist: an erased
    person has none. Whether the signatures of `heads` are good is the caller's business.
    """
    signed = sorted(heads, key=lambda head: head.sequence)
    last_signed = {head.sequence: head for head in signed}
    for head in signed:
        if head.hash != last_signed[head.sequence].hash:
            raise LedgerBrokenError(
                head.sequence, "two signed heads give it different hashes: one ledger was replaced"
            )
    with _one_moment():
        yield from _walk(signed, last_signed)


def _walk(signed: list[SignedHead], last_signed: dict[int, SignedHead]) -> Iterator[LedgerEntry]:
    good_head = SignedHead.nothing()
    previous_hash, expected = GENESIS_HASH, 1
    excluded: dict[int, str] = {}
    votes: set[int] = set()
    for entry in _entries():
        if entry.sequence != expected:
            raise LedgerBrokenError(expected, f"is missing; the next one is {entry.sequence}")
        if entry.previous_hash != previous_hash:
            raise LedgerBrokenError(entry.sequence, "does not follow from the entry before it")
        if entry.hash != entry_hash(
            previous_hash=previous_hash,
            sequence=entry.sequence,
            kind=entry.kind,
            payload=entry.payload,
        ):
            raise LedgerBrokenError(entry.sequence, "its content does not have its hash")
        if (head := last_signed.get(entry.sequence)) is not None:
            _compare_head(entry, head, good_head)
            good_head = head
        payload = _payload(entry)
        _verify_vote(entry, payload)
        _fold(entry, payload, votes, excluded)
        previous_hash, expected = entry.hash, expected + 1
        yield entry
    _verify_exclusions(excluded)
    if signed and signed[-1].sequence >= expected:
        raise LedgerBrokenError(
            expected,
            f"is missing: the ledger ends at {expected - 1}, but a head of "
            f"{signed[-1].signed_at} has {signed[-1].sequence} entries",
        )


@contextmanager
def _one_moment() -> Iterator[None]:
    """Let all reads see the tables as of the first: votes go on while the ledger is checked."""
    if transaction.get_connection().in_atomic_block:
        yield  # Whoever opened the transaction has chosen what it sees.
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _entries() -> Iterator[LedgerEntry]:
    return (
        LedgerEntry.objects.select_related(
            "vote__turn__battle__model_a", "vote__turn__battle__model_b", "vote__secret"
        )
        .prefetch_related("vote__turn__answers")
        .order_by("sequence")
        .iterator(chunk_size=CHUNK)
    )


def _compare_head(entry: LedgerEntry, head: SignedHead, good: SignedHead) -> None:
    if entry.hash == head.hash:
        return
    since = f"after entry {good.sequence}" if good.sequence else "at the beginning or later"
    raise LedgerBrokenError(
        entry.sequence,
        f"the head of {head.signed_at} names another hash: an entry {since}, up to this one, has "
        "been changed and the chain computed anew",
    )


def _payload(entry: LedgerEntry) -> dict[str, Any]:
    try:
        payload = json.loads(entry.payload)
        missing = [name for name in _FIELDS[entry.kind] if name not in payload]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise LedgerBrokenError(entry.sequence, f"it cannot be read: {error}") from error
    if missing:
        raise LedgerBrokenError(entry.sequence, f"its payload lacks {', '.join(missing)}")
    return dict(payload)


def _verify_vote(entry: LedgerEntry, payload: Mapping[str, Any]) -> None:
    vote = getattr(entry, "vote", None)
    if entry.kind != Kind.VOTE:
        if vote is not None:
            raise LedgerBrokenError(entry.sequence, "a vote hangs on it, but it is none")
        return
    if vote is None:
        raise LedgerBrokenError(entry.sequence, "its vote is gone from the table of votes")
    battle = vote.turn.battle
    stored = {
        "choice": vote.choice,
        "model_a": battle.model_a.slug,
        "model_b": battle.model_b.slug if battle.model_b else None,
        "mode": battle.mode,
        "turn": vote.turn.index,
        "probability": battle.probability,
        "sampler": battle.sampler,
        "pacing": battle.pacing,
    }
    for name, value in stored.items():
        if name in payload and payload[name] != value:
            raise LedgerBrokenError(
                entry.sequence, f"its {name} is {payload[name]!r}, but {value!r} in the tables"
            )
    secret = getattr(vote, "secret", None)
    if secret is None:
        return
    if secret.voter_token != payload["voter"]:
        raise LedgerBrokenError(entry.sequence, "its voter's token is not the one in the tables")
    answers = {a.side: a for a in sorted(vote.turn.answers.all(), key=lambda a: a.attempt)}
    if gone := {"a", "b"} - set(answers):
        raise LedgerBrokenError(entry.sequence, f"its answer_{min(gone)} is gone from the tables")
    for name, text in vote_texts(vote.turn.prompt, answers).items():
        try:
            committed = payload["commitments"][name]
            is_same = commitment(salt=secret.salts[name], content=text) == committed
        except (LookupError, TypeError, ValueError) as error:
            raise LedgerBrokenError(
                entry.sequence, f"the salt or the commitment of its {name} cannot be read"
            ) from error
        if not is_same:
            raise LedgerBrokenError(entry.sequence, f"its {name} is not what was voted on")


def _fold(
    entry: LedgerEntry, payload: Mapping[str, Any], votes: set[int], excluded: dict[int, str]
) -> None:
    """Keep `votes`, and `excluded` (vote entry to reason), as they stand after `entry`."""
    if entry.kind == Kind.VOTE:
        votes.add(entry.sequence)
    if entry.kind not in (Kind.EXCLUSION, Kind.WITHDRAWAL, Kind.REINSTATEMENT):
        return
    vote = payload["vote"]
    if not isinstance(vote, int) or vote not in votes:
        raise LedgerBrokenError(
            entry.sequence, f"speaks of entry {vote}, which is no vote before it"
        )
    if entry.kind == Kind.EXCLUSION:
        excluded[vote] = payload["reason"]
    elif entry.kind == Kind.WITHDRAWAL:
        excluded[vote] = "withdrawn"
    else:
        excluded.pop(vote, None)


def _verify_exclusions(excluded: Mapping[int, str]) -> None:
    votes = Vote.objects.order_by("ledger_entry").values_list("ledger_entry_id", "exclusion")
    for sequence, exclusion in votes.iterator(chunk_size=10_000):
        if exclusion != (says := excluded.get(sequence, "")):
            raise LedgerBrokenError(
                sequence,
                f"its vote is excluded as {exclusion!r} in the table of votes, as {says!r} here",
            )
