"""Bradley-Terry with independent votes: the fit that most callers want, in one call.

Ties count as half a win for either side. How it is fitted is told in `ratings.core.fitting`.

Sources: Bradley and Terry 1952; Hunter 2004 (existence); White 1982 (the sandwich).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ratings.core.comparisons import PairComparisons
from ratings.core.connectivity import connectivity
from ratings.core.fitting import NoFiniteFitError, PairedFit, fit, sandwich
from ratings.core.likelihoods import LIKELIHOODS, squared_scores
from ratings.core.outcomes import BoolArray, FloatArray, IntArray, PairCounts

POINTS_PER_LOG_ODDS = 400 / math.log(10)
MEAN_RATING = 1000.0


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
    comparisons = PairComparisons(pairs, models)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])
    return BradleyTerryFit(
        log_odds=found.log_odds,
        covariance=sandwich(comparisons, found),
        has_interval=varied_set(pairs, found),
        steps=found.steps,
        gradient=found.gradient,
    )


def varied_set(pairs: PairCounts, found: PairedFit) -> BoolArray:
    """The largest set of models that votes with some residual connect, shape (models,).

    Two models that only ever tied have equal ratings and squared residuals of zero. The formula
    would call their difference certain; in truth the votes carry no measure of its error.
    """
    models = found.models
    gap = found.log_odds[pairs.first] - found.log_odds[pairs.second]
    squares = squared_scores(
        found.likelihood, gap, found.tie, pairs.wins_first, pairs.wins_second, pairs.ties
    ).information
    varied = squares > 1e-12 * pairs.votes
    graph = csr_array(
        (np.ones(varied.sum()), (pairs.first[varied], pairs.second[varied])), shape=(models, models)
    )
    labels: IntArray = connected_components(graph, directed=False)[1]
    sizes = np.bincount(labels)
    largest = sizes.max(initial=0)
    if largest < 2:
        return np.zeros(models, dtype=np.bool_)
    return np.asarray(labels == sizes.argmax(), dtype=np.bool_)
