"""Standings: outcome cells in, one row of numbers or one reason a model out.

Puts connectivity, the fit and the ranks together; knows neither names nor where votes come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from ratings.core.bradley_terry import fit_bradley_terry
from ratings.core.connectivity import connectivity
from ratings.core.outcomes import BothBad, FloatArray, IntArray, OutcomeCells
from ratings.core.ranking import DRAWS, simultaneous_ranks

NO_INTERVAL = "only ties connect it to the other models so far: no interval yet"


@dataclass(frozen=True, slots=True)
class Standings:
    """What the votes say of each model; every array has shape (models,).

    Numbers that do not exist are NaN (`rating`, `se`, `lower`, `upper`) or 0 (the ranks), and
    `reasons` says why in one line; it is "" where nothing is missing. `group` numbers the groups
    that no chain of votes connects, -1 without votes; only models of one set are ever ranked.
    """

    rating: FloatArray
    se: FloatArray
    lower: FloatArray
    upper: FloatArray
    rank: IntArray
    rank_low: IntArray
    rank_high: IntArray
    votes: IntArray
    group: IntArray
    groups: int
    reasons: tuple[str, ...]


def standings(
    cells: OutcomeCells,
    *,
    both_bad: BothBad = "tie",
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Standings:
    """Rate and rank what can be, and say of the rest why not.

    Ratings have mean 1000 over the rated models; `se`, `lower` and `upper` belong to the
    mean-centred rating and hold one model at a time, the rank ranges hold for all at once.
    """
    models = cells.models
    pairs = cells.pairs(both_bad)
    found = connectivity(pairs, models=models)
    rating, se, lower, upper = (np.full(models, np.nan) for _ in range(4))
    rank, rank_low, rank_high = (np.zeros(models, dtype=np.int64) for _ in range(3))
    reasons = list(found.reasons)
    rated = found.rated
    if len(rated):
        fit = fit_bradley_terry(cells.restricted_to(rated).pairs(both_bad), models=len(rated))
        rating[rated] = fit.ratings
        ranks = simultaneous_ranks(
            fit.ratings,
            fit.ratings_covariance,
            fit.has_interval,
            level=level,
            draws=draws,
            seed=seed,
        )
        rank[rated], rank_low[rated], rank_high[rated] = ranks.rank, ranks.low, ranks.high
        known = rated[fit.has_interval]
        se[known] = np.sqrt(np.diag(fit.ratings_covariance)[fit.has_interval])
        half_width = norm.ppf((1 + level) / 2) * se
        lower, upper = rating - half_width, rating + half_width
        for model in rated[~fit.has_interval]:
            reasons[model] = NO_INTERVAL
    return Standings(
        rating=rating,
        se=se,
        lower=lower,
        upper=upper,
        rank=rank,
        rank_low=rank_low,
        rank_high=rank_high,
        votes=pairs.votes_by_model(models=models).astype(np.int64),
        group=found.group,
        groups=found.groups,
        reasons=tuple(reasons),
    )
