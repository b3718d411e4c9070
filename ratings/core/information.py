"""What one more vote between two models is expected to teach about the ranking.

And with what probability to draw each pair for it. Beliefs about the models are normal and always
finite: a prior stands in for the votes that a new, an unbeaten or an unconnected model lacks. They
serve to choose pairs and are never published as ratings. Which models there are, and where votes
come from, is not known here.

Sources: the misordered pairs are Kendall's distance between the ranking and the truth; the update
by one vote is Sherman and Morrison 1950; choosing pairs by what they are expected to teach is
Chernoff 1959, and Chiang et al. 2024 (Chatbot Arena, section 5) for arenas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import erf, expit

from ratings.core.linear import laplacian, single_threaded_blas
from ratings.core.outcomes import FloatArray, IntArray, PairCounts

# Standard deviation, in log-odds, of what is believed of a model before its first vote (174
# points). The 129 models of the public Chatbot Arena votes of August 2024 spread by 0.61: a prior
# too wide costs a new model some votes, one too narrow would call it average.
PRIOR_SD = 1.0

# Share of the battles that are drawn uniformly: no pair is rarer than a fifth of its equal share,
# so no propensity weight exceeds five.
FLOOR = 0.2
# The gains of pairs differ little, since every vote teaches about all the models around: at 20
# models and 4,000 votes plain proportion saved 7 % of the votes and the fourth power 14 %. The pair
# of the largest gain alone saved 27 %, but its propensity weights were worth a fifth of the votes,
# and before the first refits it was worse than uniform pairs.
SHARPNESS = 4
# Two models that are equal stay in doubt for ever. Without a limit, four models of which two are
# equal had 82 % of the battles between those two, and a voter would know who answers.
LIMIT = 3.0

_TOLERANCE = 1e-8
_MAX_STEPS = 100


@dataclass(frozen=True, slots=True)
class Beliefs:
    """A normal belief about the models' log-odds.

    `log_odds` has shape (models,), `covariance` (models, models) in squared log-odds. It is of full
    rank, since the prior says where zero is.
    """

    log_odds: FloatArray
    covariance: FloatArray

    def of(self, rows: IntArray, *, prior_sd: float = PRIOR_SD) -> Beliefs:
        """The beliefs about some of the models, shape (m,); row -1 is a model never heard of."""
        known = rows >= 0
        log_odds = np.zeros(len(rows))
        log_odds[known] = self.log_odds[rows[known]]
        covariance = np.diag(np.full(len(rows), prior_sd**2))
        covariance[np.ix_(known, known)] = self.covariance[np.ix_(rows[known], rows[known])]
        return Beliefs(log_odds, covariance)


def no_beliefs() -> Beliefs:
    """Before the first vote: no model is known at all."""
    return Beliefs(np.empty(0), np.empty((0, 0)))


def beliefs_from_votes(pairs: PairCounts, *, models: int, prior_sd: float = PRIOR_SD) -> Beliefs:
    """The Bradley-Terry posterior by Laplace's approximation; a tie is half a win for either.

    The prior of each model is normal with mean zero and `prior_sd` log-odds, so a maximum exists
    for any votes. The covariance is the inverse of the information and the prior's precision.
    """
    wins, losses = pairs.wins_first + pairs.ties / 2, pairs.wins_second + pairs.ties / 2
    precision = np.eye(models) / prior_sd**2
    log_odds = np.zeros(models)
    with single_threaded_blas():
        for _ in range(_MAX_STEPS):
            gap = log_odds[pairs.first] - log_odds[pairs.second]
            win, loss = expit(gap), expit(-gap)
            residual = wins * loss - losses * win
            score = pairs.summed_by_model(residual, -residual, models=models)
            score -= log_odds / prior_sd**2
            information = laplacian(
                pairs.first, pairs.second, pairs.votes * win * loss, models=models
            )
            factor = cho_factor(information + precision, check_finite=False)
            step: FloatArray = cho_solve(factor, score, check_finite=False)
            # Two models move apart by at most twice this; the length is sure to climb, and
            # quadratic at the end (Sun and Tran-Dinh 2019, nu = 2).
            reach = 2 * float(np.max(np.abs(step), initial=0.0))
            if reach <= _TOLERANCE:
                break
            log_odds = log_odds + step * (math.log1p(reach) / reach)
        covariance: FloatArray = cho_solve(factor, np.eye(models), check_finite=False)
    return Beliefs(log_odds, covariance)


def pair_gains(beliefs: Beliefs) -> FloatArray:
    """How much one more vote between two models is expected to shorten the list of wrong orders.

    Shape (pairs,) over all pairs i < j in the order of `itertools.combinations`: the first-order
    fall of the expected number of misordered pairs of models, at least 0. A vote between i and j
    shrinks the variance of every gap k - l by the rank-one update with u = e_i - e_j,

        (v' S u)^2 / (1 / (p q) + u' S u),    v = e_k - e_l,  S the covariance,

    which is weighted by `doubt_weights` and summed over all k < l at once, as u' S L S u with the
    Laplacian L of the weights. O(models^3).
    """
    covariance = beliefs.covariance
    models = len(covariance)
    first, second = np.triu_indices(models, k=1)
    gap = beliefs.log_odds[first] - beliefs.log_odds[second]
    variance = _gap_variances(covariance, first, second)
    with single_threaded_blas():
        weights = laplacian(first, second, doubt_weights(gap, variance), models=models)
        taught = covariance @ weights @ covariance
    information = expit(gap) * expit(-gap)
    # Not over 1 / (p q) + u' S u: p q is zero where the winner is sure.
    gains: FloatArray = (
        _gap_variances(taught, first, second) * information / (1 + information * variance)
    )
    return np.maximum(gains, 0.0)


def drawing_probabilities(gains: FloatArray) -> FloatArray:
    """The probability of drawing each pair, shape (pairs,) as `gains`; positive, sums to one.

    FLOOR of it is the same for every pair. The rest follows the gains to the power SHARPNESS, but
    what a pair would get above LIMIT times its equal share goes to all pairs alike.
    """
    pairs = len(gains)
    largest = gains.max()
    if largest == 0:
        # Every order is settled beyond what a float can hold.
        return np.full(pairs, 1 / pairs)
    share = (gains / largest) ** SHARPNESS
    share = np.minimum(share / share.sum(), LIMIT / pairs) * (1 - FLOOR)
    probabilities: FloatArray = share + (1 - share.sum()) / pairs
    return probabilities


def doubt_weights(gap: FloatArray, variance: FloatArray) -> FloatArray:
    """How fast the expected misorder of a pair falls with the variance of its estimated gap.

    `gap` in log-odds and its `variance` have one shape, that of the result. An estimate of
    variance V of a true gap d has the wrong sign with the probability Phi(-|d| / sqrt(V)), whose
    derivative by V is phi(d / sqrt(V)) |d| / (2 V^1.5). The true gap is not known: averaged over
    d ~ N(gap, V), with z = gap / sqrt(V), that is

        exp(-z^2 / 4) (exp(-z^2 / 4) / sqrt(pi) + z / 2 erf(z / 2)) / (4 sqrt(pi) V).

    Large where the order is in doubt, and nothing where it is settled.
    """
    z = np.abs(gap) / np.sqrt(variance)
    tail = np.exp(-(z**2) / 4)
    weight: FloatArray = tail * (tail / math.sqrt(math.pi) + z / 2 * erf(z / 2))
    return weight / (4 * math.sqrt(math.pi) * variance)


def _gap_variances(matrix: FloatArray, first: IntArray, second: IntArray) -> FloatArray:
    """u' matrix u for u = e_first - e_second, shape (pairs,)."""
    diagonal = np.diag(matrix)
    result: FloatArray = diagonal[first] + diagonal[second] - 2 * matrix[first, second]
    return result
