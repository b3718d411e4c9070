"""On how few votes, or voters, the order of two rated models rests.

"At most k": k removals turn the order, and a full refit of what is left confirmed it; that no fewer
would do is not said. Ratings are Bradley-Terry points with a tie as half a win. What the models are
called, and whether a removal would be justified, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS, fit_bradley_terry
from ratings.core.connectivity import connectivity
from ratings.core.linear import single_threaded_blas
from ratings.core.outcomes import (
    BothBad,
    FloatArray,
    IntArray,
    Outcome,
    OutcomeCells,
    PairCounts,
    VoteDataError,
    Votes,
)
from ratings.core.ranking import SAME_RATING
from ratings.core.removals import OUTCOMES, Board, Removable, fewest_removals


@dataclass(frozen=True, slots=True)
class Fragility:
    """Removals that turn the order of two models, `above` being rated above `below` with all votes.

    `total` counts them: at most so many votes, or voters, have to go. `votes` has shape (rows, 4):
    shown first, shown second, `Outcome`, how many such votes were removed. `voters` has shape
    (total,), ascending, and is empty where single votes were removed. The differences are points of
    `above` less `below`, before and after. Where `flipped` is False no removal was found: `total`
    is 0 and nothing is removed.
    """

    above: int
    below: int
    total: int
    votes: IntArray
    voters: IntArray
    difference_before: float
    difference_after: float
    flipped: bool


def fragility_votes(
    cells: OutcomeCells,
    *,
    above: int,
    below: int,
    both_bad: BothBad = "tie",
    max_votes: int | None = None,
) -> Fragility:
    """At most how many votes have to go until `below` is rated above `above`.

    All models rated with the two stay connected. `max_votes` bounds the search. Raises
    VoteDataError for models that are unknown, equal, not rated together, or in the other order.
    """
    rated = _rated_together(cells, above, below, both_bad)
    table = _Table(cells, _single_votes(cells), rated, both_bad)
    return table.fragility(above, below, most=max_votes)


def fragility_voters(
    votes: Votes,
    voter: NDArray[np.integer[Any]],
    *,
    above: int,
    below: int,
    both_bad: BothBad = "tie",
    max_voters: int | None = None,
) -> Fragility:
    """At most how many voters have to go, each with all votes, until `below` is above `above`.

    `voter` has shape (votes,): any integers, one a voter. Otherwise as `fragility_votes`.
    """
    ballots, cells = _whole_voters(votes, voter), votes.cells()
    rated = _rated_together(cells, above, below, both_bad)
    table = _Table(cells, ballots, rated, both_bad)
    return table.fragility(above, below, most=max_voters)


def neighbours_fragility(
    votes: OutcomeCells | Votes,
    *,
    voter: NDArray[np.integer[Any]] | None = None,
    both_bad: BothBad = "tie",
    most: int | None = None,
    per_component: bool = False,
) -> tuple[Fragility, ...]:
    """The fragility of every two neighbours in the ranking, from the top.

    Single votes are removed, or with `voter` (which needs `Votes`) whole voters; `most` bounds each
    search. With `per_component` every group that is rated by itself is gone through, the largest
    first; otherwise only the largest.
    """
    cells = votes if isinstance(votes, OutcomeCells) else votes.cells()
    if voter is None:
        ballots = _single_votes(cells)
    elif isinstance(votes, Votes):
        ballots = _whole_voters(votes, voter)
    else:
        raise VoteDataError("voters need single votes, not counts of them")
    found = connectivity(cells.pairs(both_bad), models=cells.models, every_group=per_component)
    result: list[Fragility] = []
    for rated in found.sets:
        table = _Table(cells, ballots, rated, both_bad)
        ranking = rated[np.argsort(-table.board.log_odds, kind="stable")].tolist()
        result += (table.fragility(above, below, most=most) for above, below in pairwise(ranking))
    return tuple(result)


@dataclass(frozen=True, slots=True)
class _Ballots:
    """Votes of the same item and cell, shape (rows,): what is removed together, and from where.

    Item i can be removed `available[i]` times, and each time `count` votes of each of its rows go.
    `voters` has shape (items,), or is empty where the items are single votes.
    """

    item: IntArray
    model_a: IntArray
    model_b: IntArray
    outcome: IntArray
    count: IntArray
    available: IntArray
    voters: IntArray


def _single_votes(cells: OutcomeCells) -> _Ballots:
    model_a, model_b, outcome = np.nonzero(cells.counts)
    return _Ballots(
        item=np.arange(len(model_a)),
        model_a=model_a,
        model_b=model_b,
        outcome=outcome,
        count=np.ones(len(model_a), dtype=np.int64),
        available=cells.counts[model_a, model_b, outcome],
        voters=np.empty(0, dtype=np.int64),
    )


def _whole_voters(votes: Votes, voter: NDArray[np.integer[Any]]) -> _Ballots:
    if voter.shape != (len(votes),):
        raise VoteDataError(f"voter has shape {voter.shape}, not ({len(votes)},)")
    if not np.issubdtype(voter.dtype, np.integer):
        raise VoteDataError(f"voter holds {voter.dtype}, not integers")
    voters, item = np.unique(voter, return_inverse=True)
    shape = (len(voters), votes.models, votes.models, len(Outcome))
    columns = [item, votes.model_a, votes.model_b, votes.outcome]
    key = np.ravel_multi_index([column.astype(np.int64) for column in columns], shape)
    rows, count = np.unique(key, return_counts=True)
    item, model_a, model_b, outcome = np.unravel_index(rows, shape)
    return _Ballots(
        item=item,
        model_a=model_a,
        model_b=model_b,
        outcome=outcome,
        count=count,
        available=np.ones(len(voters), dtype=np.int64),
        voters=voters.astype(np.int64),
    )


def _rated_together(cells: OutcomeCells, above: int, below: int, both_bad: BothBad) -> IntArray:
    """The models that are rated together with these two."""
    for model in (above, below):
        if not 0 <= model < cells.models:
            raise VoteDataError(
                f"there is no model {model}: numbers go from 0 to {cells.models - 1}"
            )
    if above == below:
        raise VoteDataError(f"model {above} cannot be above itself: name two models")
    found = connectivity(cells.pairs(both_bad), models=cells.models, every_group=True)
    for model in (above, below):
        if found.reasons[model]:
            raise VoteDataError(f"model {model} has no rating: {found.reasons[model]}")
    for rated in found.sets:
        if above in rated and below in rated:
            return rated
    raise VoteDataError(
        f"models {above} and {below} have no common rating: no chain of votes connects them"
    )


class _Table:
    """Models that are rated together, and what the searches for all their pairs share."""

    def __init__(
        self, cells: OutcomeCells, ballots: _Ballots, rated: IntArray, both_bad: BothBad
    ) -> None:
        self.pairs = cells.restricted_to(rated).pairs(both_bad)
        with single_threaded_blas():
            fit = fit_bradley_terry(self.pairs, models=len(rated))
            self.board = Board(self.pairs, fit.log_odds)
        self.ballots = ballots
        self.place = np.full(cells.models, -1)
        self.place[rated] = np.arange(len(rated))
        self.counted = (self.place[ballots.model_a] >= 0) & (self.place[ballots.model_b] >= 0)
        if both_bad == "drop":
            self.counted &= ballots.outcome != Outcome.BOTH_BAD
        self.removable = Removable(ballots.available, self._votes_of_items())

    def fragility(self, above: int, below: int, *, most: int | None) -> Fragility:
        """Search, and let a full refit of what is left have the last word."""
        if most is not None and most < 1:
            raise VoteDataError(f"at most {most} removals remove nothing: allow 1 or more")
        before = after = self._difference(self.board.log_odds, above, below)
        if before < -SAME_RATING:
            raise VoteDataError(f"model {above} is rated below model {below}: swap them")
        with single_threaded_blas():
            found = fewest_removals(
                self.board,
                self.removable,
                above=int(self.place[above]),
                below=int(self.place[below]),
                most=int(self.ballots.available.sum()) if most is None else most,
            )
            if found is not None:
                after = self._difference(self._full_refit(found.removed), above, below)
        flipped = found is not None and after < -SAME_RATING
        removed = found.removed if found and flipped else np.zeros_like(self.ballots.available)
        return Fragility(
            above=above,
            below=below,
            total=int(removed.sum()),
            votes=self._cells_of(removed),
            voters=self.ballots.voters[removed[: len(self.ballots.voters)] > 0],
            difference_before=before,
            difference_after=after if flipped else before,
            flipped=flipped,
        )

    def _difference(self, log_odds: FloatArray, above: int, below: int) -> float:
        gap = log_odds[self.place[above]] - log_odds[self.place[below]]
        return float(POINTS_PER_LOG_ODDS * gap)

    def _full_refit(self, removed: IntArray) -> FloatArray:
        won, lost, tied = self.board.left(self.removable, removed).T
        left = PairCounts(self.pairs.first, self.pairs.second, won, lost, tied)
        return fit_bradley_terry(left, models=len(self.board.log_odds)).log_odds

    def _votes_of_items(self) -> csr_array:
        """The counted rows of the ballots as a matrix: items by outcomes of pairs."""
        ballots, counted = self.ballots, self.counted
        model_a = self.place[ballots.model_a[counted]]
        model_b = self.place[ballots.model_b[counted]]
        number = np.empty((len(self.board.log_odds),) * 2, dtype=np.int64)
        number[self.pairs.first, self.pairs.second] = np.arange(len(self.pairs.first))
        pair = number[np.minimum(model_a, model_b), np.maximum(model_a, model_b)]
        # Both bad, where it is counted, is a tie.
        outcome = np.minimum(ballots.outcome[counted], Outcome.TIE)
        decided = outcome < Outcome.TIE
        outcome = np.where(decided & (model_a > model_b), 1 - outcome, outcome)
        return csr_array(
            (
                ballots.count[counted].astype(np.float64),
                (ballots.item[counted], pair * OUTCOMES + outcome),
            ),
            shape=(len(ballots.available), self.board.counts.size),
        )

    def _cells_of(self, removed: IntArray) -> IntArray:
        """What is removed as rows of first shown, second shown, outcome and votes."""
        ballots = self.ballots
        gone = np.flatnonzero(self.counted & (removed[ballots.item] > 0))
        cells = np.stack([ballots.model_a, ballots.model_b, ballots.outcome], axis=1)[gone]
        rows, inverse = np.unique(cells, axis=0, return_inverse=True)
        votes = np.zeros(len(rows), dtype=np.int64)
        np.add.at(votes, inverse, removed[ballots.item[gone]] * ballots.count[gone])
        return np.column_stack([rows, votes])
