"""Counts of a category's votes, read from the cubes: cells, funnel and what was left out by model.

The cost depends on the models and not on the votes. Knows nothing of ratings.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection

from ratings.boards import (
    EXCLUDE_FLAGGED,
    EXCLUDE_SHORT,
    EXCLUDE_TIES,
    INCLUDE_LEAKS,
    LANGUAGE_MIN_VOTES,
    OVERALL,
    SELECTIONS,
    SHORT,
    TOPICS,
    UNLISTED_TAGS,
)
from ratings.core.outcomes import IntArray, Outcome
from ratings.funnel import FLAGGED
from ratings.models import PacingCount, VoteCategory, VoterReview
from ratings.selectors.binary_arrays import arrays_read
from ratings.selectors.voters import review_latest, votes_of_flagged

LEAK = "leak"
UNDECIDED = "tie"
"""In a funnel: the votes that a board of decided votes leaves out."""

_CELL = ("category", "model_a", "model_b", "a_wins", "b_wins", "ties", "both_bad")
_ARRAYS = ", ".join(f"array_agg({name})" for name in _CELL)
_TYPES = (">i2", ">i4", ">i4", ">i8", ">i8", ">i8", ">i8")

# A tag that no vote has: its cells are none.
_NO_CATEGORY = -1


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows and cells make up a category.

    Those of `number`, without those of `without`, whose exclusion is one of `exclusions`; with
    `decided` only where one of the two won. `without_bit` is the bit of `without` in a row's tags.
    `left_out` are ledger sequences of votes that would count and do not here, all of them flagged
    by the review `left_out_by`.
    """

    number: int
    without: int | None = None
    without_bit: int | None = None
    bit: int | None = None
    exclusions: tuple[str, ...] = ("",)
    decided: bool = False
    left_out: tuple[int, ...] = ()
    left_out_by: VoterReview | None = None


@dataclass(frozen=True, slots=True)
class CategoryCounts:
    """All that a category's cubes say.

    `rows` has shape (cells, 6): ids of the first and the second shown, then the counted votes by
    `Outcome`. `funnel` counts votes by exclusion, "" where they count. `excluded` counts by model
    id and exclusion the votes that it took part in and that do not count.
    """

    rows: IntArray
    funnel: Mapping[str, int]
    excluded: Mapping[int, Mapping[str, int]]


def categories_listed() -> list[str]:
    """Every category that has a board: all votes, topics, languages with enough votes, operators'
    tags, selections; in that order. One query.
    """
    stored = list(VoteCategory.objects.all())
    languages = sorted(
        (
            category
            for category in stored
            if category.kind == VoteCategory.Kind.LANGUAGE
            and category.counted >= LANGUAGE_MIN_VOTES
        ),
        key=lambda category: (-category.counted, category.slug),
    )
    tags = sorted(
        category.slug
        for category in stored
        if category.kind == VoteCategory.Kind.TAG
        and category.slug not in UNLISTED_TAGS
        and category.slug not in TOPICS
    )
    return [OVERALL, *TOPICS, *(language.slug for language in languages), *tags, *SELECTIONS]


def selection_of(category: str) -> Selection:
    """How a category is selected; one that no vote has selects nothing."""
    if category in (OVERALL, EXCLUDE_TIES):
        return Selection(VoteCategory.OVERALL, decided=category == EXCLUDE_TIES)
    if category == INCLUDE_LEAKS:
        return Selection(VoteCategory.OVERALL, exclusions=("", LEAK))
    if category == EXCLUDE_FLAGGED:
        review = review_latest()
        left_out = tuple(votes_of_flagged(review)) if review else ()
        return Selection(VoteCategory.OVERALL, left_out=left_out, left_out_by=review)
    slug = SHORT if category == EXCLUDE_SHORT else category
    stored = VoteCategory.objects.filter(slug=slug).first()
    if category == EXCLUDE_SHORT:
        if stored is None:
            return Selection(VoteCategory.OVERALL)
        return Selection(VoteCategory.OVERALL, without=stored.number, without_bit=stored.bit)
    if stored is None:
        return Selection(_NO_CATEGORY)
    return Selection(stored.number, bit=stored.bit)


def category_counts(selection: Selection) -> CategoryCounts:
    """The cells, the funnel and the excluded votes by model; one query, one more for votes that
    the selection leaves out.
    """
    categories = [number for number in (selection.number, selection.without) if number is not None]
    counted = [np.empty((0, 6), dtype=np.int64)]
    funnel: dict[str, int] = {}
    excluded: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for exclusion, columns in arrays_read(
        f"SELECT exclusion, {_ARRAYS} FROM ratings_outcomecube "  # noqa: S608
        "WHERE category = ANY(%s) GROUP BY exclusion",
        [categories],
        types=_TYPES,
    ):
        category, *cell = (column.astype(np.int64) for column in columns)
        rows = np.column_stack(cell)
        rows[category == selection.without, 2:] *= -1
        if exclusion in selection.exclusions:
            counted.append(rows)
            continue
        funnel[exclusion] = int(rows[:, 2:].sum())
        _count_by_model(excluded, exclusion, rows)
    if selection.left_out:
        rows = _single_votes(selection.left_out)
        funnel[FLAGGED] = int(rows[:, 2:].sum())
        _count_by_model(excluded, FLAGGED, rows)
        counted.append(rows * np.array([1, 1, -1, -1, -1, -1]))
    rows = _added_up(np.concatenate(counted))
    funnel[""] = int(rows[:, 2:].sum())
    if selection.decided:
        ties = 2 + np.array([Outcome.TIE, Outcome.BOTH_BAD])
        funnel[UNDECIDED] = int(rows[:, ties].sum())
        funnel[""] -= funnel[UNDECIDED]
        rows[:, ties] = 0
    present = {model: +counts for model, counts in excluded.items() if +counts}
    return CategoryCounts(rows[rows[:, 2:].any(axis=1)], funnel, present)


def _count_by_model(
    excluded: defaultdict[int, Counter[str]], exclusion: str, rows: IntArray
) -> None:
    models, place = np.unique(rows[:, :2], return_inverse=True)
    votes = np.zeros(len(models), dtype=np.int64)
    np.add.at(votes, place.reshape(-1, 2), rows[:, 2:].sum(axis=1)[:, None])
    for model, count in zip(models.tolist(), votes.tolist(), strict=True):
        excluded[model][exclusion] += count


def _single_votes(sequences: Sequence[int]) -> IntArray:
    """Cells of votes named one by one, shape (cells, 6)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT model_a, model_b, outcome FROM ratings_ratedvote "
            "WHERE exclusion = '' AND sequence = ANY(%s)",
            [list(sequences)],
        )
        votes = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 3)
    return np.column_stack([votes[:, :2], np.eye(len(Outcome), dtype=np.int64)[votes[:, 2]]])


def pacing_counts(selection: Selection) -> dict[str, int]:
    """Votes that count by how their battles were paced, "" for not at all; roughly those of the
    selection: what it leaves out for being short, a tie or flagged is among them.
    """
    counts = PacingCount.objects.filter(
        category=selection.number, exclusion__in=selection.exclusions, votes__gt=0
    )
    found: Counter[str] = Counter()
    for pacing, votes in counts.values_list("pacing", "votes"):
        found[pacing] += votes
    return dict(found)


def _added_up(rows: IntArray) -> IntArray:
    """Cells of the same two models together, in the order of their ids."""
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    begins = np.ones(len(rows), dtype=np.bool_)
    begins[1:] = (rows[1:, :2] != rows[:-1, :2]).any(axis=1)
    starts = np.flatnonzero(begins)
    if not len(starts):
        return rows
    totals = np.add.reduceat(rows[:, 2:], starts)
    return np.column_stack([rows[starts, :2], totals])
