"""Maximum likelihood of paired comparisons by Newton's method, and what the votes say of its error.

One fit serves Bradley-Terry, Davidson and Rao-Kupper, with or without effects on the gap (position,
style features), a prior and weights. How to choose models that can be rated together is not known
here: `ratings.core.connectivity` finds them.

Sources: Hunter 2004 (existence); Sun and Tran-Dinh 2019 (the damping); White 1982 (the sandwich).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford, connected_components
from scipy.special import expit

from ratings.core.comparisons import Block, Comparisons
from ratings.core.likelihoods import Likelihood, Terms, squared_scores
from ratings.core.linear import (
    DifferenceSystem,
    SingularError,
    centred,
    centred_covariance,
    laplacian_of,
    single_threaded_blas,
    summed_by,
)
from ratings.core.outcomes import FloatArray

# Largest derivative per vote, and last step in log-odds. Where one model wins nearly always the
# derivative alone is tiny long before the maximum; the last step is taken, and it is quadratic.
_GRADIENT_TOLERANCE = 1e-10
_STEP_TOLERANCE = 1e-8
_MAX_STEPS = 200
_SMALL_REACH = 1e-2
# Odds of e^30 for a single vote are no estimate but the way to an infinite one.
_LARGEST_GAP = 30.0


class NoFiniteFitError(ValueError):
    """The votes have no finite maximum."""


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """What pulls ratings together; both are off at 0.

    `prior`: virtual votes of each model against one average player, half of them won. `ridge`: half
    of it times the sum of the squared log-odds is taken from the log-likelihood.
    """

    prior: float = 0.0
    ridge: float = 0.0

    def __bool__(self) -> bool:
        return self.prior > 0 or self.ridge > 0

    def score(self, log_odds: FloatArray) -> FloatArray:
        result: FloatArray = self.prior * (0.5 - expit(log_odds)) - self.ridge * log_odds
        return result

    def information(self, log_odds: FloatArray) -> FloatArray:
        """The diagonal, shape (models,)."""
        result: FloatArray = self.prior * expit(log_odds) * expit(-log_odds) + self.ridge
        return result


@dataclass(frozen=True, slots=True)
class PairedFit:
    """The maximum.

    `log_odds` has shape (models,) and sums to zero: the difference of two is the logit of the
    probability that the first is preferred (where ties are outcomes of their own: to the second).
    `effects` has shape (effects,): those on the gap, then the tie parameter if there is one.
    `information` is the negated second derivative there, shape (models + effects,) twice, and
    `system` its factorization. `gradient` is the largest derivative left, per vote of the model.
    """

    likelihood: Likelihood
    log_odds: FloatArray
    effects: FloatArray
    information: FloatArray
    system: DifferenceSystem
    steps: int
    gradient: float

    @property
    def models(self) -> int:
        return len(self.log_odds)

    @property
    def tie(self) -> float:
        """The tie parameter; 0 where the likelihood has none."""
        return float(self.effects[-1]) if self.likelihood.has_tie else 0.0

    def terms(self, block: Block) -> Terms:
        """The derivatives of a block's rows at the maximum, weights left out."""
        gap = block.gap(self.log_odds, self.effects)
        return self.likelihood.terms(gap, self.tie, block.wins, block.losses, block.ties)


class BorderedMatrix:
    """Sums of information over rows: a Laplacian of models, bordered by the effects.

    Shape (models + effects,) twice; effects are those on the gap, then the tie parameter.
    """

    def __init__(self, *, models: int, effects: int) -> None:
        self._models = models
        self._pairs = np.zeros(models * models)
        self._border = np.zeros((models, effects))
        self._corner = np.zeros((effects, effects))

    def add(self, block: Block, terms: Terms, *, power: int = 1) -> None:
        """Add a block's terms, times its weights to the power given."""
        weights = block.weighted(terms.information, power)
        self._pairs += summed_by(
            block.first * self._models + block.second, weights, len(self._pairs)
        )
        columns = 0
        if block.design is not None:
            columns = block.design.shape[1]
            design = block.design * weights[:, None]
            self._corner[:columns, :columns] += design.T @ block.design
            self._border[:, :columns] += block.by_model(design, self._models)
        if terms.cross_information is not None and terms.tie_information is not None:
            cross = block.weighted(terms.cross_information, power)
            self._border[:, -1] += block.by_model(cross, self._models)
            self._corner[-1, -1] += block.weighted(terms.tie_information, power).sum()
            if block.design is not None:
                side = block.design.T @ cross
                self._corner[:columns, -1] += side
                self._corner[-1, :columns] += side

    def matrix(self) -> FloatArray:
        models = self._models
        upper = laplacian_of(self._pairs.reshape(models, models))
        return np.block([[upper, self._border], [self._border.T, self._corner]])


def score_vector(block: Block, terms: Terms, *, models: int, effects: int) -> FloatArray:
    """The first derivative by models and effects, weights included, shape (models + effects,)."""
    score = np.zeros(models + effects)
    weighted = block.weighted(terms.score)
    score[:models] = block.by_model(weighted, models)
    if block.design is not None:
        score[models : models + block.design.shape[1]] = block.design.T @ weighted
    if terms.tie_score is not None:
        score[-1] = block.weighted(terms.tie_score).sum()
    return score


def fit(
    comparisons: Comparisons,
    *,
    likelihood: Likelihood,
    shrinkage: Shrinkage | None = None,
    start: FloatArray | None = None,
) -> PairedFit:
    """Maximize the likelihood until the gradient per vote is at most 1e-10.

    `start` are log-odds to begin from, shape (models,). Raises `NoFiniteFitError` when the votes do
    not determine finite numbers for all models and effects; that the models are connected both ways
    is for the caller to see to.
    """
    shrinkage = shrinkage or Shrinkage()
    models, effects = comparisons.models, comparisons.effects + likelihood.has_tie
    votes = _votes(comparisons, effects=effects)
    if start is None:
        start = np.zeros(models) if comparisons.single else _start(comparisons)
    log_odds = start - start.mean()
    extra = np.zeros(effects)
    if likelihood.has_tie:
        extra[-1] = _tie_start(comparisons, likelihood, shrunk=bool(shrinkage))
    shift_free = not shrinkage
    largest = np.zeros(comparisons.effects)
    with single_threaded_blas():
        for steps in range(_MAX_STEPS):
            score = np.zeros(models + effects)
            information = BorderedMatrix(models=models, effects=effects)
            tie = float(extra[-1]) if likelihood.has_tie else 0.0
            for block in comparisons.blocks():
                gap = block.gap(log_odds, extra)
                if comparisons.single and float(np.max(np.abs(gap))) > _LARGEST_GAP:
                    raise NoFiniteFitError("models and features tell the votes apart completely")
                terms = likelihood.terms(gap, tie, block.wins, block.losses, block.ties)
                score += score_vector(block, terms, models=models, effects=effects)
                information.add(block, terms)
                if steps == 0 and block.design is not None:
                    largest = np.maximum(largest, np.abs(block.design).max(axis=0))
            matrix = information.matrix()
            if shrinkage:
                score[:models] += shrinkage.score(log_odds)
                diagonal = np.arange(models)
                matrix[diagonal, diagonal] += shrinkage.information(log_odds)
            gradient = float(np.max(np.abs(score) / votes, initial=0.0))
            try:
                system = DifferenceSystem(matrix, models=models, shift_free=shift_free)
            except SingularError as error:
                raise NoFiniteFitError(str(error)) from None
            step = system.solve(score)
            reach, length = _step_length(comparisons, step, largest, likelihood, tie)
            log_odds = log_odds + length * step[:models]
            extra = extra + length * step[models:]
            if gradient <= _GRADIENT_TOLERANCE and reach <= _STEP_TOLERANCE:
                return PairedFit(
                    likelihood=likelihood,
                    log_odds=centred(log_odds, models=models),
                    effects=extra,
                    information=matrix,
                    system=system,
                    steps=steps + 1,
                    gradient=gradient,
                )
    raise NoFiniteFitError(f"no maximum found in {_MAX_STEPS} Newton steps")


def _start(comparisons: Comparisons) -> FloatArray:
    """Log-odds near the maximum, shape (models,): least squares on the logits of the pairs' shares.

    Half a win is added to either side of a pair, so that every logit is finite.
    """
    models = comparisons.models
    weights, target = BorderedMatrix(models=models, effects=0), np.zeros(models)
    for block in comparisons.blocks():
        won, votes = block.wins + block.ties / 2 + 0.5, block.wins + block.losses + block.ties + 1
        share = won / votes
        weight = block.weighted(votes * share * (1 - share))
        gap = np.log(won) - np.log(votes - won)
        weights.add(replace(block, weight=None, design=None), Terms(gap, weight))
        target += block.by_model(weight * gap, models)
    try:
        with single_threaded_blas():
            return DifferenceSystem(weights.matrix(), models=models, shift_free=True).solve(target)
    except SingularError:
        return np.zeros(models)


def sandwich(comparisons: Comparisons, result: PairedFit) -> FloatArray:
    """The covariance of models and effects when votes are independent, (models + effects,) twice.

    The rows of the models sum to zero, so that the variance of any difference is exact. What
    shrinks the ratings is in the bread and not in the filling, see `shrinkage_covariance`.
    """
    effects = len(result.effects)
    filling = BorderedMatrix(models=result.models, effects=effects)
    for block in comparisons.blocks():
        filling.add(block, _products(comparisons, result, block), power=2)
    with single_threaded_blas():
        inverse = result.system.inverse()
        covariance = inverse @ filling.matrix() @ inverse
    return centred_covariance(covariance, models=result.models)


def shrinkage_covariance(result: PairedFit, shrinkage: Shrinkage) -> FloatArray:
    """What a prior or ridge adds to the covariance of the votes, (models + effects,) twice.

    A shrunk estimate moves less with the votes, and is off by what it was shrunk: the information
    of the prior is added to the filling as if its virtual votes had been cast. Where the votes are
    as the model says, the sum is the covariance of the posterior, the inverse information.
    """
    added = np.zeros(len(result.information))
    added[: result.models] = shrinkage.information(result.log_odds)
    with single_threaded_blas():
        inverse = result.system.inverse()
        covariance = (inverse * added) @ inverse
    return centred_covariance(covariance, models=result.models)


def _products(comparisons: Comparisons, result: PairedFit, block: Block) -> Terms:
    if not comparisons.single:
        gap = block.gap(result.log_odds, result.effects)
        return squared_scores(
            result.likelihood, gap, result.tie, block.wins, block.losses, block.ties
        )
    terms = result.terms(block)
    if terms.tie_score is None:
        return Terms(terms.score, terms.score**2)
    return Terms(
        terms.score,
        terms.score**2,
        terms.tie_score,
        terms.score * terms.tie_score,
        terms.tie_score**2,
    )


def _votes(comparisons: Comparisons, *, effects: int) -> FloatArray:
    """What derivatives are divided by, positive, shape (models + effects,).

    Weighted votes of each model, of all for the tie parameter; and those of a feature in its own
    unit, so that the unit does not decide when the fit is good enough.
    """
    models, columns = comparisons.models, comparisons.effects
    votes = np.zeros(models + effects)
    for block in comparisons.blocks():
        weighted = block.weighted(block.wins + block.losses + block.ties)
        votes[:models] += summed_by(block.first, weighted, models)
        votes[:models] += summed_by(block.second, weighted, models)
        if block.design is not None:
            votes[models : models + columns] += weighted @ np.abs(block.design)
    votes[models + columns :] = votes[:models].sum() / 2
    votes[votes == 0] = 1.0
    return votes


def _tie_start(comparisons: Comparisons, likelihood: Likelihood, *, shrunk: bool) -> float:
    models = comparisons.models
    won, tied = np.zeros((2, models * models))
    for block in comparisons.blocks():
        forth, back = block.first * models + block.second, block.second * models + block.first
        won += summed_by(forth, block.weighted(block.wins), len(won))
        won += summed_by(back, block.weighted(block.losses), len(won))
        tied += summed_by(forth, block.weighted(block.ties), len(won))
    ties, votes = float(tied.sum()), float(won.sum() + tied.sum())
    if not 0 < ties < votes:
        raise NoFiniteFitError(
            f"{likelihood.name} needs ties and decided votes: "
            f"{'there are no ties' if ties == 0 else 'there are only ties'}"
        )
    if not shrunk and not _wins_outnumber_ties_on_a_cycle(
        won.reshape(models, models), tied.reshape(models, models)
    ):
        raise NoFiniteFitError(
            f"{likelihood.name} needs a circle of votes with more wins than ties on it"
        )
    return likelihood.start(ties / votes)


def _wins_outnumber_ties_on_a_cycle(won: FloatArray, tied: FloatArray) -> bool:
    """Whether ratings and tie parameter cannot run off together.

    `won` has row against column, `tied` either way, both of shape (models, models).

    They can where some log-odds put every winner at least 1 above the loser and every tied pair at
    most 1 apart: stretched for ever, together with the tie parameter, they make no vote less
    likely. Such a system of differences has a solution exactly when its graph (-1 from winner to
    loser, +1 both ways between tied models) has no negative cycle (Bellman 1958).
    """
    # Nearly always some wins alone go in a circle, which is quickly seen.
    if connected_components(csr_array(won > 0), connection="strong")[0] < len(won):
        return True
    graph = np.where(won > 0, -1.0, np.where(tied + tied.T > 0, 1.0, 0.0))
    try:
        bellman_ford(csr_array(graph), indices=0)
    except NegativeCycleError:
        return True
    return False


def _step_length(
    comparisons: Comparisons,
    step: FloatArray,
    largest: FloatArray,
    likelihood: Likelihood,
    tie: float,
) -> tuple[float, float]:
    """How far the step reaches in log-odds, and what share of it is sure to climb.

    The length for generalized self-concordant functions (Sun and Tran-Dinh 2019, nu = 2); it tends
    to 1, so the end is quadratic. `largest` is the largest number of each effect's design: where
    that bounds the reach to next to nothing, no row is looked at.
    """
    models = comparisons.models
    columns = slice(models, models + comparisons.effects)
    reach = float(np.ptp(step[:models]) + np.abs(step[columns]) @ largest)
    if reach > _SMALL_REACH:
        reach = 0.0
        for block in comparisons.blocks():
            gap = block.gap(step[:models], step[models:])
            reach = max(reach, float(np.max(np.abs(gap), initial=0.0)))
    if likelihood.has_tie:
        reach += abs(float(step[-1])) * likelihood.tie_curvature(tie)
    return reach, math.log1p(reach) / reach if reach else 1.0
