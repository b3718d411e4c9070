"""Moves ratings so that one model has a given rating, with intervals of differences to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.stats import t as student

from ratings.core.standings import Standings


class NoAnchorError(ValueError):
    """The model cannot be an anchor; the message is the reason."""


def anchored(standings: Standings, model: int, rating: float, *, level: float) -> Standings:
    """Ratings of the anchor's group shifted so that `model` has `rating`.

    `lower` and `upper` are then of the difference to the anchor, by the covariance of both, and so
    the anchor's own have no width; where there is no covariance they are NaN. `se` stays that of
    the mean-centred rating. Other groups keep their mean of 1000, since nothing relates them to the
    anchor. Raises NoAnchorError when the model has no rating.
    """
    if np.isnan(standings.rating[model]):
        raise NoAnchorError(standings.reasons[model])
    inside = standings.group == standings.group[model]
    shifted = standings.rating + (rating - standings.rating[model])
    covariance = standings.covariance
    spread = np.diag(covariance) + covariance[model, model] - 2 * covariance[model]
    half = student.ppf((1 + level) / 2, standings.degrees_of_freedom) * np.sqrt(
        np.maximum(spread, 0.0)
    )
    half[model] = 0.0 if np.isfinite(standings.se[model]) else np.nan
    return replace(
        standings,
        rating=np.where(inside, shifted, standings.rating),
        lower=np.where(inside, shifted - half, standings.lower),
        upper=np.where(inside, shifted + half, standings.upper),
    )
