"""The search for few votes, or few voters, whose removal turns the order of two models.

Works on anything that can be removed whole: one vote, or all votes of a voter. Ratings are
Bradley-Terry with a tie as half a win. Who voted, and how cells are numbered, is not known here.

Sources: the influence of a removal by one Newton step with its leverage (Pregibon 1981); greedy
removal of the most influential (Broderick, Giordano and Meager 2020), on leaderboards Huang, Shen,
Wei and Broderick 2025 (arXiv 2508.11847).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS
from ratings.core.linear import DifferenceSystem, SingularError
from ratings.core.outcomes import BoolArray, FloatArray, IntArray, PairCounts
from ratings.core.ranking import SAME_RATING

# Outcomes of a pair: the first wins, the second wins, a tie.
OUTCOMES = 3

_STEP_TOLERANCE = 1e-10
_MAX_STEPS = 60
# The most influential items, whose influence is corrected for their leverage.
_CORRECTED = 64
# A vote that nearly alone connects a model has a leverage near 1; greed must not start with it.
_MOST_LEVERAGE = 0.5
# So many removals before the order is expected to turn, they are taken one by one; or, once many
# are taken, by batches of this fraction, which change little.
_SINGLY = 16


@dataclass(frozen=True, slots=True)
class Removable:
    """What can be removed: `available` times each, and the votes that one removal takes away.

    `available` has shape (items,), `votes` has shape (items, 3 * pairs): the counts of the first
    pair's outcomes (first wins, second wins, tie), then those of the next pair.
    """

    available: IntArray
    votes: csr_array


@dataclass(frozen=True, slots=True)
class Remainder:
    """How often each item is `removed`, (items,), and the `log_odds` of what is left, (models,)."""

    removed: IntArray
    log_odds: FloatArray

    @property
    def removals(self) -> int:
        return int(self.removed.sum())


class Board:
    """The pairs of a set of models, all connected both ways, with their ratings.

    `log_odds` has shape (models,) and maximizes the likelihood of `pairs`.
    """

    def __init__(self, pairs: PairCounts, log_odds: FloatArray) -> None:
        self.first, self.second = pairs.first, pairs.second
        self.models, self.log_odds = len(log_odds), log_odds
        self.counts = np.stack([pairs.wins_first, pairs.wins_second, pairs.ties], axis=1)
        self._edges = self._directed(self.counts)
        self._system = self._factorized(self.counts, log_odds)
        rows = np.arange(self.counts.size)
        first, second = (side.repeat(OUTCOMES) for side in (self.first, self.second))
        one = np.ones(len(rows))
        self._contrasts = csr_array(
            (np.r_[one, -one], (np.r_[rows, rows], np.r_[first, second])),
            shape=(len(rows), self.models),
        )

    def left(self, items: Removable, removed: IntArray) -> FloatArray:
        """The counts without what is removed, shape (pairs, 3)."""
        gone: FloatArray = items.votes.T @ removed.astype(np.float64)
        return self.counts - gone.reshape(self.counts.shape)

    def connected(self, counts: FloatArray) -> bool:
        """Whether chains of wins and ties still lead from every model to every other."""
        edges = self._directed(counts)
        if np.array_equal(edges, self._edges):
            return True
        winners = np.r_[self.first, self.second][edges]
        losers = np.r_[self.second, self.first][edges]
        graph = csr_array((np.ones(len(winners)), (winners, losers)), shape=(self.models,) * 2)
        return int(connected_components(graph, connection="strong")[0]) == 1

    def refit(self, counts: FloatArray, start: FloatArray) -> FloatArray | None:
        """Log-odds of connected counts, from a start that is near; None if none are found.

        Shares the factor made from all votes as long as it serves.
        """
        won, lost = counts[:, 0] + counts[:, 2] / 2, counts[:, 1] + counts[:, 2] / 2
        log_odds, system, last = start, self._system, math.inf
        for _ in range(_MAX_STEPS):
            gap = log_odds[self.first] - log_odds[self.second]
            step = system.solve(self._by_model(won * expit(-gap) - lost * expit(gap)))
            reach = float(np.ptp(step))
            if reach > last / 4:
                try:
                    system, last = self._factorized(counts, log_odds), math.inf
                except SingularError:
                    return None
                continue
            if reach <= _STEP_TOLERANCE:
                return log_odds + step
            # As in the full fit: a length that is sure to climb, and tends to 1.
            log_odds, last = log_odds + step * (math.log1p(reach) / reach), reach
        return None

    def influence(self, items: Removable, now: Remainder, *, above: int, below: int) -> FloatArray:
        """How far one removal of each item lowers `above` less `below`, (items,), in log-odds."""
        counts, log_odds = self.left(items, now.removed), now.log_odds
        win = expit(log_odds[self.first] - log_odds[self.second])
        system = self._factorized(counts, log_odds)
        contrast = np.zeros(self.models)
        contrast[above], contrast[below] = 1, -1
        pull = system.solve(contrast)
        gap = pull[self.first] - pull[self.second]
        residual = np.stack([1 - win, -win, 0.5 - win], axis=1)
        influence: FloatArray = items.votes @ (residual * gap[:, None]).ravel()
        head = np.argpartition(-influence, min(_CORRECTED, len(influence)) - 1)[:_CORRECTED]
        head = head[influence[head] > 0]
        # What is left has less information, which makes the Newton step longer: by 1 / (1 -
        # leverage) exactly for a single vote, and to first order for a voter.
        votes = items.votes[head]
        score = (votes.multiply(residual.ravel()) @ self._contrasts).toarray()
        moved = system.solve(score.T).T
        weight = (win * (1 - win) * gap).repeat(OUTCOMES)
        lost = ((votes.multiply(weight) @ self._contrasts).toarray() * moved).sum(axis=1)
        leverage = np.minimum(lost / influence[head], _MOST_LEVERAGE)
        influence[head] /= 1 - leverage
        return influence

    def _by_model(self, residual: FloatArray) -> FloatArray:
        score = np.zeros(self.models)
        score += np.bincount(self.first, residual, self.models)
        score -= np.bincount(self.second, residual, self.models)
        return score

    def _directed(self, counts: FloatArray) -> BoolArray:
        """Of each pair whether the first ever held its own, then whether the second did."""
        return np.concatenate([counts[:, side] + counts[:, 2] > 0 for side in (0, 1)])

    def _factorized(self, counts: FloatArray, log_odds: FloatArray) -> DifferenceSystem:
        win = expit(log_odds[self.first] - log_odds[self.second])
        weight = counts.sum(axis=1) * win * (1 - win)
        matrix = np.zeros((self.models, self.models))
        matrix[self.first, self.second] = matrix[self.second, self.first] = -weight
        np.fill_diagonal(matrix, -matrix.sum(axis=1))
        return DifferenceSystem(matrix, models=self.models, shift_free=True)


def fewest_removals(
    board: Board, items: Removable, *, above: int, below: int, most: int
) -> Remainder | None:
    """Few removals, at most `most`, after which `below` is rated above `above`.

    The number is an upper bound of the least one. Removals that break the connection of the models
    are passed over. None where greed finds nothing.
    """
    found = _greedy(board, items, above=above, below=below, most=most)
    while found is not None and found.removals > 1:
        fewer = _fewer(board, items, found, above=above, below=below)
        if fewer is None:
            break
        found = fewer
    return found


def _greedy(
    board: Board, items: Removable, *, above: int, below: int, most: int
) -> Remainder | None:
    """Remove the most influential until the order turns, weighing them anew after each batch."""
    now = Remainder(np.zeros_like(items.available), board.log_odds)
    while (lead := _lead(now, above, below)) >= 0:
        influence = board.influence(items, now, above=above, below=below)
        order = _descending(influence)
        room = (items.available - now.removed)[order]
        expected = np.cumsum(influence[order] * room)
        needed = math.ceil(np.interp(lead, np.r_[0, expected], np.r_[0, np.cumsum(room)]))
        careful = needed - max(needed // 8, _SINGLY)
        batch = max(careful, min(needed, now.removals // _SINGLY), 1)
        batch = min(batch, most - now.removals)
        removed = _removed_in_order(board, items, now.removed, order, batch)
        log_odds = board.refit(board.left(items, removed), now.log_odds)
        if log_odds is None or removed.sum() == now.removals:
            return None
        now = Remainder(removed, log_odds)
    return now


def _fewer(
    board: Board, items: Removable, found: Remainder, *, above: int, below: int
) -> Remainder | None:
    """Fewer removals than were found, by the influence that each item has where the order turns."""
    order = _descending(board.influence(items, found, above=above, below=below))
    none = np.zeros_like(items.available)

    def after(removals: int) -> Remainder | None:
        removed = _removed_in_order(board, items, none, order, removals)
        log_odds = board.refit(board.left(items, removed), found.log_odds)
        return None if log_odds is None else Remainder(removed, log_odds)

    best = after(found.removals - 1)
    if best is None or _lead(best, above, below) >= 0:
        return None
    kept = 0
    while best.removals - kept > 1:
        tried = after((kept + best.removals) // 2)
        if tried is not None and _lead(tried, above, below) < 0:
            best = tried
        else:
            kept = (kept + best.removals) // 2
    return best


def _lead(now: Remainder, above: int, below: int) -> float:
    """Log-odds by which `above` leads; negative once `below` is rated above it."""
    return float(now.log_odds[above] - now.log_odds[below] + SAME_RATING / POINTS_PER_LOG_ODDS)


def _descending(influence: FloatArray) -> IntArray:
    """The items whose removal lowers the lead, the most influential first."""
    helpful = np.flatnonzero(influence > 0)
    return helpful[np.argsort(-influence[helpful], kind="stable")]


def _removed_in_order(
    board: Board, items: Removable, removed: IntArray, order: IntArray, removals: int
) -> IntArray:
    """`removed` and so many more in this order, without those that would break the connection."""
    room = (items.available - removed)[order]

    def upto(number: int) -> IntArray:
        """How often each item of the order is among the first `number` removals."""
        before = np.cumsum(room) - room
        times: IntArray = np.clip(number - before, 0, room)
        return times

    def together(further: IntArray) -> IntArray:
        result = removed.copy()
        result[order] += further
        return result

    while True:
        result = together(upto(removals))
        if board.connected(board.left(items, result)):
            return result
        keeps, breaks = 0, removals
        while breaks - keeps > 1:
            middle = (keeps + breaks) // 2
            if board.connected(board.left(items, together(upto(middle)))):
                keeps = middle
            else:
                breaks = middle
        breaker = np.flatnonzero(upto(breaks) != upto(keeps))[0]
        room[breaker] = upto(keeps)[breaker]
