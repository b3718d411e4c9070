"""Logistic regression on the sum of two sides: when it has a maximum, the fit, its covariance.

logit P(yes | i, j) = b_i + b_j, for rows (pairs, or pairs of one voter) with counts of yes and no.
What a yes means is not known here.

Sources: existence of the maximum, Albert and Anderson 1984, here as strong connection of a double
cover (of signed graphs, Zaslavsky 1982); damping, Sun and Tran-Dinh 2019; sandwich, White 1982;
cluster jackknife by one step (CR3), MacKinnon, Nielsen and Webb 2023.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from ratings.core.outcomes import BoolArray, FloatArray, IntArray

_GRADIENT_TOLERANCE = 1e-10
_STEP_TOLERANCE = 1e-8
_MAX_STEPS = 200
# A voter with more leverage is solved by itself; leverages add up to the number of models.
_LARGE_LEVERAGE = 0.2
_SERIES_TOLERANCE = 1e-9
_BLOCK_VOTERS = 1 << 10
# What is left of a pair's information after subtraction, where nothing is left.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class SideSums:
    """Rows of two sides and how often it was yes and no, all of shape (rows,); sides differ."""

    first: IntArray
    second: IntArray
    yes: FloatArray
    no: FloatArray

    def among(self, number: IntArray) -> tuple[SideSums, BoolArray]:
        """The rows whose sides both have a `number` from 0, so renumbered, and which they are."""
        kept = (number[self.first] >= 0) & (number[self.second] >= 0)
        rows = SideSums(
            number[self.first[kept]], number[self.second[kept]], self.yes[kept], self.no[kept]
        )
        return rows, kept


def by_side(first: IntArray, second: IntArray, values: FloatArray, *, models: int) -> FloatArray:
    """The sum of one value a row over both its sides, shape (models,)."""
    total = np.zeros(models)
    total += np.bincount(first, values, models)
    total += np.bincount(second, values, models)
    return total


def determined_groups(
    first: IntArray, second: IntArray, up: BoolArray, down: BoolArray, *, models: int
) -> IntArray:
    """Which sides have finite estimates, and in which group: from 0 in falling size, -1 for none.

    `up` says of each row whether a yes was seen, `down` whether a no was. Along a direction c the
    likelihood never falls when c_i >= -c_j for every yes and c_i <= -c_j for every no. With a node
    for c_i and one for -c_i those are edges, and c_i = 0 is forced, so that the estimate of i is
    finite and the only one, exactly where a circle goes through both nodes of i.
    """
    above = np.concatenate([first[up], second[up], second[down] + models, first[down] + models])
    under = np.concatenate([second[up] + models, first[up] + models, first[down], second[down]])
    graph = csr_array((np.ones(len(above)), (above, under)), shape=(2 * models, 2 * models))
    labels: IntArray = connected_components(graph, connection="strong")[1]
    determined = np.flatnonzero(labels[:models] == labels[models:])
    _, start, inverse, sizes = np.unique(
        labels[determined], return_index=True, return_inverse=True, return_counts=True
    )
    place = np.empty(len(sizes), dtype=np.int64)
    place[np.lexsort((start, -sizes))] = np.arange(len(sizes))
    group = np.full(models, -1, dtype=np.int64)
    group[determined] = place[inverse]
    return group


@dataclass(frozen=True, slots=True)
class SumFit:
    """Estimates b of shape (models,), and the inverse of the information, (models, models)."""

    sides: FloatArray
    information: FloatArray
    inverse: FloatArray


def fit_sums(rows: SideSums, *, models: int) -> SumFit:
    """Maximize the likelihood until the gradient per vote is at most 1e-10.

    All models must be one determined group.
    """
    votes = rows.yes + rows.no
    by_model = by_side(rows.first, rows.second, votes, models=models)
    share = rows.yes.sum() / votes.sum()
    sides = np.full(models, math.log(share / (1 - share)) / 2)
    for _ in range(_MAX_STEPS):
        score, weight = _terms(rows, sides)
        gradient = by_side(rows.first, rows.second, score, models=models)
        information = _information(rows.first, rows.second, weight, models=models)
        factor = cho_factor(information, check_finite=False)
        step: FloatArray = cho_solve(factor, gradient, check_finite=False)
        reach = float(np.abs(step[rows.first] + step[rows.second]).max())
        if np.abs(gradient / by_model).max() <= _GRADIENT_TOLERANCE and reach <= _STEP_TOLERANCE:
            inverse: FloatArray = cho_solve(factor, np.eye(models), check_finite=False)
            return SumFit(sides + step, information, inverse)
        # The length that is sure to climb; it tends to 1, so the end is quadratic.
        sides = sides + step * (math.log1p(reach) / reach)
    raise ArithmeticError(f"no maximum found in {_MAX_STEPS} Newton steps")


def sandwich(rows: SideSums, fit: SumFit) -> FloatArray:
    """The covariance of the estimates when votes are independent, shape (models, models)."""
    win = expit(fit.sides[rows.first] + fit.sides[rows.second])
    squares = rows.yes * (1 - win) ** 2 + rows.no * win**2
    meat = _information(rows.first, rows.second, squares, models=len(fit.sides))
    covariance: FloatArray = fit.inverse @ meat @ fit.inverse
    return covariance


def voter_jackknife(rows: SideSums, voter: IntArray, fit: SumFit) -> tuple[FloatArray, BoolArray]:
    """CR3: the covariance when votes of a voter belong together, and who has one, (models,).

    `voter` has shape (rows,), ascending. Each voter is left out by one Newton step from the full
    fit with the voter's information removed. A model whose estimate rests on one voter alone has no
    covariance that holds, and is taken as unmoved by that voter.
    """
    models = len(fit.sides)
    score, weight = _terms(rows, fit.sides)
    total, has_interval = np.zeros((models, models)), np.ones(models, dtype=np.bool_)
    numbers, starts = np.unique(voter, return_index=True)
    edges = np.append(starts, len(voter))
    for begin in range(0, len(numbers), _BLOCK_VOTERS):
        end = min(begin + _BLOCK_VOTERS, len(numbers))
        part = slice(edges[begin], edges[end])
        block = _VoterBlock(
            np.repeat(np.arange(end - begin), np.diff(edges[begin : end + 1])),
            rows.first[part],
            rows.second[part],
            score[part],
            weight[part],
            shape=(end - begin, models),
        )
        moves, exists = block.moves(fit)
        total += moves.T @ moves
        has_interval &= exists
    return total * (len(numbers) - 1) / len(numbers), has_interval


class _VoterBlock:
    """Some voters' scores and information, rows of `local` voter and two sides."""

    def __init__(
        self,
        local: IntArray,
        first: IntArray,
        second: IntArray,
        score: FloatArray,
        weight: FloatArray,
        *,
        shape: tuple[int, int],
    ) -> None:
        self.local, self.first, self.second = local, first, second
        self.score, self.weight, self.shape = score, weight, shape

    def moves(self, fit: SumFit) -> tuple[FloatArray, BoolArray]:
        """How far the estimates move without each voter, (voters, models), and whose do."""
        inverse, variance = fit.inverse, np.diag(fit.inverse)
        spread = variance[self.first] + variance[self.second]
        spread += 2 * inverse[self.first, self.second]
        leverage = np.bincount(self.local, self.weight * spread, self.shape[0])
        large = np.flatnonzero(leverage >= _LARGE_LEVERAGE)
        # (H - H_v) d = s by the series d = H⁻¹ (s + H_v d); its factor is the leverage. Those with
        # more are solved below; here they only must not overflow.
        first_step = self._scattered(self.score) @ inverse
        moves = first_step
        largest = float(leverage[leverage < _LARGE_LEVERAGE].max(initial=_SERIES_TOLERANCE))
        for _ in range(math.ceil(math.log(_SERIES_TOLERANCE) / math.log(largest))):
            gap = moves[self.local, self.first] + moves[self.local, self.second]
            moves = first_step + self._scattered(self.weight * gap) @ inverse
            moves[large] = 0.0
        exists = np.ones(self.shape[1], dtype=np.bool_)
        for voter in large.tolist():
            moves[voter], determined = self._exact_move(voter, fit)
            exists &= determined
        return moves, exists

    def _scattered(self, values: FloatArray) -> FloatArray:
        voters, models = self.shape
        flat = np.zeros(voters * models)
        for side in (self.first, self.second):
            flat += np.bincount(self.local * models + side, values, voters * models)
        return flat.reshape(self.shape)

    def _exact_move(self, voter: int, fit: SumFit) -> tuple[FloatArray, BoolArray]:
        models = self.shape[1]
        mine = self.local == voter
        own = self.first[mine], self.second[mine]
        left = fit.information - _information(*own, self.weight[mine], models=models)
        first, second = np.nonzero(np.triu(left > _ROUNDING * fit.information, k=1))
        met = np.ones(len(first), dtype=np.bool_)
        determined = determined_groups(first, second, met, met, models=models) == 0
        kept = np.flatnonzero(determined)
        move = np.zeros(models)
        if len(kept):
            score = by_side(*own, self.score[mine], models=models)
            move[kept] = np.linalg.solve(left[np.ix_(kept, kept)], score[kept])
        return move, determined


def _terms(rows: SideSums, sides: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Score and information of each row by its sum, shape (rows,)."""
    total = sides[rows.first] + sides[rows.second]
    yes, no = expit(total), expit(-total)
    return rows.yes * no - rows.no * yes, (rows.yes + rows.no) * yes * no


def _information(
    first: IntArray, second: IntArray, weights: FloatArray, *, models: int
) -> FloatArray:
    """The sum over rows of weight times (e_first + e_second)(e_first + e_second)'."""
    once = np.bincount(first * models + second, weights, models**2).reshape(models, models)
    matrix: FloatArray = (once + once.T).astype(np.float64, copy=False)
    matrix[np.diag_indices(models)] = matrix.sum(axis=1)
    return matrix
