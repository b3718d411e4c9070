"""The rows that a fit reads: pairs with their counts, or single votes with features, in blocks.

Both are the same to a fit: rows of (first, second, wins, losses, ties), a weight, and a design of
effects on the gap. Knows no likelihood.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.sparse import csr_array

from ratings.core.linear import summed_by
from ratings.core.outcomes import FloatArray, IntArray, Outcome, PairCounts, VoteDataError, Votes

# Small enough that a block's columns stay in the cache, large enough that Python costs nothing.
BLOCK_ROWS = 1 << 15


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows. Arrays have shape (rows,); `design` has shape (rows, effects)."""

    first: IntArray
    second: IntArray
    wins: FloatArray
    losses: FloatArray
    ties: FloatArray
    weight: FloatArray | None
    design: FloatArray | None

    def weighted(self, values: FloatArray, power: int = 1) -> FloatArray:
        """Values of shape (rows,) times the rows' weight to that power."""
        return values if self.weight is None else values * self.weight**power

    def by_model(self, values: FloatArray, models: int) -> FloatArray:
        """The sum over rows of value times (e_first - e_second).

        `values` of shape (rows,) give shape (models,), and (rows, k) give (models, k).
        """
        if values.ndim == 1:
            return summed_by(self.first, values, models) - summed_by(self.second, values, models)
        rows = len(self.first)
        incidence = csr_array(
            (
                np.tile([1.0, -1.0], rows),
                np.column_stack([self.first, self.second]).ravel(),
                np.arange(0, 2 * rows + 1, 2),
            ),
            shape=(rows, models),
        )
        return np.asarray(incidence.T @ values)

    def gap(self, log_odds: FloatArray, effects: FloatArray) -> FloatArray:
        """The log-odds between first and second, effects on the gap included, shape (rows,)."""
        gap: FloatArray = log_odds[self.first] - log_odds[self.second]
        if self.design is not None:
            gap += self.design @ effects[: self.design.shape[1]]
        return gap


class Comparisons(Protocol):
    """Rows in blocks; `single` says that each row is one vote."""

    @property
    def models(self) -> int: ...
    @property
    def effects(self) -> int: ...
    @property
    def single(self) -> bool: ...
    def blocks(self) -> Iterator[Block]: ...


@dataclass(frozen=True, slots=True)
class PairComparisons:
    """Counted votes, a row each pair.

    `weights` has shape (models, models), symmetric: what one vote of a pair weighs. With `position`
    the pairs must be ordered (`OutcomeCells.ordered_pairs`), and the one effect is that of being
    shown first, in log-odds.
    """

    pairs: PairCounts
    models: int
    weights: FloatArray | None = None
    position: bool = False
    single: bool = False

    @property
    def effects(self) -> int:
        return int(self.position)

    def blocks(self) -> Iterator[Block]:
        pairs = self.pairs
        yield Block(
            first=pairs.first,
            second=pairs.second,
            wins=pairs.wins_first,
            losses=pairs.wins_second,
            ties=pairs.ties,
            weight=None if self.weights is None else self.weights[pairs.first, pairs.second],
            design=np.ones((len(pairs.first), 1)) if self.position else None,
        )


@dataclass(frozen=True, slots=True)
class VoteComparisons:
    """Single votes; both bad is a tie here, so leave out beforehand what should not count.

    `features` has shape (votes, features), the difference between the answers shown first and
    second; an effect is in log-odds per unit of it. With `position` the last effect is that of
    being shown first.
    """

    votes: Votes
    features: FloatArray | None = None
    weights: FloatArray | None = None
    position: bool = False
    single: bool = True

    def __post_init__(self) -> None:
        if self.features is not None:
            refuse_bad_features(self.features, votes=len(self.votes))

    @property
    def models(self) -> int:
        return self.votes.models

    @property
    def effects(self) -> int:
        features = 0 if self.features is None else self.features.shape[1]
        return features + self.position

    def selected(self, rows: IntArray) -> VoteComparisons:
        """The same for these votes alone."""
        features = None if self.features is None else self.features[rows]
        return replace(self, votes=self.votes.selected(rows), features=features)

    def blocks(self) -> Iterator[Block]:
        for start in range(0, len(self.votes), BLOCK_ROWS):
            yield self.block(slice(start, start + BLOCK_ROWS))

    def block(self, rows: slice | IntArray) -> Block:
        """The block of these rows."""
        votes = self.votes
        first = votes.model_a[rows].astype(np.int64)
        second = votes.model_b[rows].astype(np.int64)
        outcome = votes.outcome[rows]
        return Block(
            first=first,
            second=second,
            wins=(outcome == Outcome.A_WINS).astype(np.float64),
            losses=(outcome == Outcome.B_WINS).astype(np.float64),
            ties=(outcome >= Outcome.TIE).astype(np.float64),
            weight=None if self.weights is None else self.weights[first, second],
            design=self._design(rows, len(first)),
        )

    def _design(self, rows: slice | IntArray, count: int) -> FloatArray | None:
        columns = []
        if self.features is not None:
            columns.append(self.features[rows].astype(np.float64))
        if self.position:
            columns.append(np.ones((count, 1)))
        if not columns:
            return None
        return columns[0] if len(columns) == 1 else np.hstack(columns)


def refuse_bad_features(features: FloatArray, *, votes: int) -> None:
    """Raises VoteDataError for features of another shape than (votes, features) or not finite."""
    if features.ndim != 2 or len(features) != votes:
        raise VoteDataError(f"features have shape {features.shape}, not ({votes}, features)")
    for start in range(0, votes, BLOCK_ROWS):
        finite = np.isfinite(features[start : start + BLOCK_ROWS])
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise VoteDataError(f"row {start + row}: feature {column} is not a finite number")
