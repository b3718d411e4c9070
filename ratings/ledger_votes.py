"""The votes of a board as the ledger alone tells them, up to one of its entries.

A second account beside `ratings.services.votes`, which folds the same ledger in SQL: this one walks
the chain of hashes in Python and keeps no cubes, so that either finds the other's mistakes.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import connection

from arena.ledger import GENESIS_HASH, LedgerBrokenError, entry_hash
from arena.models import LedgerEntry
from arena.selectors import OUTCOMES, vote_log
from ratings.board_votes import FEATURES, VoteRows
from ratings.boards import (
    EXCLUDE_FLAGGED,
    EXCLUDE_SHORT,
    EXCLUDE_TIES,
    INCLUDE_LEAKS,
    OVERALL,
    SHORT,
    is_language,
)
from ratings.core.outcomes import BoolArray, IntArray, Outcome
from ratings.funnel import FLAGGED
from ratings.selectors.cubes import LEAK, UNDECIDED

CHUNK = 10_000
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class LedgerVotes:
    """Every vote on two models up to an entry; arrays of shape (votes,).

    `slugs` are the models that `model_a` and `model_b` number; `exclusion` is as that entry left
    it. `hash` is that of the entry, computed along the whole chain.
    """

    hash: str
    slugs: tuple[str, ...]
    sequence: IntArray
    model_a: IntArray
    model_b: IntArray
    outcome: IntArray
    exclusion: np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class VoteDetails:
    """What the arena knows of the same votes now.

    `erased` marks those whose voter and texts are gone. `in_category` says which have the language
    or tag of a category; for an erased vote that may be wrong. `rows` numbers models as the ledger
    votes do.
    """

    erased: BoolArray
    in_category: BoolArray
    rows: VoteRows


@dataclass(slots=True)
class _Columns:
    sequence: array[int] = field(default_factory=lambda: array("q"))
    model_a: array[int] = field(default_factory=lambda: array("q"))
    model_b: array[int] = field(default_factory=lambda: array("q"))
    outcome: array[int] = field(default_factory=lambda: array("q"))


def ledger_votes(*, upto: int, progress: Progress) -> LedgerVotes:
    """Walk the chain from its beginning. Raises LedgerBrokenError where it is broken."""
    columns = _Columns()
    numbers: dict[str, int] = {}
    excluded: dict[int, str] = {}
    hash_, expected = GENESIS_HASH, 1
    entries = LedgerEntry.objects.filter(sequence__lte=upto).order_by("sequence")
    for sequence, kind, text, stored in entries.values_list(
        "sequence", "kind", "payload", "hash"
    ).iterator(chunk_size=CHUNK):
        hash_ = entry_hash(previous_hash=hash_, sequence=sequence, kind=kind, payload=text)
        if sequence != expected or hash_ != stored:
            raise LedgerBrokenError(expected, "is missing or not what was hashed")
        expected += 1
        payload = json.loads(text)
        if kind == LedgerEntry.Kind.VOTE:
            columns.sequence.append(sequence)
            for side in ("model_a", "model_b"):
                number = numbers.setdefault(payload[side], len(numbers))
                getattr(columns, side).append(number)
            columns.outcome.append(OUTCOMES.index(payload["choice"]))
        elif kind == LedgerEntry.Kind.EXCLUSION:
            excluded[payload["vote"]] = payload["reason"]
        elif kind == LedgerEntry.Kind.WITHDRAWAL:
            excluded[payload["vote"]] = "withdrawn"
        elif kind == LedgerEntry.Kind.REINSTATEMENT:
            excluded.pop(payload["vote"], None)
        if sequence % CHUNK == 0:
            progress(CHUNK)
    return LedgerVotes(
        hash=hash_,
        slugs=tuple(numbers),
        sequence=np.array(columns.sequence, dtype=np.int64),
        model_a=np.array(columns.model_a, dtype=np.int64),
        model_b=np.array(columns.model_b, dtype=np.int64),
        outcome=np.array(columns.outcome, dtype=np.int64),
        exclusion=np.array([excluded.get(n, "") for n in columns.sequence], dtype=object),
    )


def vote_details(votes: LedgerVotes, *, category: str) -> VoteDetails:
    """Read from the arena, not from what ratings keep: voters, prompts, tags and style."""
    columns: list[tuple[Any, ...]] = []
    last = int(votes.sequence[-1]) if len(votes.sequence) else 0
    counts = ", ".join(f"{name}_a, {name}_b" for name in FEATURES)
    belongs, what = _membership(category)
    for after in range(0, last, CHUNK):
        text, parameters = vote_log(after=after, upto=min(after + CHUNK, last))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT voter, prompt, {belongs}, {counts} "  # noqa: S608
                f"FROM ({text}) AS log ORDER BY sequence",
                [*what, *parameters],
            )
            columns += cursor.fetchall()
    table = np.array(columns, dtype=np.int64).reshape(-1, 3 + 2 * len(FEATURES))
    voter, prompt = table[:, 0].copy(), table[:, 1].copy()
    erased = voter == 0
    voter[erased] = -votes.sequence[erased]
    prompt[prompt == 0] = -votes.sequence[prompt == 0]
    first, second = table[:, 3::2].astype(np.float64), table[:, 4::2].astype(np.float64)
    total = first + second
    # As PostgreSQL keeps them: four bytes each.
    features = np.divide(first - second, total, out=np.zeros_like(total), where=total > 0)
    return VoteDetails(
        erased=erased,
        in_category=table[:, 2].astype(np.bool_),
        rows=VoteRows(
            model_a=votes.model_a,
            model_b=votes.model_b,
            outcome=votes.outcome,
            voter=voter,
            prompt=prompt,
            features=features.astype(np.float32).astype(np.float64),
        ),
    )


def funnel_of(
    votes: LedgerVotes, details: VoteDetails, *, category: str, left_out: IntArray
) -> dict[str, int]:
    """Votes of the category by exclusion, as `ratings.selectors.cubes` counts them.

    `left_out` are the sequences of votes that the snapshot says it leaves out as flagged.
    """
    mine = details.in_category
    reasons, counts = np.unique(votes.exclusion[mine].astype(str), return_counts=True)
    funnel = dict(zip(reasons.tolist(), counts.tolist(), strict=True))
    if category == INCLUDE_LEAKS:
        funnel[""] = funnel.get("", 0) + funnel.pop(LEAK, 0)
    if category == EXCLUDE_FLAGGED:
        flagged = mine & (votes.exclusion == "") & np.isin(votes.sequence, left_out)
        funnel[FLAGGED] = int(flagged.sum())
        funnel[""] = funnel.get("", 0) - funnel[FLAGGED]
    if category == EXCLUDE_TIES:
        undecided = votes.outcome[mine & (votes.exclusion == "")] >= Outcome.TIE
        funnel[UNDECIDED] = int(undecided.sum())
        funnel[""] = funnel.get("", 0) - funnel[UNDECIDED]
    return funnel


def counted_of(
    votes: LedgerVotes, details: VoteDetails, *, category: str, left_out: IntArray
) -> BoolArray:
    """Which votes count on the category's boards, shape (votes,); `left_out` as `funnel_of`."""
    counts = votes.exclusion == ""
    if category == INCLUDE_LEAKS:
        counts = counts | (votes.exclusion == LEAK)
    if category == EXCLUDE_FLAGGED:
        counts = counts & ~np.isin(votes.sequence, left_out)
    if category == EXCLUDE_TIES:
        counts = counts & (votes.outcome < Outcome.TIE)
    result: BoolArray = details.in_category & counts
    return result


def _membership(category: str) -> tuple[str, list[Any]]:
    """SQL that is 1 where a vote of `arena.selectors.vote_log` belongs to the category."""
    if not is_tagged(category):
        return "1", []
    if category == EXCLUDE_SHORT:
        return "(NOT %s = ANY(categories))::integer", [SHORT]
    if is_language(category):
        return "(language = %s)::integer", [category]
    return "(%s = ANY(categories))::integer", [category]


def is_tagged(category: str) -> bool:
    """Whether what belongs to the category is told by annotations, and not by the ledger alone."""
    return category not in (OVERALL, EXCLUDE_TIES, INCLUDE_LEAKS, EXCLUDE_FLAGGED)
