"""Counts of a category's votes, read from the cubes: cells, funnel and what was left out by model.

The cost depends on the models and not on the votes. Knows nothing of ratings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ratings.boards import (
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
from ratings.models import VoteCategory
from ratings.selectors.binary_arrays import arrays_read

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
    """

    number: int
    without: int | None = None
    without_bit: int | None = None
    bit: int | None = None
    exclusions: tuple[str, ...] = ("",)
    decided: bool = False


@dataclass(frozen=True, slots=True)
class CategoryCounts:
    """All that a category's cubes say.

    `rows` has shape (cells, 6): ids of the first and the second shown, then the counted votes by
    `Outcome`. `funnel` counts votes by exclusion, "" where they count. `excluded` counts by model
    id the votes that it took part in and that do not count.
    """

    rows: IntArray
    funnel: Mapping[str, int]
    excluded: Mapping[int, int]


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
    """The cells, the funnel and the excluded votes by model; one query."""
    categories = [number for number in (selection.number, selection.without) if number is not None]
    counted = [np.empty((0, 6), dtype=np.int64)]
    funnel: dict[str, int] = {}
    excluded: Counter[int] = Counter()
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
        votes = rows[:, 2:].sum(axis=1)
        funnel[exclusion] = int(votes.sum())
        models, place = np.unique(rows[:, :2], return_inverse=True)
        by_model = np.zeros(len(models), dtype=np.int64)
        np.add.at(by_model, place.reshape(-1, 2), votes[:, None])
        excluded.update(dict(zip(models.tolist(), by_model.tolist(), strict=True)))
    rows = _added_up(np.concatenate(counted))
    funnel[""] = int(rows[:, 2:].sum())
    if selection.decided:
        ties = 2 + np.array([Outcome.TIE, Outcome.BOTH_BAD])
        funnel[UNDECIDED] = int(rows[:, ties].sum())
        funnel[""] -= funnel[UNDECIDED]
        rows[:, ties] = 0
    return CategoryCounts(rows[rows[:, 2:].any(axis=1)], funnel, +excluded)


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
