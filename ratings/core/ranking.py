"""Ranks, and the ranges of ranks that the data leave open, from ratings and their covariance.

How ratings were fitted is not known here.

Source: simultaneous intervals of all pairwise differences by the studentized maximum (max-T) of
the estimates' joint normal distribution (Hothorn, Bretz and Westfall 2008; ranks from them as in
Mogstad, Romano, Shaikh and Wilhelm 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from ratings.core.bradley_terry import single_threaded_blas
from ratings.core.outcomes import BoolArray, FloatArray, IntArray

DRAWS = 10_000

# Ratings nearer than this many points share a rank: the fit itself is no finer.
_SAME_RATING = 1e-6


@dataclass(frozen=True, slots=True)
class Ranks:
    """Ranks of shape (models,), 1 is best; `low` is the best and `high` the worst rank left open.

    With the probability asked for, all true ranks lie in their ranges at once.
    """

    rank: IntArray
    low: IntArray
    high: IntArray


def simultaneous_ranks(
    ratings: FloatArray,
    covariance: FloatArray,
    has_interval: BoolArray,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int,
) -> Ranks:
    """Rank the models and bound their ranks.

    `ratings` has shape (models,), `covariance` (models, models) in the same unit squared. A model
    is surely better than another when the simultaneous interval of their difference excludes zero.
    A model without an interval is compared with nobody: it may take any rank, and it narrows no
    other range.
    """
    models = len(ratings)
    rank = rankdata(-np.round(ratings / _SAME_RATING), method="min").astype(np.int64)
    low = np.ones(models, dtype=np.int64)
    high = np.full(models, models, dtype=np.int64)
    # Drawn in the order of the ratings, so that the numbering of the models changes nothing.
    known = np.flatnonzero(has_interval)
    known = known[np.argsort(-ratings[known], kind="stable")]
    if len(known) >= 2:
        inner = covariance[np.ix_(known, known)]
        error = _difference_errors(inner)
        critical = _critical_value(inner, error, level=level, draws=draws, seed=seed)
        gap = ratings[known][:, None] - ratings[known][None, :]
        surely_better = gap > critical * error
        low[known] += surely_better.sum(axis=0)
        high[known] -= surely_better.sum(axis=1)
    return Ranks(rank=rank, low=low, high=high)


def _difference_errors(covariance: FloatArray) -> FloatArray:
    """Standard errors of all differences, shape (models, models)."""
    variance = np.diag(covariance)
    errors: FloatArray = np.sqrt(
        np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0.0)
    )
    return errors


def _critical_value(
    covariance: FloatArray, error: FloatArray, *, level: float, draws: int, seed: int
) -> float:
    """The quantile of the largest studentized difference under the joint normal distribution."""
    models = len(covariance)
    with single_threaded_blas():
        # A shift that all models share leaves every difference alone and makes the root exist.
        root = np.linalg.cholesky(covariance + np.trace(covariance) / models**2)
        normal = np.random.default_rng(seed).standard_normal((models, draws))
        estimates = (root @ normal).astype(np.float32)
    with np.errstate(divide="ignore"):
        precision = (1 / error).astype(np.float32)
    largest = np.zeros(draws, dtype=np.float32)
    for model in range(models - 1):
        gaps = estimates[model + 1 :] - estimates[model]
        np.abs(gaps, out=gaps)
        gaps *= precision[model, model + 1 :, None]
        np.maximum(largest, gaps.max(axis=0), out=largest)
    return float(np.quantile(largest, level, method="higher"))
