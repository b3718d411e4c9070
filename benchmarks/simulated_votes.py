"""Votes of people with tastes of their own, and the ratings that intervals ought to cover.

Each voter rates each model by its strength and a taste, drawn once, so that votes of one voter
belong together. Bradley-Terry is then not the true law: what a fit estimates, and an interval has
to cover, is the Bradley-Terry model nearest to the votes of the whole population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtri

from ratings.core.bradley_terry import fit_bradley_terry
from ratings.core.outcomes import FloatArray, IntArray, Outcome, PairCounts, Votes

# Nodes of the quadrature over two voters' worth of taste; 40 and 80 agree to 1e-9 points.
_NODES = 80


@dataclass(frozen=True, slots=True)
class Population:
    """Who votes on what.

    `taste_sd` is in log-odds, of each voter for each model. A voter's activity is log-normal with
    standard deviation `activity_sd`; at 0 all cast as many votes. `ties` is the share of votes that
    are ties whatever the models, half of them both bad. Strengths are normal quantiles with the
    standard deviation `spread`, in log-odds. All pairs are equally likely.
    """

    voters: int
    votes: int
    taste_sd: float
    activity_sd: float
    models: int = 10
    spread: float = 0.7
    ties: float = 0.2

    @property
    def strength(self) -> FloatArray:
        """Log-odds of the models for a voter without tastes, shape (models,), falling."""
        places = (np.arange(self.models) + 0.5) / self.models
        strength: FloatArray = -self.spread * ndtri(places)
        return strength


def projection(population: Population) -> FloatArray:
    """Ratings in points of the population's Bradley-Terry projection, shape (models,).

    The fit of the expected share of wins of each pair, over all tastes: the limit of the ratings
    for ever more voters (White 1982).
    """
    strength = population.strength
    first, second = np.triu_indices(population.models, k=1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    # Two tastes differ by sqrt(2) times as much as one does.
    tastes = np.sqrt(2) * population.taste_sd * nodes
    gaps = (strength[first] - strength[second])[:, None] + tastes
    share = expit(gaps) @ weights / weights.sum()
    decided = 1 - population.ties
    pairs = PairCounts(
        first=first,
        second=second,
        wins_first=decided * share,
        wins_second=decided * (1 - share),
        ties=np.full(len(first), population.ties),
    )
    return fit_bradley_terry(pairs, models=population.models).ratings


def draw(population: Population, random: np.random.Generator) -> tuple[Votes, IntArray]:
    """Votes of new voters with new tastes, and the voter of each vote, shape (votes,)."""
    models, votes = population.models, population.votes
    voter = _voters(population, random)
    taste = population.taste_sd * random.standard_normal((population.voters, models))
    worth = population.strength + taste
    model_a = random.integers(0, models, votes)
    model_b = (model_a + random.integers(1, models, votes)) % models
    gap = worth[voter, model_a] - worth[voter, model_b]
    outcome = np.where(random.random(votes) < expit(gap), Outcome.A_WINS, Outcome.B_WINS)
    tied = random.random(votes) < population.ties
    outcome[tied] = random.integers(Outcome.TIE, Outcome.BOTH_BAD + 1, int(tied.sum()))
    return Votes(model_a, model_b, outcome, models), voter


def _voters(population: Population, random: np.random.Generator) -> IntArray:
    if population.activity_sd == 0:
        return np.arange(population.votes) % population.voters
    activity = np.exp(population.activity_sd * random.standard_normal(population.voters))
    share = activity.cumsum() / activity.sum()
    return np.searchsorted(share, random.random(population.votes), side="right")
