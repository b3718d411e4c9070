"""A board's votes in, standings out: what a publication and its verification have in common.

Everything that the numbers follow from, besides the votes, stands in `parameters` and the seed,
which a snapshot keeps. Knows nothing of the database.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import t as student

from ratings.board_votes import FEATURES, BoardVotes, VoteRows
from ratings.core import standing_notes
from ratings.core.bradley_terry import MEAN_RATING
from ratings.core.outcomes import BothBad
from ratings.core.ranking import DRAWS, rank_ranges
from ratings.core.standings import Standings, standings

METHOD = "bradley-terry"
BOTH_BAD: BothBad = "tie"
LEVEL = 0.95
SEED = 20_260_101

CLUSTERED = "sandwich, votes clustered"
"""Read from every single vote."""

WIDENED = "sandwich, widened as the votes' clusters last asked for"
"""From the cells alone: all variances times one factor that an earlier clustered fit gave."""

Parameters = Mapping[str, Any]


def parameters_clustered(rows: VoteRows) -> dict[str, Any]:
    """How single votes are rated: by voter, and by prompt too where prompts repeat."""
    repeats = len(np.unique(rows.prompt)) < len(rows.prompt)
    features: list[str] = []
    if rows.features is not None:
        # A difference that no two answers have says nothing, and leaves nothing to estimate.
        features = [
            name for name, column in zip(FEATURES, rows.features.T, strict=True) if column.any()
        ]
    return {
        **parameters_common(CLUSTERED),
        "clusters": ["voter", "prompt"] if repeats else ["voter"],
        "features": features,
    }


def parameters_widened(*, factor: float, degrees_of_freedom: float) -> dict[str, Any]:
    """How cells alone are rated, when an earlier fit told what clusters do to the variances."""
    return {
        **parameters_common(WIDENED),
        "variance_factor": factor,
        "degrees_of_freedom": degrees_of_freedom,
        "features": [],
    }


def parameters_common(interval: str) -> dict[str, Any]:
    """What does not follow from the votes."""
    return {
        "both_bad": BOTH_BAD,
        "level": LEVEL,
        "mean": MEAN_RATING,
        "points_per_factor_of_ten_in_odds": 400,
        "interval": interval,
        "rank_range": "simultaneous pairwise differences (max-T)",
        "draws": DRAWS,
    }


def board_fit(votes: BoardVotes, *, method: str, parameters: Parameters, seed: int) -> Standings:
    """Rate a board as `parameters` say.

    Where they speak of single votes (clusters, features) and only the cells are known, ratings are
    the same but for style, and there are no intervals.
    """
    options: dict[str, Any] = {
        "method": method,
        "both_bad": parameters["both_bad"],
        "level": parameters["level"],
        "draws": parameters["draws"],
        "seed": seed,
    }
    if parameters["interval"] == CLUSTERED:
        if votes.rows is None or not len(votes.rows.outcome):
            return standings(votes.cells, interval="none", **options)
        columns = {"voter": votes.rows.voter, "prompt": votes.rows.prompt}
        features = None
        if parameters["features"] and votes.rows.features is not None:
            features = votes.rows.features[:, [FEATURES.index(n) for n in parameters["features"]]]
        return standings(
            votes.single_votes(),
            clusters=[
                np.unique(columns[name], return_inverse=True)[1] for name in parameters["clusters"]
            ],
            features=features,
            feature_names=parameters["features"] if features is not None else (),
            **options,
        )
    if parameters["interval"] == WIDENED:
        # Ranks are drawn below, from the widened covariance; two draws are the fewest there are.
        return _widened(standings(votes.cells, **{**options, "draws": 2}), parameters, seed)
    return standings(votes.cells, **options)


def variance_factor(votes: BoardVotes, clustered: Standings) -> float | None:
    """What clusters multiply the variances by, the mean over models; None where none has both."""
    independent = standings(votes.cells, both_bad=BOTH_BAD, level=LEVEL, draws=2)
    ratio = (clustered.se / independent.se) ** 2
    known = ratio[np.isfinite(ratio)]
    return float(known.mean()) if len(known) else None


def _widened(result: Standings, parameters: Parameters, seed: int) -> Standings:
    factor, freedom = parameters["variance_factor"], parameters["degrees_of_freedom"]
    covariance = result.covariance * factor
    se = result.se * math.sqrt(factor)
    half = student.ppf((1 + parameters["level"]) / 2, freedom) * se
    rated = np.flatnonzero(~np.isnan(result.rating))
    ranks = rank_ranges(
        result.rating[rated],
        covariance[np.ix_(rated, rated)],
        ~np.isnan(se[rated]),
        level=parameters["level"],
        degrees_of_freedom=freedom,
        draws=parameters["draws"],
        seed=seed,
    )
    low, high = result.rank_low.copy(), result.rank_high.copy()
    low[rated], high[rated] = ranks.low, ranks.high
    return replace(
        result,
        se=se,
        lower=result.rating - half,
        upper=result.rating + half,
        rank_low=low,
        rank_high=high,
        covariance=covariance,
        degrees_of_freedom=freedom,
        notes=tuple(note for note in result.notes if note != standing_notes.INDEPENDENT),
    )
