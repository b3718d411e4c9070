"""Ranks, the ranges of ranks that the data leave open, and tiers, from ratings and covariance.

How ratings were fitted is not known here.

Source: simultaneous intervals of all pairwise differences by the studentized maximum (max-T) of
the estimates' joint normal or t distribution (Hothorn, Bretz and Westfall 2008; ranks from them as
in Mogstad, Romano, Shaikh and Wilhelm 2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student

from ratings.core.linear import single_threaded_blas
from ratings.core.outcomes import BoolArray, FloatArray, IntArray

DRAWS = 10_000

# Ratings nearer than this many points share a rank: the fit itself is no finer.
SAME_RATING = 1e-6
# Share of two variances that subtracting their covariance leaves of rounding alone.
_ROUNDING = 1e-12
# So many numbers, draws of all models, are worked on at once, so as to stay in the cache.
_BLOCK_NUMBERS = 1 << 21
# Draws that must lie beyond a quantile for it to be one.
_FEWEST_BEYOND = 20

# The joint t distribution divides all differences by one estimated spread. Those of clustered
# errors each err by themselves, so that the largest one is larger: with 50 to 1,000 voters of very
# unequal activity and equal models, ranges held 91 to 94 % of the time, and 93.5 to 94 % with this
# share of the degrees of freedom (benchmarks/coverage.py).
_SHARE_OF_FREEDOM = 0.7


@dataclass(frozen=True, slots=True)
class Ranks:
    """Ranks of shape (models,), 1 is best; `low` is the best and `high` the worst rank left open.

    With the probability asked for, all true ranks lie in their ranges at once (or, pointwise, the
    differences of any one pair lie in their interval). `tier` counts from 1: a tier holds the best
    model that no tier holds yet, and all that are not surely worse than it.
    """

    rank: IntArray
    low: IntArray
    high: IntArray
    tier: IntArray


def rank_ranges(
    ratings: FloatArray,
    covariance: FloatArray,
    has_interval: BoolArray,
    *,
    level: float = 0.95,
    degrees_of_freedom: float = math.inf,
    simultaneous: bool = True,
    draws: int = DRAWS,
    seed: int,
) -> Ranks:
    """Rank the models and bound their ranks.

    `ratings` has shape (models,), `covariance` (models, models) in the same unit squared. A model
    is surely better than another when the interval of their difference excludes zero: the
    simultaneous one over all pairs with an interval, or with `simultaneous=False` that of the pair
    alone. A model without an interval is compared with nobody: it may take any rank, and it narrows
    no other range. Nor are two models compared whose difference has no variance but rounding: the
    data carry no measure of its error.
    """
    models = len(ratings)
    rank = rankdata(-np.round(ratings / SAME_RATING), method="min").astype(np.int64)
    low = np.ones(models, dtype=np.int64)
    high = np.full(models, models, dtype=np.int64)
    surely_better = np.zeros((models, models), dtype=np.bool_)
    # Drawn in the order of the ratings, so that the numbering of the models changes nothing.
    known = np.flatnonzero(has_interval)
    known = known[np.argsort(-ratings[known], kind="stable")]
    if len(known) >= 2:
        inner = covariance[np.ix_(known, known)]
        error = _difference_errors(inner)
        if simultaneous:
            # One pair is Student's own case.
            share = _SHARE_OF_FREEDOM if len(known) > 2 else 1.0
            critical = _critical_value(
                inner, error, level=level, df=share * degrees_of_freedom, draws=draws, seed=seed
            )
        else:
            critical = float(student.ppf((1 + level) / 2, degrees_of_freedom))
        gap = ratings[known][:, None] - ratings[known][None, :]
        surely_better[np.ix_(known, known)] = gap > critical * error
    # Ratings that share a rank for being nearly equal may yet be told apart.
    low = np.minimum(low + surely_better.sum(axis=0), rank)
    high = np.maximum(high - surely_better.sum(axis=1), rank)
    return Ranks(rank=rank, low=low, high=high, tier=_tiers(ratings, surely_better))


def _tiers(ratings: FloatArray, surely_better: BoolArray) -> IntArray:
    tier = np.zeros(len(ratings), dtype=np.int64)
    number = 0
    for leader in np.argsort(-ratings, kind="stable"):
        if tier[leader] == 0:
            number += 1
            tier[(tier == 0) & ~surely_better[leader]] = number
    return tier


def _difference_errors(covariance: FloatArray) -> FloatArray:
    """Standard errors of all differences, infinite where there is none, shape (models, models)."""
    variance = np.diag(covariance)
    total = variance[:, None] + variance[None, :]
    squares = total - 2 * covariance
    squares[squares <= _ROUNDING * total] = np.inf
    errors: FloatArray = np.sqrt(squares)
    return errors


def _critical_value(
    covariance: FloatArray, error: FloatArray, *, level: float, df: float, draws: int, seed: int
) -> float:
    """The quantile of the largest studentized difference under the joint distribution.

    Bonferroni's bound instead where so few draws lie beyond it that they do not tell where it is.
    """
    models = len(covariance)
    if draws * (1 - level) < _FEWEST_BEYOND:
        pairs = models * (models - 1) / 2
        return float(student.isf((1 - level) / (2 * pairs), df))
    random = np.random.default_rng(seed)
    with single_threaded_blas():
        # By eigenvalues: a clustered covariance has no more rank than there are clusters.
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        normal = random.standard_normal((models, draws))
        estimates = (root @ normal).astype(np.float32)
    precision = (1 / error).astype(np.float32)
    largest = np.zeros(draws, dtype=np.float32)
    width = _BLOCK_NUMBERS // models
    for start in range(0, draws, width):
        part = slice(start, start + width)
        block = np.ascontiguousarray(estimates[:, part])
        for model in range(models - 1):
            gaps = block[model + 1 :] - block[model]
            np.abs(gaps, out=gaps)
            gaps *= precision[model, model + 1 :, None]
            np.maximum(largest[part], gaps.max(axis=0), out=largest[part])
    spread = np.sqrt(random.chisquare(df, draws) / df) if math.isfinite(df) else 1.0
    return float(np.quantile(largest / spread, level, method="higher"))
