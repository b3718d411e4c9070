"""Bradley-Terry by Newton's method, with the sandwich covariance of the estimates.

Ties count as half a win for either side. How to choose models that can be rated together is not
known here: `ratings.core.connectivity` finds them.

Sources: Bradley and Terry 1952; Hunter 2004 (existence); Sun and Tran-Dinh 2019 (the damping);
White 1982 (the sandwich).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit
from threadpoolctl import ThreadpoolController

from ratings.core.connectivity import connectivity
from ratings.core.outcomes import BoolArray, FloatArray, IntArray, PairCounts

POINTS_PER_LOG_ODDS = 400 / math.log(10)
MEAN_RATING = 1000.0

# Largest derivative per vote, and last step in log-odds. Where one model wins nearly always the
# derivative alone is tiny long before the maximum; the last step is taken, and it is quadratic.
_GRADIENT_TOLERANCE = 1e-10
_STEP_TOLERANCE = 1e-8
_MAX_STEPS = 200


class NoFiniteFitError(ValueError):
    """The votes have no finite maximum: the models are not connected both ways."""


@dataclass(frozen=True, slots=True)
class BradleyTerryFit:
    """Ratings of a connected set of models.

    `log_odds` has shape (models,) and sums to zero: the difference of two is the logit of the
    probability that the first is preferred. `covariance` has shape (models, models), in squared
    log-odds, with rows that sum to zero, so that the variance of any difference is exact.
    `has_interval` has shape (models,): False where the votes that tie a model to the others never
    varied, so that they say nothing about its error. `gradient` is the largest derivative of the
    log-likelihood left, per vote of the model.
    """

    log_odds: FloatArray
    covariance: FloatArray
    has_interval: BoolArray
    steps: int
    gradient: float

    @property
    def ratings(self) -> FloatArray:
        """Ratings in points with mean 1000; 400 points are odds of ten to one."""
        return MEAN_RATING + POINTS_PER_LOG_ODDS * self.log_odds

    @property
    def ratings_covariance(self) -> FloatArray:
        """The covariance in squared points, shape (models, models)."""
        return POINTS_PER_LOG_ODDS**2 * self.covariance


def fit_bradley_terry(pairs: PairCounts, *, models: int) -> BradleyTerryFit:
    """Maximize the likelihood until the gradient per vote is at most 1e-10.

    Raises `NoFiniteFitError` when the votes do not determine finite ratings for all `models`.
    """
    if len(connectivity(pairs, models=models).rated) < models:
        raise NoFiniteFitError(
            f"wins and ties do not connect all {models} models both ways: rate a connected set"
        )
    with single_threaded_blas():
        log_odds, information, steps, gradient = _maximize(pairs, models)
        inverse = _inverse_on_differences(information)
        meat = _score_variance(pairs, log_odds)
        spread = _laplacian(pairs, meat, models)
        covariance = inverse @ spread @ inverse
    return BradleyTerryFit(
        log_odds=log_odds,
        covariance=(covariance + covariance.T) / 2,
        has_interval=_largest_varied_set(pairs, meat, models),
        steps=steps,
        gradient=gradient,
    )


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread: on busy cores two threads were 14 to 60 times slower than one."""
    with _threadpools().limit(limits=1, user_api="blas"):
        yield


@cache
def _threadpools() -> ThreadpoolController:
    return ThreadpoolController()


def _maximize(pairs: PairCounts, models: int) -> tuple[FloatArray, FloatArray, int, float]:
    """Log-odds that sum to zero, the information there, Newton steps, gradient per vote."""
    wins, losses = pairs.wins_first + pairs.ties / 2, pairs.wins_second + pairs.ties / 2
    votes_by_model = pairs.votes_by_model(models=models)
    log_odds = np.zeros(models)
    for steps in range(_MAX_STEPS):
        win, loss = _probabilities(pairs, log_odds)
        # Not wins less expected wins: those cancel where one model wins nearly always.
        residual = wins * loss - losses * win
        score = pairs.summed_by_model(residual, -residual, models=models)
        information = _laplacian(pairs, pairs.votes * win * loss, models)
        gradient = float(np.max(np.abs(score) / np.maximum(votes_by_model, 1), initial=0.0))
        step = _solve_on_differences(information, score)
        reach = float(np.max(np.abs(step[pairs.first] - step[pairs.second])))
        if gradient <= _GRADIENT_TOLERANCE and reach <= _STEP_TOLERANCE:
            return log_odds + step, information, steps + 1, gradient
        # The length that is sure to climb on a generalized self-concordant function
        # (Sun and Tran-Dinh 2019, nu = 2); it tends to 1, so the end is quadratic.
        log_odds = log_odds + step * (math.log1p(reach) / reach)
    raise NoFiniteFitError(f"no maximum found in {_MAX_STEPS} Newton steps")


def _probabilities(pairs: PairCounts, log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """That the first wins, and that the second does, each exact where the other is nearly 1."""
    gap = log_odds[pairs.first] - log_odds[pairs.second]
    return expit(gap), expit(-gap)


def _laplacian(pairs: PairCounts, weights: FloatArray, models: int) -> FloatArray:
    """The sum over pairs of weight times (e_i - e_j)(e_i - e_j)', shape (models, models)."""
    matrix = np.zeros((models, models))
    matrix[pairs.first, pairs.second] = -weights
    matrix[pairs.second, pairs.first] = -weights
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix


def _solve_on_differences(laplacian: FloatArray, right: FloatArray) -> FloatArray:
    """Solve on the vectors that sum to zero, where a connected Laplacian is regular."""
    models = len(laplacian)
    lift = float(np.trace(laplacian)) / models**2
    factor = cho_factor(laplacian + lift, check_finite=False)
    solution: FloatArray = cho_solve(factor, right, check_finite=False)
    solution -= solution.mean(axis=0)
    return solution


def _inverse_on_differences(laplacian: FloatArray) -> FloatArray:
    models = len(laplacian)
    centre = np.eye(models) - 1 / models
    return _solve_on_differences(laplacian, centre)


def _score_variance(pairs: PairCounts, log_odds: FloatArray) -> FloatArray:
    """Summed squared residuals of each pair's votes, shape (pairs,): votes are independent."""
    win, loss = _probabilities(pairs, log_odds)
    variance: FloatArray = (
        pairs.wins_first * loss**2 + pairs.wins_second * win**2 + pairs.ties * (0.5 - win) ** 2
    )
    return variance


def _largest_varied_set(pairs: PairCounts, meat: FloatArray, models: int) -> BoolArray:
    """The largest set of models that votes with some residual connect.

    Two models that only ever tied have equal ratings and squared residuals of zero. The formula
    would call their difference certain; in truth the votes carry no measure of its error.
    """
    varied = meat > 1e-12 * pairs.votes
    graph = csr_array(
        (np.ones(varied.sum()), (pairs.first[varied], pairs.second[varied])), shape=(models, models)
    )
    labels: IntArray = connected_components(graph, directed=False)[1]
    sizes = np.bincount(labels)
    largest = sizes.max(initial=0)
    if largest < 2:
        return np.zeros(models, dtype=np.bool_)
    return np.asarray(labels == sizes.argmax(), dtype=np.bool_)
