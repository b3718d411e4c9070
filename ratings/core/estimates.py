"""One connected set of models, rated: estimates, their covariance, and how intervals follow.

Which models can be rated together, and how they rank, is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from ratings.core.bootstrap import bootstrap_bradley_terry
from ratings.core.bradley_terry import varied_set
from ratings.core.clusters import (
    FEWEST_CLUSTERS,
    FEWEST_OF_A_MODEL,
    clustered_covariance,
    effective_clusters,
    effective_clusters_by_model,
    multiplier_bootstrap,
)
from ratings.core.comparisons import Comparisons, PairComparisons, VoteComparisons
from ratings.core.fitting import PairedFit, Shrinkage, fit, sandwich, shrinkage_covariance
from ratings.core.likelihoods import LIKELIHOODS
from ratings.core.outcomes import (
    BoolArray,
    BothBad,
    FloatArray,
    IntArray,
    OutcomeCells,
    Votes,
)
from ratings.core.refits import one_step_bootstrap, refit_bootstrap

TOO_FEW_VOTERS = "too few voters for an interval"
ONE_VOTER = "one voter alone connects it to the other models: no interval yet"
NO_REPLICATES = "too few rounds of the bootstrap have a finite maximum: no interval"
NO_INTERVAL = "only ties connect it to the other models so far: no interval yet"

# Share of the rounds of a bootstrap that must have a finite maximum for it to give intervals.
_LEAST_FINITE = 0.9


@dataclass(frozen=True, slots=True)
class Sample:
    """The votes to be rated, of models that are all connected.

    `cells` always; `votes` where single votes are needed, for `clusters` (each of shape (votes,))
    or `features` (votes, features). Votes that do not count are left out of all of them.
    """

    cells: OutcomeCells
    votes: Votes | None = None
    clusters: tuple[IntArray, ...] = ()
    features: FloatArray | None = None
    weights: FloatArray | None = None

    def restricted_to(self, models: IntArray) -> Sample:
        """The votes among these models, renumbered from 0 in that order."""
        if self.cells.models == len(models):
            return self
        weights = None if self.weights is None else self.weights[np.ix_(models, models)]
        cells = self.cells.restricted_to(models)
        if self.votes is None:
            return Sample(cells=cells, weights=weights)
        number = np.full(self.cells.models, -1, dtype=np.int32)
        number[models] = np.arange(len(models))
        a, b = number[self.votes.model_a], number[self.votes.model_b]
        rows = np.flatnonzero((a >= 0) & (b >= 0))
        return Sample(
            cells=cells,
            votes=Votes(a[rows], b[rows], self.votes.outcome[rows], len(models)),
            clusters=tuple(cluster[rows] for cluster in self.clusters),
            features=None if self.features is None else self.features[rows],
            weights=weights,
        )


@dataclass(frozen=True, slots=True)
class Estimates:
    """Estimates in log-odds: models (summing to zero), then effects.

    `covariance` has shape (models + effects,) twice, or is None where no interval was asked for or
    there are too few voters; `reasons` says for each model why it has no interval, "" where it has.
    `effective_clusters` has a number for each way that the votes were clustered.
    `replicates`, shape (rounds, models + effects), are those of a bootstrap.
    """

    found: PairedFit
    effect_names: tuple[str, ...]
    has_interval: BoolArray
    reasons: tuple[str, ...]
    covariance: FloatArray | None = None
    degrees_of_freedom: float = math.inf
    effective_clusters: tuple[float, ...] = ()
    interval_asked: bool = True
    replicates: FloatArray | None = None
    failed_replicates: int = 0

    @property
    def values(self) -> FloatArray:
        return np.concatenate([self.found.log_odds, self.found.effects])

    def interval(self, level: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Standard errors, lower and upper ends of models and effects; NaN without a covariance."""
        nothing = np.full(len(self.values), np.nan)
        if self.covariance is None:
            return nothing, nothing, nothing
        error = np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        if self.replicates is not None:
            tail = (1 - level) / 2
            ends = np.quantile(self.replicates, [tail, 1 - tail], axis=0)
            # Few clusters widen the replicates' own distribution as they widen the normal one.
            wider = student.isf(tail, self.degrees_of_freedom) / norm.isf(tail)
            lower, upper = self.values + wider * (ends - self.values)
            return error, lower, upper
        half = student.ppf((1 + level) / 2, self.degrees_of_freedom) * error
        return error, self.values - half, self.values + half


def estimate(
    sample: Sample,
    *,
    method: str,
    interval: str,
    both_bad: BothBad,
    position: bool,
    shrinkage: Shrinkage,
    feature_names: Sequence[str],
    rounds: int,
    seed: int,
) -> Estimates:
    """Fit, and measure the error; raises NoFiniteFitError where no finite maximum exists."""
    likelihood = LIKELIHOODS[method]
    models = sample.cells.models
    pairs = (sample.cells.ordered_pairs if position else sample.cells.pairs)(both_bad)
    by_pair = PairComparisons(pairs, models, sample.weights, position)
    found = fit(by_pair, likelihood=likelihood, shrinkage=shrinkage)
    by_vote = None
    if sample.votes is not None:
        by_vote = VoteComparisons(sample.votes, sample.features, sample.weights, position)
        if sample.features is not None:
            found = fit(by_vote, likelihood=likelihood, shrinkage=shrinkage, start=found.log_odds)
    comparisons: Comparisons = by_pair if by_vote is None or sample.features is None else by_vote
    names = (*feature_names, *(["position"] if position else []))
    if likelihood.has_tie:
        names = (*names, "tie")
    varied = varied_set(pairs, found)
    result = Estimates(
        found=found,
        effect_names=names,
        has_interval=varied,
        reasons=tuple(np.where(varied, "", NO_INTERVAL).tolist()),
    )
    if interval == "none":
        return replace(
            result,
            has_interval=np.zeros(models, dtype=np.bool_),
            reasons=("",) * models,
            interval_asked=False,
        )
    if by_vote is not None and sample.clusters:
        result = _clustered(result, by_vote, sample.clusters, interval, rounds, seed)
        return _with_shrinkage(result, shrinkage)
    if interval == "sandwich":
        return _with_shrinkage(replace(result, covariance=sandwich(comparisons, found)), shrinkage)
    if by_vote is not None and sample.features is not None:
        draws = one_step_bootstrap(by_vote, found, rounds=rounds, seed=seed)
    elif names:
        draws = refit_bootstrap(by_pair, found, shrinkage=shrinkage, rounds=rounds, seed=seed)
    else:
        replicates = bootstrap_bradley_terry(
            pairs,
            models=models,
            rounds=rounds,
            seed=seed,
            weights=sample.weights,
            shrinkage=shrinkage,
        )
        draws = replicates.log_odds[replicates.finite]
    return _with_replicates(result, draws, rounds)


def _with_shrinkage(result: Estimates, shrinkage: Shrinkage) -> Estimates:
    if not shrinkage or result.covariance is None or result.replicates is not None:
        return result
    added = shrinkage_covariance(result.found, shrinkage)
    return replace(result, covariance=result.covariance + added)


def _with_replicates(result: Estimates, draws: FloatArray, rounds: int) -> Estimates:
    # The rounds that are missing are those of the widest errors.
    if len(draws) < max(2, _LEAST_FINITE * rounds):
        return replace(
            result,
            has_interval=np.zeros(result.found.models, dtype=np.bool_),
            reasons=(NO_REPLICATES,) * result.found.models,
            failed_replicates=rounds - len(draws),
        )
    return replace(
        result,
        replicates=draws,
        covariance=np.atleast_2d(np.cov(draws, rowvar=False)),
        failed_replicates=rounds - len(draws),
    )


def _clustered(
    result: Estimates,
    comparisons: VoteComparisons,
    clusters: Sequence[IntArray],
    interval: str,
    rounds: int,
    seed: int,
) -> Estimates:
    counts = tuple(effective_clusters(cluster) for cluster in clusters)
    result = replace(result, effective_clusters=counts)
    if counts[0] < FEWEST_CLUSTERS:
        return replace(
            result,
            has_interval=np.zeros(result.found.models, dtype=np.bool_),
            reasons=(TOO_FEW_VOTERS,) * result.found.models,
        )
    models = result.found.models
    # Too few prompts tell nothing of other prompts: what is left holds for these alone.
    ways = [c for c, count in zip(clusters, counts, strict=True) if count >= FEWEST_CLUSTERS]
    spread = clustered_covariance(comparisons, result.found, ways)
    reasons = np.where(spread.has_interval[:models], result.reasons, ONE_VOTER)
    enough = effective_clusters_by_model(comparisons.votes, clusters[0]) >= FEWEST_OF_A_MODEL
    reasons = np.where(enough | (reasons != ""), reasons, TOO_FEW_VOTERS)
    # What one cluster alone tells of an effect is its value, and nothing of its error.
    lone = models + np.flatnonzero(~spread.has_interval[models:])
    spread.covariance[lone, :] = spread.covariance[:, lone] = np.nan
    result = replace(
        result,
        has_interval=result.has_interval & spread.has_interval[:models] & enough,
        reasons=tuple(reasons.tolist()),
        covariance=spread.covariance,
        degrees_of_freedom=spread.degrees_of_freedom,
    )
    if interval != "bootstrap":
        return result
    draws = multiplier_bootstrap(comparisons, result.found, clusters[0], rounds=rounds, seed=seed)
    draws[:, lone] = np.nan
    return _with_replicates(result, draws, rounds)
