"""The rows of standings, filled set by set; what is never filled stays missing, with a reason.

Knows how estimates become ratings, intervals and ranks, and nothing of how they are made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm, rankdata

from ratings.core.bradley_terry import MEAN_RATING, POINTS_PER_LOG_ODDS
from ratings.core.connectivity import Connectivity
from ratings.core.estimates import Estimates
from ratings.core.outcomes import BoolArray, FloatArray, IntArray
from ratings.core.ranking import rank_ranges

NO_ERROR = "its votes do not vary, which leaves its error unknown: no interval yet"
# A standard error below what the fit itself may be off, in log-odds, is that of no votes.
_LEAST_ERROR = 1e-8
ALL_OR_NOTHING = "has won or lost every battle so far: no finite rating yet"


@dataclass(frozen=True, slots=True)
class Effect:
    """Something other than a model that moves votes, in log-odds; NaN where there is no number."""

    name: str
    value: float
    se: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Standings:
    """What the votes say of each model; every array has shape (models,) but `covariance`.

    Numbers that do not exist are NaN (`rating`, `se`, `lower`, `upper`) or 0 (the ranks and the
    tier), and `reasons` says why in one line; it is "" where nothing is missing. `group` numbers
    the groups that no chain of votes connects, -1 without votes; only models of one group are ever
    ranked. `covariance` (models, models) is that of the mean-centred ratings in squared points, NaN
    across groups and where there is none; intervals from it are Student's t with
    `degrees_of_freedom` (infinite: normal). `effects` and `degrees_of_freedom` are those of the
    first set that was rated. `dropped` votes were left out of the fit.
    """

    method: str
    rating: FloatArray
    se: FloatArray
    lower: FloatArray
    upper: FloatArray
    rank: IntArray
    rank_low: IntArray
    rank_high: IntArray
    tier: IntArray
    votes: IntArray
    group: IntArray
    groups: int
    reasons: tuple[str, ...]
    covariance: FloatArray
    degrees_of_freedom: float
    effects: tuple[Effect, ...]
    dropped: int
    notes: tuple[str, ...]


@dataclass
class StandingTable:
    """Standings in the making."""

    method: str
    connectivity: Connectivity
    votes: IntArray
    dropped: int
    level: float
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        models = len(self.votes)
        self.rating, self.se, self.lower, self.upper = np.full((4, models), np.nan)
        self.rank, self.rank_low, self.rank_high, self.tier = np.zeros((4, models), dtype=np.int64)
        self.covariance = np.full((models, models), np.nan)
        self.reasons = list(self.connectivity.reasons)
        self.effects: tuple[Effect, ...] = ()
        self.degrees_of_freedom = math.inf
        self._filled = False

    def fill(
        self, rated: IntArray, found: Estimates, *, simultaneous: bool, draws: int, seed: int
    ) -> None:
        """Write what was estimated for the models `rated`, shape (rated,).

        Where no interval was asked for there are no ranges of ranks either.
        """
        models = len(rated)
        error, lower, upper = found.interval(self.level)
        known = found.has_interval & (error[:models] > _LEAST_ERROR)
        self.rating[rated] = MEAN_RATING + POINTS_PER_LOG_ODDS * found.found.log_odds
        for column, values in (
            (self.se, POINTS_PER_LOG_ODDS * error),
            (self.lower, MEAN_RATING + POINTS_PER_LOG_ODDS * lower),
            (self.upper, MEAN_RATING + POINTS_PER_LOG_ODDS * upper),
        ):
            column[rated[known]] = values[:models][known]
        for model, reason in zip(rated, found.reasons, strict=True):
            self.reasons[model] = reason
        for model in rated[found.has_interval & ~known]:
            self.reasons[model] = NO_ERROR
        self._rank(rated, found, known, simultaneous=simultaneous, draws=draws, seed=seed)
        if not self._filled:
            self._filled = True
            self.degrees_of_freedom = found.degrees_of_freedom
            ends = zip(error[models:], lower[models:], upper[models:], strict=True)
            self.effects = tuple(
                Effect(name, float(value), *map(float, numbers))
                for name, value, numbers in zip(
                    found.effect_names, found.found.effects, ends, strict=True
                )
            )
        if found.failed_replicates:
            self.notes.append(
                f"{found.failed_replicates} rounds of the bootstrap had no finite maximum and are "
                "left out: intervals of the models that made them fail are too narrow."
            )

    def _rank(
        self,
        rated: IntArray,
        found: Estimates,
        known: BoolArray,
        *,
        simultaneous: bool,
        draws: int,
        seed: int,
    ) -> None:
        models = len(rated)
        covariance = np.zeros((models, models))
        if found.covariance is not None:
            covariance = POINTS_PER_LOG_ODDS**2 * found.covariance[:models, :models]
            inner = np.flatnonzero(known)
            self.covariance[np.ix_(rated[inner], rated[inner])] = covariance[np.ix_(inner, inner)]
        ranks = rank_ranges(
            self.rating[rated],
            covariance,
            known,
            level=self.level,
            degrees_of_freedom=found.degrees_of_freedom,
            simultaneous=simultaneous,
            draws=draws,
            seed=seed,
        )
        self.rank[rated] = ranks.rank
        if found.interval_asked:
            self.rank_low[rated], self.rank_high[rated] = ranks.low, ranks.high
            self.tier[rated] = ranks.tier

    def fill_descriptive(self, rated: IntArray, log_odds: FloatArray, se: FloatArray) -> None:
        """Write numbers that no model of the votes stands behind: ranks, but no ranges of them.

        `log_odds` and `se` have shape (rated,), NaN where there is none; ratings get mean 1000.
        """
        finite = np.isfinite(log_odds)
        self.refuse(rated[~finite], ALL_OR_NOTHING)
        shown = rated[finite]
        if not len(shown):
            return
        points = POINTS_PER_LOG_ODDS * (log_odds[finite] - log_odds[finite].mean())
        self.rating[shown] = MEAN_RATING + points
        self.rank[shown] = rankdata(-points, method="min")
        self.se[shown] = POINTS_PER_LOG_ODDS * se[finite]
        half = norm.ppf((1 + self.level) / 2) * self.se[shown]
        self.lower[shown], self.upper[shown] = self.rating[shown] - half, self.rating[shown] + half

    def refuse(self, rated: IntArray, why: str) -> None:
        """Say of these models why they are not rated after all."""
        for model in rated:
            self.reasons[model] = why

    def finished(self) -> Standings:
        notes = list(dict.fromkeys(self.notes))
        if self.connectivity.groups > 1:
            notes.append(
                f"The votes form {self.connectivity.groups} groups of models that no chain of "
                "votes connects; models of different groups cannot be compared."
            )
        return Standings(
            method=self.method,
            rating=self.rating,
            se=self.se,
            lower=self.lower,
            upper=self.upper,
            rank=self.rank,
            rank_low=self.rank_low,
            rank_high=self.rank_high,
            tier=self.tier,
            votes=self.votes,
            group=self.connectivity.group,
            groups=self.connectivity.groups,
            reasons=tuple(self.reasons),
            covariance=self.covariance,
            degrees_of_freedom=self.degrees_of_freedom,
            effects=self.effects,
            dropped=self.dropped,
            notes=tuple(notes),
        )
