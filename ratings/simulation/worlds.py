"""An imagined arena: its models with their true skills, and how honest people vote on them.

Knows nothing of riggers. A voter's log-odds between two models are the difference of their skills
and of this voter's tastes; ties follow Davidson or Rao-Kupper, with the tie parameter solved so
that the votes tie as often as was asked.

Sources: Davidson 1970; Rao and Kupper 1967; docs/simulator.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS
from ratings.core.likelihoods import LIKELIHOODS
from ratings.core.outcomes import MAX_MODELS, BoolArray, FloatArray, IntArray

TieModel = Literal["davidson", "rao-kupper"]

# The tie parameter is solved on the gaps of at most this many pairs, evenly spaced by their size.
_MOST_GAPS = 5_000
# Nodes of the quadrature over the difference of two tastes; 20 and 40 agree to 1e-6 in the share.
_NODES = 20
_LARGEST_TIE = 60.0


class SimulationError(ValueError):
    """What was asked for cannot be simulated; the message is one line and says what to change."""


@dataclass(frozen=True)
class World:
    """Models, honest voters and the time in which they vote.

    - `spread`: standard deviation of the models' skills, in rating points; skills are normal
      quantiles, model 0 is the best. `tie_share`: expected share of ties among honest votes.
    - `taste_sd`: standard deviation of a voter's taste for a model, in log-odds.
    - `care_lapses`: mean share of an honest voter's votes that are careless clicks; each voter has
      a rate of its own, from a beta distribution with as many lapses in a hundred votes.
    - `activity_sd`: votes of a voter are log-normal with this standard deviation; 0: all alike.
    - `votes` of honest `voters` are spread over `days`; other kinds of voter add theirs.
    - `vote_share`: share of their battles that honest, lazy and position-biased voters vote on;
      they leave the others. `readiness_sd`: standard deviation of a voter's readiness to vote where
      a model is, in log-odds.
    - `gold_rate`: share of battles of which one answer was spoilt on purpose.
    - `target`: the model that riggers push; by default the middle one. With `variants` above 1 its
      provider has submitted that many copies of it, all equally good, numbered after the others.

    Raises SimulationError for numbers that make no arena.
    """

    models: int = 20
    voters: int = 500
    votes: int = 20_000
    spread: float = 140.0
    tie_share: float = 0.2
    tie_model: TieModel = "davidson"
    taste_sd: float = 0.3
    care_lapses: float = 0.05
    activity_sd: float = 1.0
    vote_share: float = 0.5
    readiness_sd: float = 0.5
    days: int = 30
    gold_rate: float = 0.0
    both_bad_share: float = 0.5
    variants: int = 1
    target: int | None = None

    def __post_init__(self) -> None:
        for name, least in (
            ("models", 2), ("voters", 1), ("votes", 1), ("days", 1), ("variants", 1),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise SimulationError(f"{name} is {getattr(self, name)}: give at least {least}")
        if self.contestants > MAX_MODELS:
            raise SimulationError(
                f"{self.contestants} models: at most {MAX_MODELS} can be rated at once"
            )
        for name in ("spread", "taste_sd", "activity_sd", "readiness_sd"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise SimulationError(f"{name} is {value}: give a number of at least 0")
        for name in ("tie_share", "care_lapses", "gold_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise SimulationError(
                    f"{name} is {getattr(self, name)}: give a share from 0 to below 1"
                )
        if not 0 < self.vote_share <= 1:
            raise SimulationError(f"vote_share is {self.vote_share}: give a share above 0, up to 1")
        if not 0 <= self.both_bad_share <= 1:
            raise SimulationError(
                f"both_bad_share is {self.both_bad_share}: give a share from 0 to 1"
            )
        if self.tie_model not in get_args(TieModel):
            raise SimulationError(
                f"tie_model is {self.tie_model!r}: give one of {', '.join(get_args(TieModel))}"
            )
        if self.target is not None and not 0 <= self.target < self.models:
            raise SimulationError(
                f"target is {self.target}: give a model from 0 to {self.models - 1}"
            )

    @property
    def contestants(self) -> int:
        """Models that votes are on, copies of the target included."""
        return self.models + self.variants - 1

    @property
    def pushed(self) -> int:
        """The model that riggers push."""
        return self.models // 2 if self.target is None else self.target

    @cached_property
    def submitted(self) -> BoolArray:
        """Which models are the target or a copy of it, shape (contestants,)."""
        submitted = np.arange(self.contestants) >= self.models
        submitted[self.pushed] = True
        return submitted

    @cached_property
    def skill(self) -> FloatArray:
        """True skills in log-odds with mean 0 over the models, shape (contestants,), falling."""
        places = -ndtri((np.arange(self.models) + 0.5) / self.models)
        skill = places / places.std() * self.spread / POINTS_PER_LOG_ODDS
        return np.append(skill, np.full(self.variants - 1, skill[self.pushed]))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """model-01 is the best; a copy of the target has the target's name and a number."""
        width = len(str(self.models))
        names = [f"model-{number + 1:0{width}}" for number in range(self.models)]
        copies = range(2, self.variants + 1)
        return (*names, *(f"{names[self.pushed]}-variant-{number}" for number in copies))

    @cached_property
    def tie(self) -> float | None:
        """The tie parameter of the likelihood; None where nobody ties."""
        if self.tie_share == 0:
            return None
        gaps, weights = self._gaps()
        likelihood = LIKELIHOODS[self.tie_model]

        def excess(tie: float) -> float:
            win, loss = likelihood.probabilities(gaps, tie)
            return float((1 - win - loss) @ weights) - self.tie_share

        least = -_LARGEST_TIE if self.tie_model == "davidson" else 0.0
        if excess(_LARGEST_TIE) < 0:
            raise SimulationError(
                f"tie_share is {self.tie_share}: models that differ so much do not tie so often"
            )
        return float(brentq(excess, least, _LARGEST_TIE, xtol=1e-10))

    def _gaps(self) -> tuple[FloatArray, FloatArray]:
        """Log-odds between pairs, tastes included, and how often each comes, shape (gaps,)."""
        first, second = np.triu_indices(self.contestants, k=1)
        gaps = np.sort(self.skill[first] - self.skill[second])
        if len(gaps) > _MOST_GAPS:
            gaps = gaps[np.linspace(0, len(gaps) - 1, _MOST_GAPS).round().astype(np.int64)]
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        # Two tastes differ by sqrt(2) times as much as one does.
        spread_out = gaps[:, None] + math.sqrt(2) * self.taste_sd * nodes
        shares = np.broadcast_to(weights / weights.sum() / len(gaps), spread_out.shape)
        return spread_out.ravel(), shares.ravel()

    def judged(self, gap: FloatArray, chance: FloatArray) -> IntArray:
        """Outcomes of careful votes at these log-odds, given uniform chances, shape (votes,).

        0 the first wins, 1 the second wins, 2 a tie.
        """
        if self.tie is None:
            win, loss = LIKELIHOODS["rao-kupper"].probabilities(gap, 0.0)
        else:
            win, loss = LIKELIHOODS[self.tie_model].probabilities(gap, self.tie)
        return np.where(chance < win, 0, np.where(chance < win + loss, 1, 2)).astype(np.int64)
