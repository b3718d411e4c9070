"""Outcome cells: how often each ordered pair of models ended in each outcome.

Models are integers from 0; what they are called, and who voted, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
BothBad = Literal["tie", "drop"]

# The cells are dense, 32 bytes an ordered pair: 2,048 models take 128 MiB.
MAX_MODELS = 2048

_CHUNK = 1 << 16


class Outcome(IntEnum):
    """What a voter said of two answers; the values are those of the vote log."""

    A_WINS = 0
    B_WINS = 1
    TIE = 2
    BOTH_BAD = 3


class VoteDataError(ValueError):
    """Votes that cannot be counted; the message is one line and names the row."""


@dataclass(frozen=True, slots=True)
class Votes:
    """Single votes; the arrays of integers have shape (votes,), and models are below `models`.

    `model_a` was shown first; `outcome` is an `Outcome`. Checked when made: raises `VoteDataError`
    for arrays that differ in length or are not integers, a number out of range, an unknown outcome,
    or a model against itself.
    """

    model_a: NDArray[np.integer[Any]]
    model_b: NDArray[np.integer[Any]]
    outcome: NDArray[np.integer[Any]]
    models: int

    def __post_init__(self) -> None:
        _refuse_too_many(self.models)
        limits = {"model_a": self.models, "model_b": self.models, "outcome": len(Outcome)}
        for name, limit in limits.items():
            column = getattr(self, name)
            if column.shape != (len(self.model_a),):
                raise VoteDataError(f"{name} has shape {column.shape}, not ({len(self.model_a)},)")
            if not np.issubdtype(column.dtype, np.integer):
                raise VoteDataError(f"{name} holds {column.dtype}, not integers")
            _refuse_out_of_range(name, column, limit)
        for start in range(0, len(self), _CHUNK):
            same = self.model_a[start : start + _CHUNK] == self.model_b[start : start + _CHUNK]
            if same.any():
                row = start + int(same.argmax())
                raise VoteDataError(f"row {row}: model {int(self.model_a[row])} against itself")

    def __len__(self) -> int:
        return len(self.model_a)

    def cells(self) -> OutcomeCells:
        """The votes counted by ordered pair and outcome."""
        models, outcomes = self.models, len(Outcome)
        counts = np.zeros(models * models * outcomes, dtype=np.int64)
        # By the chunk, so that a chunk's numbers stay in the cache; and not many more cells than
        # votes are added up each time.
        rows = max(_CHUNK, len(counts) // 2)
        buffer = np.empty(min(rows, len(self)), dtype=np.intp)
        for start in range(0, len(self), rows):
            chunk = slice(start, start + rows)
            # One integer a vote; its digits in base (models, models, 4) are the cell.
            cell = buffer[: len(self.model_a[chunk])]
            np.multiply(self.model_a[chunk], models, out=cell, dtype=np.intp)
            cell += self.model_b[chunk]
            cell *= outcomes
            cell += self.outcome[chunk]
            counts += np.bincount(cell, minlength=len(counts))
        return OutcomeCells(counts.reshape(models, models, outcomes))

    def selected(self, rows: BoolArray | IntArray) -> Votes:
        """The votes of these rows."""
        return Votes(self.model_a[rows], self.model_b[rows], self.outcome[rows], self.models)


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Votes of each pair that met.

    All arrays have shape (pairs,). From `OutcomeCells.pairs` a pair comes once, with
    `first < second`, whichever side either was shown on; from `OutcomeCells.ordered_pairs` once for
    each order, `first` having been shown first. Both-bad votes are among the ties or left out, as
    the caller chose.
    """

    first: IntArray
    second: IntArray
    wins_first: FloatArray
    wins_second: FloatArray
    ties: FloatArray

    @property
    def votes(self) -> FloatArray:
        """Votes of each pair, shape (pairs,)."""
        return self.wins_first + self.wins_second + self.ties

    def summed_by_model(
        self, for_first: FloatArray, for_second: FloatArray, *, models: int
    ) -> FloatArray:
        """Add up one number a pair for its first and one for its second model, shape (models,)."""
        total = np.zeros(models)
        total += np.bincount(self.first, for_first, models)
        total += np.bincount(self.second, for_second, models)
        return total

    def votes_by_model(self, *, models: int) -> FloatArray:
        """Votes that each model took part in, shape (models,)."""
        return self.summed_by_model(self.votes, self.votes, models=models)


@dataclass(frozen=True, slots=True)
class OutcomeCells:
    """Integer counts of shape (models, models, 4): first shown, second shown, `Outcome`.

    Cells of disjoint sets of votes add up, so a category or a period is a sum of cells. The order
    of the pair is kept, so that position effects stay visible.
    """

    counts: IntArray

    def __post_init__(self) -> None:
        shape = self.counts.shape
        if len(shape) != 3 or shape[0] != shape[1] or shape[2] != len(Outcome):
            raise VoteDataError(
                f"outcome cells have shape (models, models, {len(Outcome)}), not {shape}"
            )
        if not np.issubdtype(self.counts.dtype, np.integer):
            raise VoteDataError(f"outcome cells are integers, not {self.counts.dtype}")
        if self.counts.size and self.counts.min() < 0:
            raise VoteDataError("outcome cells cannot be negative")
        # Sums of narrow integers would wrap around without a word.
        object.__setattr__(self, "counts", self.counts.astype(np.int64, copy=False))
        if self.counts.diagonal().any():
            model = int(self.counts.diagonal().any(axis=0).argmax())
            raise VoteDataError(f"model {model} is counted against itself")

    def __add__(self, other: OutcomeCells) -> OutcomeCells:
        if self.models != other.models:
            raise VoteDataError(
                f"cells of {self.models} and of {other.models} models cannot be added: "
                "number the models the same way in both"
            )
        return OutcomeCells(self.counts + other.counts)

    @property
    def models(self) -> int:
        """How many models the cells are numbered for, with votes or without."""
        return int(self.counts.shape[0])

    @property
    def votes(self) -> int:
        """All votes in the cells."""
        return int(self.counts.sum())

    def restricted_to(self, models: IntArray) -> OutcomeCells:
        """The cells among `models` (shape (m,), in that order), renumbered from 0."""
        return OutcomeCells(self.counts[np.ix_(models, models)])

    def ordered_pairs(self, both_bad: BothBad = "tie") -> PairCounts:
        """The ordered pairs that met, so that what the order does can be seen."""
        counts = self.counts
        ties = counts[:, :, Outcome.TIE]
        if both_bad == "tie":
            ties = ties + counts[:, :, Outcome.BOTH_BAD]
        wins, losses = counts[:, :, Outcome.A_WINS], counts[:, :, Outcome.B_WINS]
        first, second = np.nonzero(wins + losses + ties)
        return PairCounts(
            first=first,
            second=second,
            wins_first=wins[first, second].astype(np.float64),
            wins_second=losses[first, second].astype(np.float64),
            ties=ties[first, second].astype(np.float64),
        )

    def pairs(self, both_bad: BothBad = "tie") -> PairCounts:
        """The unordered pairs that met, with both-bad votes as ties or dropped."""
        counts = self.counts
        wins = counts[:, :, Outcome.A_WINS] + counts[:, :, Outcome.B_WINS].T
        ties = counts[:, :, Outcome.TIE] + counts[:, :, Outcome.TIE].T
        if both_bad == "tie":
            ties = ties + counts[:, :, Outcome.BOTH_BAD] + counts[:, :, Outcome.BOTH_BAD].T
        first, second = np.nonzero(np.triu(wins + wins.T + ties, k=1))
        return PairCounts(
            first=first,
            second=second,
            wins_first=wins[first, second].astype(np.float64),
            wins_second=wins[second, first].astype(np.float64),
            ties=ties[first, second].astype(np.float64),
        )


def cells_from_votes(
    model_a: NDArray[np.integer[Any]],
    model_b: NDArray[np.integer[Any]],
    outcome: NDArray[np.integer[Any]],
    *,
    models: int,
) -> OutcomeCells:
    """Count votes into cells.

    As `Votes(model_a, model_b, outcome, models).cells()`, which says what is refused.
    """
    return Votes(model_a, model_b, outcome, models).cells()


def cells_from_counts(
    model_a: NDArray[np.integer[Any]],
    model_b: NDArray[np.integer[Any]],
    counts: NDArray[np.integer[Any]],
    *,
    models: int,
) -> OutcomeCells:
    """Gather votes that were counted elsewhere, without spreading them out into single votes.

    `model_a` and `model_b` have shape (rows,), `counts` has shape (rows, 4) in the order of
    `Outcome`. Rows of the same pair add up. Raises `VoteDataError` as `cells_from_votes` does.
    """
    _refuse_too_many(models)
    if counts.shape != (len(model_a), len(Outcome)) or model_b.shape != model_a.shape:
        raise VoteDataError(
            f"counts have shape {counts.shape}, not ({len(model_a)}, {len(Outcome)})"
        )
    for name, column in {"model_a": model_a, "model_b": model_b, "counts": counts}.items():
        if not np.issubdtype(column.dtype, np.integer):
            raise VoteDataError(f"{name} holds {column.dtype}, not integers")
    _refuse_out_of_range("model_a", model_a, models)
    _refuse_out_of_range("model_b", model_b, models)
    if (counts < 0).any():
        row = int(np.flatnonzero((counts < 0).any(axis=1))[0])
        raise VoteDataError(f"row {row}: a negative count")
    if (model_a == model_b).any():
        row = int(np.flatnonzero(model_a == model_b)[0])
        raise VoteDataError(f"row {row}: model {int(model_a[row])} against itself")
    cube = np.zeros((models, models, len(Outcome)), dtype=np.int64)
    np.add.at(cube, (model_a, model_b), counts)
    return OutcomeCells(cube)


class CellCounter:
    """Counts votes that come in batches, while models are still being met.

    Holds nothing but the cells, however many votes are added.
    """

    def __init__(self) -> None:
        self._counts = np.zeros((0, 0, len(Outcome)), dtype=np.int64)

    def add(self, batch: Votes) -> None:
        """Count a batch; models keep their numbers, later batches may know more of them."""
        self._grow(batch.models)
        known = batch.models
        self._counts[:known, :known] += batch.cells().counts

    def add_counts(self, cells: OutcomeCells) -> None:
        """Add votes that were counted elsewhere, numbered the same way."""
        self._grow(cells.models)
        self._counts[: cells.models, : cells.models] += cells.counts

    def cells(self, *, models: int) -> OutcomeCells:
        """What was counted, numbered for `models` models."""
        self._grow(models)
        return OutcomeCells(self._counts[:models, :models].copy())

    def _grow(self, models: int) -> None:
        _refuse_too_many(models)
        if models > len(self._counts):
            size = min(MAX_MODELS, max(models, 2 * len(self._counts)))
            grown = np.zeros((size, size, len(Outcome)), dtype=np.int64)
            grown[: len(self._counts), : len(self._counts)] = self._counts
            self._counts = grown


def _refuse_too_many(models: int) -> None:
    if models > MAX_MODELS:
        raise VoteDataError(f"{models} models: at most {MAX_MODELS} can be rated at once")


def _refuse_out_of_range(name: str, column: NDArray[np.integer[Any]], limit: int) -> None:
    if column.size and not (column.min() >= 0 and column.max() < limit):
        row = int(np.flatnonzero((column < 0) | (column >= limit))[0])
        raise VoteDataError(f"row {row}: {name} is {int(column[row])}, not from 0 to {limit - 1}")
