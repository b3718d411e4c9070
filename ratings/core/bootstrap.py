"""Bootstrap of Bradley-Terry ratings: the votes drawn again many times, and every draw refitted.

The replicates are fitted together, in blocks that fit the cache. Votes are taken as independent:
of voters this module knows nothing.

Sources: Efron 1979; Rubin 1981; Efron and Tibshirani 1993, chapter 13 (percentile intervals).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from ratings.core.comparisons import PairComparisons
from ratings.core.connectivity import connectivity
from ratings.core.fitting import NoFiniteFitError, PairedFit, Shrinkage, fit
from ratings.core.likelihoods import LIKELIHOODS
from ratings.core.linear import single_threaded_blas
from ratings.core.outcomes import BoolArray, FloatArray, PairCounts
from ratings.core.resampling import CellResampler, GammaCells, MultinomialCells, VoteCells

BootstrapKind = Literal["multinomial", "bayesian"]

# Numbers in the largest array of a block of rounds: 8 MiB.
_BLOCK_NUMBERS = 1 << 20

# A round is done with the step that is at most this long in log-odds; the step is taken, and what
# is then left is less than 4e-4 points even where steps shrink as slowly as they may.
_STEP_TOLERANCE = 5e-7
_SLOWEST_SHRINKING = 0.8
# So far from the ratings of the votes themselves their information is no guide.
_LONGEST_STEP = 5.0


@dataclass(frozen=True, slots=True)
class Replicates:
    """Ratings of the votes drawn anew, a row each round.

    `log_odds` has shape (rounds, models); each row sums to zero, so that a shift which all models
    share widens no interval. `finite` has shape (rounds,): False where the votes of the round had
    no finite maximum (a model lost every vote, or nothing connected it); such a row is NaN and
    counts nowhere below. Intervals then are those of the rounds that could be rated, too narrow for
    the models that made the others fail: say `infinite` beside them.
    """

    log_odds: FloatArray
    finite: BoolArray

    @property
    def infinite(self) -> int:
        """Rounds without a finite maximum."""
        return int((~self.finite).sum())

    def covariance(self) -> FloatArray:
        """Of the mean-centred log-odds, shape (models, models); NaN with fewer than two rounds."""
        models = self.log_odds.shape[1]
        if self.finite.sum() < 2:
            return np.full((models, models), np.nan)
        return np.cov(self.log_odds[self.finite], rowvar=False)

    def intervals(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Percentile intervals of the mean-centred log-odds: lower and upper, shape (models,)."""
        return self._percentiles(self.log_odds, level)

    def difference_interval(
        self, first: int, second: int, level: float = 0.95
    ) -> tuple[float, float]:
        """Percentile interval of how far `first` is above `second`, in log-odds."""
        difference = self.log_odds[:, first] - self.log_odds[:, second]
        lower, upper = self._percentiles(difference, level)
        return float(lower), float(upper)

    def _percentiles(self, values: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
        if not 0 < level < 1:
            raise ValueError(f"level is {level}: it must lie between 0 and 1")
        if not self.finite.any():
            missing = np.full(values.shape[1:], np.nan)
            return missing, missing
        tail = (1 - level) / 2
        lower, upper = np.quantile(values[self.finite], [tail, 1 - tail], axis=0)
        return lower, upper


def bootstrap_bradley_terry(
    pairs: PairCounts,
    *,
    models: int,
    rounds: int = 1000,
    kind: BootstrapKind = "multinomial",
    seed: int = 0,
    weights: FloatArray | None = None,
    shrinkage: Shrinkage | None = None,
) -> Replicates:
    """Draw the votes anew `rounds` times and rate each draw.

    `multinomial` draws as many votes as there are from the votes, with replacement; `bayesian`
    gives each vote an exponential weight, so that votes which connect the models always do.
    `weights` (models, models) and `shrinkage` are those of `ratings.core.fitting.fit`. A replicate
    differs from its own full fit by less than 1e-3 points. The same seed and counts give the same
    replicates.

    Raises `NoFiniteFitError` when the votes themselves determine no finite ratings for all
    `models`, `VoteDataError` for counts that are not whole.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}: at least one is needed")
    if len(connectivity(pairs, models=models).rated) < models and not shrinkage:
        raise NoFiniteFitError(
            f"wins and ties do not connect all {models} models both ways: rate a connected set"
        )
    comparisons = PairComparisons(pairs, models, weights)
    shrinkage = shrinkage or Shrinkage()
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"], shrinkage=shrinkage)
    cells = VoteCells(pairs)
    resampler: CellResampler = (
        MultinomialCells(cells.counts) if kind == "multinomial" else GammaCells(cells.counts)
    )
    solver = _SharedSolver(cells, comparisons, found, shrinkage)
    connections = _Connections(cells, models)
    random = np.random.Generator(np.random.SFC64(seed))
    log_odds = np.empty((rounds, models))
    width = max(1, _BLOCK_NUMBERS // len(cells.counts))
    with single_threaded_blas():
        for start in range(0, rounds, width):
            block = slice(start, min(start + width, rounds))
            drawn = resampler.draw(random, block.stop - start)
            whole = np.full(drawn.shape[1], True) if shrinkage else connections.whole(drawn)
            log_odds[block] = solver.solve(drawn, whole)
    log_odds -= log_odds.mean(axis=1, keepdims=True)
    return Replicates(log_odds=log_odds, finite=np.isfinite(log_odds[:, 0]))


class _Connections:
    """Tells which rounds kept every model connected to every other both ways.

    In nearly every round the strongest two-way pairs that span the models all came both ways
    again, and then nothing more needs to be looked at.
    """

    def __init__(self, cells: VoteCells, models: int) -> None:
        self._models = models
        pairs = cells.pairs
        first, second = pairs.first[cells.pair], pairs.second[cells.pair]
        down, up = cells.outcome != 1, cells.outcome != 0
        self._winner = np.concatenate([first[down], second[up]])
        self._loser = np.concatenate([second[down], first[up]])
        self._won_in = np.concatenate([np.flatnonzero(down), np.flatnonzero(up)])

        strength = pairs.ties + np.minimum(pairs.wins_first, pairs.wins_second)
        both = np.flatnonzero(strength)
        place = pairs.first[both] * models + pairs.second[both]
        graph = csr_array((1 / strength[both], np.divmod(place, models)), (models, models))
        tree = minimum_spanning_tree(graph).tocoo()
        order = np.argsort(place)
        in_tree = np.searchsorted(
            place, tree.row.astype(np.int64) * models + tree.col, sorter=order
        )
        rows = both[order[in_tree]]
        self._tree_ends = pairs.first[rows], pairs.second[rows]
        cell = np.full((3, len(pairs.first)), -1)
        cell[cells.outcome, cells.pair] = np.arange(len(cells.counts))
        self._tree_cells = cell[:, rows]

    def whole(self, drawn: FloatArray) -> BoolArray:
        """Which columns of `drawn`, shape (cells, rounds), have a finite maximum."""
        came = (drawn[self._tree_cells] > 0) & (self._tree_cells >= 0)[:, :, None]
        joined = came[2] | (came[0] & came[1])
        whole = joined.all(axis=0) & (len(joined) == self._models - 1)
        for column in np.flatnonzero(~whole):
            whole[column] = self._is_whole(joined[:, column], drawn[:, column])
        return np.asarray(whole, dtype=np.bool_)

    def _is_whole(self, joined: BoolArray, drawn: FloatArray) -> bool:
        """Whether wins and ties lead both ways between the pieces that the tree still joins."""
        first, second = (end[joined] for end in self._tree_ends)
        tree = csr_array((np.ones(len(first)), (first, second)), (self._models, self._models))
        pieces, piece = connected_components(tree, directed=False)
        winner, loser = piece[self._winner], piece[self._loser]
        edge = np.flatnonzero(winner != loser)
        edge = edge[drawn[self._won_in[edge]] > 0]
        graph = csr_array((np.ones(len(edge)), (winner[edge], loser[edge])), (pieces, pieces))
        return bool(connected_components(graph, connection="strong")[0] == 1)


class _SharedSolver:
    """Fits all rounds of a block together.

    Newton's method with one inverse for all: that of the information at the fit of the votes
    themselves, scaled to each round's own diagonal (where nothing shrinks the ratings). Where the
    steps do not get shorter (few votes, steep ratings) the round is fitted by itself.
    """

    def __init__(
        self,
        cells: VoteCells,
        comparisons: PairComparisons,
        found: PairedFit,
        shrinkage: Shrinkage,
    ) -> None:
        self._cells, self._comparisons = cells, comparisons
        self._found, self._shrinkage = found, shrinkage
        self._inverse = found.system.inverse()
        self._diagonal = np.diag(found.information)[:, None]
        pairs, models = comparisons.pairs, comparisons.models
        weight = (
            np.ones(len(pairs.first))
            if comparisons.weights is None
            else comparisons.weights[pairs.first, pairs.second]
        )[cells.pair]
        all_pairs, all_cells = np.arange(len(pairs.first)), np.arange(len(cells.counts))
        # Weighted votes of each pair from the cells' counts, and half-wins of each model.
        self._votes = csr_array((weight, (cells.pair, all_cells)), (len(all_pairs), len(all_cells)))
        first_share = np.array([1.0, 0.0, 0.5])[cells.outcome] * weight
        self._wins = csr_array(
            (
                np.concatenate([first_share, weight - first_share]),
                (
                    np.concatenate([pairs.first[cells.pair], pairs.second[cells.pair]]),
                    np.tile(all_cells, 2),
                ),
            ),
            (models, len(all_cells)),
        )
        ends = np.concatenate([pairs.first, pairs.second])
        self._by_model = csr_array(
            (np.ones(len(ends)), (ends, np.tile(all_pairs, 2))), (models, len(all_pairs))
        )
        self._by_pair = csr_array(self._by_model.T)

    def solve(self, drawn: FloatArray, whole: BoolArray) -> FloatArray:
        """Log-odds, shape (rounds, models), of `drawn`, shape (cells, rounds).

        NaN in rounds that are not `whole`, and in those without a finite maximum.
        """
        result = np.full((drawn.shape[1], self._comparisons.models), np.nan)
        columns = np.flatnonzero(whole)
        kept = drawn if whole.all() else drawn[:, columns]
        votes, wins = self._votes @ kept, self._wins @ kept
        log_odds = np.repeat(self._found.log_odds[:, None], len(columns), axis=1)
        going = np.ones(len(columns), dtype=np.bool_)
        former = np.full(len(columns), _LONGEST_STEP / _SLOWEST_SHRINKING)
        while going.any():
            step = self._step(votes, wins, log_odds)
            reach = np.abs(step).max(axis=0)
            slow = going & (reach > _SLOWEST_SHRINKING * former)
            for column in columns[slow]:
                result[column] = self._alone(drawn[:, column])
            going &= ~slow
            log_odds[:, going] += step[:, going]
            result[columns[going]] = log_odds[:, going].T
            going &= reach > _STEP_TOLERANCE
            former = reach
            # A block is narrowed only when that saves more than the copy costs.
            if 0 < 2 * going.sum() <= len(going):
                votes, wins, log_odds = votes[:, going], wins[:, going], log_odds[:, going]
                columns, former, going = columns[going], former[going], going[going]
        return result

    def _step(self, votes: FloatArray, wins: FloatArray, log_odds: FloatArray) -> FloatArray:
        """One step of each round, shape (models, rounds), from pi_i / (pi_i + pi_j)."""
        odds = np.exp(log_odds)
        share = self._by_pair @ odds
        np.reciprocal(share, out=share)
        met = votes * share
        expected = odds * (self._by_model @ met)
        score = wins - expected
        if self._shrinkage:
            # Scaled, it would go astray along the shift of all models: there the information is
            # only what shrinks them.
            score += self._shrinkage.score(log_odds)
            return np.asarray(self._inverse @ score)
        met *= share
        information = expected - odds**2 * (self._by_model @ met)
        scale = np.sqrt(self._diagonal / np.maximum(information, 1e-9 * self._diagonal))
        step = scale * (self._inverse @ (scale * score))
        return np.asarray(step - step.mean(axis=0))

    def _alone(self, drawn: FloatArray) -> FloatArray:
        comparisons, likelihood = self._comparisons, self._found.likelihood
        votes = PairComparisons(
            self._cells.replicate(drawn), comparisons.models, comparisons.weights
        )
        try:
            return fit(votes, likelihood=likelihood, shrinkage=self._shrinkage).log_odds
        except NoFiniteFitError:
            return np.full(comparisons.models, np.nan)
