"""How often the battles of a model end "both bad", whoever its opponents were.

logit P(both bad | i, j) = a + q_i + q_j, and the q of models that can be compared sum to zero.
A model's rate is standardized to uniform opponents: its mean probability against every
other model of its group, each once. Why a battle ended so is not known here.

Sources: logistic regression and its marginal rates by direct standardization (Agresti 2013,
chapters 5 and 6); intervals by the delta method on the logit scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t as student

from ratings.core.both_bad_logistic import (
    SideSums,
    by_side,
    determined_groups,
    fit_sums,
    sandwich,
    voter_jackknife,
)
from ratings.core.clusters import FEWEST_CLUSTERS, effective_clusters
from ratings.core.connectivity import NO_VOTES
from ratings.core.estimates import TOO_FEW_VOTERS
from ratings.core.linear import single_threaded_blas
from ratings.core.outcomes import (
    FloatArray,
    IntArray,
    Outcome,
    OutcomeCells,
    VoteDataError,
    Votes,
)

NEVER = "none of its battles ended both bad so far: no finite estimate yet"
ALWAYS = "all of its battles ended both bad so far: no finite estimate yet"
UNDETERMINED = "its votes do not tell its part in both bad from that of its opponents"
ONE_VOTER = "one voter alone connects it to the other models: no interval yet"


@dataclass(frozen=True, slots=True)
class BothBadFit:
    """What the votes say of "both bad" for each model; arrays have shape (models,) unless told.

    `share` is the raw share of the model's `votes` that ended both bad, NaN without votes. `rate`
    is the standardized one, with `lower` and `upper`; `tendency` is q, the log-odds by which the
    model adds to both bad. They are NaN where they do not exist, and `reasons` says why ("" where
    nothing is missing). `group` numbers the comparable groups in falling size, -1 without an
    estimate; rates of different groups have different opponents. `intercept` (a) and
    `degrees_of_freedom` (infinite: votes taken as independent) have shape (groups,).
    """

    share: FloatArray
    rate: FloatArray
    lower: FloatArray
    upper: FloatArray
    tendency: FloatArray
    votes: IntArray
    group: IntArray
    intercept: FloatArray
    degrees_of_freedom: FloatArray
    reasons: tuple[str, ...]


def both_bad_rates(
    votes: Votes | OutcomeCells,
    *,
    voter: NDArray[np.integer[Any]] | None = None,
    level: float = 0.95,
) -> BothBadFit:
    """Estimate the rate of both bad of every model that has one.

    Intervals hold one model at a time. With `voter`, integers of shape (votes,), votes of one voter
    belong together: CR3 and Student's t on N² / Σ n² - 1 degrees of freedom, and none below 10
    effective voters. Raises VoteDataError for voters that do not fit the votes.
    """
    if not 0 < level < 1:
        raise VoteDataError(f"level {level} is not between 0 and 1")
    cells = votes if isinstance(votes, OutcomeCells) else votes.cells()
    models = cells.models
    pairs = _pairs(cells)
    ballots = None if voter is None else _ballots(votes, voter)
    group = determined_groups(pairs.first, pairs.second, pairs.yes > 0, pairs.no > 0, models=models)
    groups = int(group.max(initial=-1)) + 1
    ended = by_side(pairs.first, pairs.second, pairs.yes, models=models)
    total = by_side(pairs.first, pairs.second, pairs.yes + pairs.no, models=models)
    reasons = _reasons(ended, total, group)
    rate, lower, upper, tendency = (np.full(models, np.nan) for _ in range(4))
    intercept, freedom = np.empty(groups), np.empty(groups)
    for number in range(groups):
        inside = np.flatnonzero(group == number)
        place = np.full(models, -1)
        place[inside] = np.arange(len(inside))
        with single_threaded_blas():
            found = _estimate(pairs, ballots, place)
        sides = found.sides
        intercept[number], freedom[number] = 2 * sides.mean(), found.degrees_of_freedom
        tendency[inside] = sides - sides.mean()
        rate[inside], error = _standardized(sides, found.covariance)
        half_width = student.ppf((1 + level) / 2, found.degrees_of_freedom) * error
        known = np.array([not reason for reason in found.reasons])
        lower[inside[known]] = expit(logit(rate[inside]) - half_width)[known]
        upper[inside[known]] = expit(logit(rate[inside]) + half_width)[known]
        for model, reason in zip(inside, found.reasons, strict=True):
            reasons[model] = reason
    return BothBadFit(
        share=np.divide(ended, total, out=np.full(models, np.nan), where=total > 0),
        rate=rate,
        lower=lower,
        upper=upper,
        tendency=tendency,
        votes=total.astype(np.int64),
        group=group,
        intercept=intercept,
        degrees_of_freedom=freedom,
        reasons=tuple(reasons),
    )


@dataclass(frozen=True, slots=True)
class _Ballots:
    """Votes of each voter and pair: `rows`, and the `voter` of each, ascending from 0."""

    rows: SideSums
    voter: IntArray


@dataclass(frozen=True, slots=True)
class _Estimate:
    """One group: a / 2 + q of each model, their covariance, and why a model has no interval."""

    sides: FloatArray
    covariance: FloatArray
    degrees_of_freedom: float
    reasons: list[str]


def _estimate(pairs: SideSums, ballots: _Ballots | None, place: IntArray) -> _Estimate:
    rows, _ = pairs.among(place)
    models = int(place.max()) + 1
    fit = fit_sums(rows, models=models)
    if ballots is None:
        return _Estimate(fit.sides, sandwich(rows, fit), math.inf, [""] * models)
    cast, kept = ballots.rows.among(place)
    voter = ballots.voter[kept]
    effective = effective_clusters(voter, weight=cast.yes + cast.no)
    if effective < FEWEST_CLUSTERS:
        nothing = np.full((models, models), np.nan)
        return _Estimate(fit.sides, nothing, effective - 1, [TOO_FEW_VOTERS] * models)
    covariance, has_interval = voter_jackknife(cast, voter, fit)
    reasons = ["" if known else ONE_VOTER for known in has_interval]
    return _Estimate(fit.sides, covariance, effective - 1, reasons)


def _standardized(sides: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean probability against each of the others, and the standard error of its logit."""
    others = len(sides) - 1
    probability = expit(sides[:, None] + sides[None, :])
    np.fill_diagonal(probability, 0.0)
    rate = probability.sum(axis=1) / others
    gradient = probability * (1 - probability) / others
    gradient[np.diag_indices(others + 1)] = gradient.sum(axis=1)
    variance = np.einsum("ij,jk,ik->i", gradient, covariance, gradient, optimize=True)
    return rate, np.sqrt(variance) / (rate * (1 - rate))


def _reasons(ended: FloatArray, total: FloatArray, group: IntArray) -> list[str]:
    def reason(model: int) -> str:
        if group[model] >= 0:
            return ""
        if total[model] == 0:
            return NO_VOTES
        if ended[model] == 0:
            return NEVER
        if ended[model] == total[model]:
            return ALWAYS
        return UNDETERMINED

    return [reason(model) for model in range(len(group))]


def _pairs(cells: OutcomeCells) -> SideSums:
    counts = cells.counts + cells.counts.transpose(1, 0, 2)
    votes = counts.sum(axis=2)
    first, second = np.nonzero(np.triu(votes))
    yes = counts[first, second, Outcome.BOTH_BAD].astype(np.float64)
    return SideSums(first, second, yes, votes[first, second] - yes)


def _ballots(votes: Votes | OutcomeCells, voter: NDArray[np.integer[Any]]) -> _Ballots:
    if isinstance(votes, OutcomeCells):
        raise VoteDataError("voters need single votes, not counts of them")
    if voter.shape != (len(votes),):
        raise VoteDataError(f"voter has shape {voter.shape}, not ({len(votes)},)")
    if not np.issubdtype(voter.dtype, np.integer):
        raise VoteDataError(f"voter holds {voter.dtype}, not integers")
    voters, number = np.unique(voter, return_inverse=True)
    model_a, model_b = (side.astype(np.int64) for side in (votes.model_a, votes.model_b))
    shape = (len(voters), votes.models, votes.models)
    key = np.ravel_multi_index(
        (number, np.minimum(model_a, model_b), np.maximum(model_a, model_b)), shape
    )
    rows, place, total = np.unique(key, return_inverse=True, return_counts=True)
    yes = np.zeros(len(rows))
    yes += np.bincount(place, votes.outcome == Outcome.BOTH_BAD, len(rows))
    owner, first, second = np.unravel_index(rows, shape)
    return _Ballots(SideSums(first, second, yes, total - yes), owner)
