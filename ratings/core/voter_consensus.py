"""What the voters agree on: a Bradley-Terry fit of the decided votes, and what it is without one
voter.

Ties are left out and not halved: how often somebody cannot decide is theirs, and given that a vote
was decided the law of its winner does not depend on it (Davidson 1970). Knows nothing of who is
suspicious: whose votes make the consensus is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ratings.core.linear import laplacian, summed_by
from ratings.core.outcomes import BoolArray, FloatArray, IntArray

# A normal prior of the skills with this precision (a standard deviation of 3 in log-odds) keeps
# models finite that never lost or never met the others.
SKILL_PRECISION = 0.1
_STEPS = 50
_CONVERGED = 1e-8
# A Newton step in log-odds is no longer than this.
_LONGEST = 2.0


@dataclass(frozen=True, slots=True)
class DecidedVotes:
    """Votes that one model won; arrays of shape (votes,), sorted by voter.

    `won` is 1 where the model shown first won. Voter v cast the rows from `start[v]` to
    `start[v + 1]`.
    """

    first: IntArray
    second: IntArray
    won: FloatArray
    voter: IntArray
    start: IntArray
    models: int

    @property
    def voters(self) -> int:
        """How many voters are numbered, with decided votes or without."""
        return len(self.start) - 1


@dataclass(frozen=True, slots=True)
class Consensus:
    """The fit: `skill` in log-odds of shape (models,), `position` in log-odds for the first shown.

    `covariance` is the inverse information of the skills and `spread` what one unit of the
    variance of tastes adds to it, both of shape (models, models). `trusted`, shape (voters,), says
    whose votes it was made from.
    """

    skill: FloatArray
    position: float
    covariance: FloatArray
    spread: FloatArray
    trusted: BoolArray


def consensus_fit(votes: DecidedVotes, *, trusted: BoolArray) -> Consensus:
    """Fit the votes of the trusted voters by penalized maximum likelihood.

    The position effect is common to all voters; each voter's own is looked at elsewhere.
    """
    models = votes.models
    chosen = trusted[votes.voter]
    pair, place = np.unique(
        votes.first[chosen] * models + votes.second[chosen], return_inverse=True
    )
    first, second = pair // models, pair % models
    count = np.bincount(place, minlength=len(pair)).astype(np.float64)
    wins = np.bincount(place, weights=votes.won[chosen], minlength=len(pair))
    skill, position = np.zeros(models), 0.0
    precision = np.full(models + 1, SKILL_PRECISION)
    for _ in range(_STEPS):
        share = expit(skill[first] - skill[second] + position)
        residual, weight = wins - count * share, count * share * (1 - share)
        gradient = np.zeros(models + 1)
        gradient[:models] += summed_by(first, residual, models)
        gradient[:models] -= summed_by(second, residual, models)
        gradient[models] = residual.sum()
        gradient -= precision * np.append(skill, position)
        information = _information(first, second, weight, models) + np.diag(precision)
        step = np.linalg.solve(information, gradient)
        step *= min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-12))
        skill, position = skill + step[:models], position + float(step[models])
        if np.abs(step).max() < _CONVERGED:
            break
    share = expit(skill[first] - skill[second] + position)
    information = _information(first, second, count * share * (1 - share), models)
    skills = information[:models, :models] + np.diag(precision[:models])
    covariance = np.asarray(np.linalg.inv(skills), dtype=np.float64)
    squares = _summed_squares(votes, chosen, skill, position)
    return Consensus(skill, position, covariance, covariance @ squares @ covariance, trusted)


def _information(first: IntArray, second: IntArray, weight: FloatArray, models: int) -> FloatArray:
    """Of skills and position, shape (models + 1, models + 1)."""
    table = np.zeros((models + 1, models + 1))
    table[:models, :models] = laplacian(first, second, weight, models=models)
    edge = summed_by(first, weight, models) - summed_by(second, weight, models)
    table[:models, models] = table[models, :models] = edge
    table[models, models] = weight.sum()
    return table


def _summed_squares(
    votes: DecidedVotes, chosen: BoolArray, skill: FloatArray, position: float
) -> FloatArray:
    """The sum over voters of their information of the skills, squared; shape (models, models)."""
    total = np.zeros((votes.models, votes.models))
    share = expit(skill[votes.first] - skill[votes.second] + position)
    weight = share * (1 - share)
    for voter in np.flatnonzero(np.diff(votes.start)):
        rows = slice(votes.start[voter], votes.start[voter + 1])
        if not chosen[rows.start]:
            continue
        met, place = np.unique(
            np.concatenate([votes.first[rows], votes.second[rows]]), return_inverse=True
        )
        half = len(place) // 2
        own = laplacian(place[:half], place[half:], weight[rows], models=len(met))
        total[np.ix_(met, met)] += own @ own
    return total
