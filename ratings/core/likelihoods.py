"""What a vote says under each model of paired comparison: Bradley-Terry, Davidson, Rao-Kupper.

Each likelihood is a function of the gap (log-odds between the first and the second model, effects
included) and of one tie parameter, where it has one. Which models met is not known here.

Sources: Bradley and Terry 1952; Davidson 1970 (section 2); Rao and Kupper 1967 (section 3). All
three are log-concave in gap and tie, so that Newton's method has one place to go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit

from ratings.core.outcomes import FloatArray


def both_ways(gap: FloatArray) -> tuple[FloatArray, FloatArray]:
    """1 / (1 + exp(-gap)) and 1 / (1 + exp(gap)), each exact where the other is nearly 1.

    One exponential for both, and numpy's own: several times as fast as two of `expit` of scipy.
    """
    less = np.exp(-np.abs(gap))
    more = 1 / (1 + less)
    less *= more
    ahead = gap >= 0
    return np.where(ahead, more, less), np.where(ahead, less, more)


@dataclass(frozen=True, slots=True)
class Terms:
    """Derivatives of the log-likelihood of each row, all of shape (rows,).

    `score` and `information` are the first and the negated second derivative by the gap; those by
    the tie parameter and across are None where the likelihood has none.
    """

    score: FloatArray
    information: FloatArray
    tie_score: FloatArray | None = None
    cross_information: FloatArray | None = None
    tie_information: FloatArray | None = None


class Likelihood(Protocol):
    name: str
    has_tie: bool

    def start(self, tie_share: float) -> float:
        """The tie parameter at which equal models tie in this share of their votes, in (0, 1)."""

    def terms(
        self, gap: FloatArray, tie: float, wins: FloatArray, losses: FloatArray, ties: FloatArray
    ) -> Terms:
        """The derivatives; the counts have shape (rows,), and a single vote is a 1 in one."""

    def scores(self, gap: FloatArray, tie: float) -> tuple[FloatArray, FloatArray | None]:
        """The first derivatives of a single win, loss and tie, by gap and by the tie parameter.

        Each has shape (3, rows); the second is None where the likelihood has no tie parameter.
        """

    def tie_curvature(self, tie: float) -> float:
        """How fast the second derivative changes with the tie parameter, relative to itself."""

    def probabilities(self, gap: FloatArray, tie: float) -> tuple[FloatArray, FloatArray]:
        """That the first wins, and that the second does; what remains is a tie."""


class BradleyTerry:
    """P(first) = 1 / (1 + exp(-gap)); a tie is half a win for either."""

    name = "bradley-terry"
    has_tie = False

    def start(self, tie_share: float) -> float:  # noqa: ARG002
        return 0.0

    def terms(
        self,
        gap: FloatArray,
        tie: float,  # noqa: ARG002
        wins: FloatArray,
        losses: FloatArray,
        ties: FloatArray,
    ) -> Terms:
        win, loss = both_ways(gap)
        half = ties / 2
        won, lost = wins + half, losses + half
        # Not wins less expected wins: those cancel where one model wins nearly always.
        return Terms(won * loss - lost * win, (won + lost) * win * loss)

    def scores(
        self,
        gap: FloatArray,
        tie: float,  # noqa: ARG002
    ) -> tuple[FloatArray, FloatArray | None]:
        win, loss = both_ways(gap)
        return np.stack([loss, -win, (loss - win) / 2]), None

    def tie_curvature(self, tie: float) -> float:  # noqa: ARG002
        return 0.0

    def probabilities(
        self,
        gap: FloatArray,
        tie: float,  # noqa: ARG002
    ) -> tuple[FloatArray, FloatArray]:
        return expit(gap), expit(-gap)


class Davidson:
    """Wins and ties in proportion exp(gap/2) : exp(-gap/2) : exp(tie)."""

    name = "davidson"
    has_tie = True

    def start(self, tie_share: float) -> float:
        return math.log(2 * tie_share / (1 - tie_share))

    def terms(
        self, gap: FloatArray, tie: float, wins: FloatArray, losses: FloatArray, ties: FloatArray
    ) -> Terms:
        win, loss, tied = self._shares(gap, tie)
        votes = wins + losses + ties
        # As with Bradley-Terry, differences that cancel are written out.
        score = (wins * (2 * loss + tied) - losses * (2 * win + tied) + ties * (loss - win)) / 2
        return Terms(
            score=score,
            information=votes * ((win + loss) * tied + 4 * win * loss) / 4,
            tie_score=ties * (win + loss) - (wins + losses) * tied,
            cross_information=votes * tied * (loss - win) / 2,
            tie_information=votes * tied * (win + loss),
        )

    def scores(self, gap: FloatArray, tie: float) -> tuple[FloatArray, FloatArray | None]:
        win, loss, tied = self._shares(gap, tie)
        by_gap = np.stack([loss + tied / 2, -win - tied / 2, (loss - win) / 2])
        return by_gap, np.stack([-tied, -tied, win + loss])

    def tie_curvature(self, tie: float) -> float:  # noqa: ARG002
        return 2.0

    def probabilities(self, gap: FloatArray, tie: float) -> tuple[FloatArray, FloatArray]:
        win, loss, _ = self._shares(gap, tie)
        return win, loss

    def _shares(self, gap: FloatArray, tie: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        utilities = np.stack([gap / 2, -gap / 2, np.full_like(gap, tie)])
        utilities -= utilities.max(axis=0)
        weights = np.exp(utilities)
        weights /= weights.sum(axis=0)
        return weights[0], weights[1], weights[2]


class RaoKupper:
    """P(first) = 1 / (1 + exp(tie - gap)): a win takes a lead of more than the threshold `tie`."""

    name = "rao-kupper"
    has_tie = True

    def start(self, tie_share: float) -> float:
        return 2 * math.atanh(tie_share)

    def terms(
        self, gap: FloatArray, tie: float, wins: FloatArray, losses: FloatArray, ties: FloatArray
    ) -> Terms:
        win, no_win = both_ways(gap - tie)
        no_loss, loss = both_ways(gap + tie)
        ahead, behind = wins + ties, losses + ties
        ahead_information, behind_information = ahead * win * no_win, behind * loss * no_loss
        # The tie's own factor exp(2 tie) - 1, and its derivatives.
        growth = 2 / -math.expm1(-2 * tie)
        curvature = growth * (growth - 2)
        return Terms(
            score=ahead * no_win - behind * no_loss,
            information=ahead_information + behind_information,
            tie_score=ties * growth - ahead * no_win - behind * no_loss,
            cross_information=behind_information - ahead_information,
            tie_information=ahead_information + behind_information + ties * curvature,
        )

    def scores(self, gap: FloatArray, tie: float) -> tuple[FloatArray, FloatArray | None]:
        no_win, no_loss = expit(tie - gap), expit(gap + tie)
        by_gap = np.stack([no_win, -no_loss, no_win - no_loss])
        growth = 2 / -math.expm1(-2 * tie)
        return by_gap, np.stack([-no_win, -no_loss, growth - no_win - no_loss])

    def tie_curvature(self, tie: float) -> float:
        # Near 0 the likelihood of ties is that of a power of the threshold.
        return max(2.0, 2 / tie)

    def probabilities(self, gap: FloatArray, tie: float) -> tuple[FloatArray, FloatArray]:
        return expit(gap - tie), expit(-gap - tie)


LIKELIHOODS: dict[str, Likelihood] = {
    likelihood.name: likelihood for likelihood in (BradleyTerry(), Davidson(), RaoKupper())
}


def squared_scores(
    likelihood: Likelihood,
    gap: FloatArray,
    tie: float,
    wins: FloatArray,
    losses: FloatArray,
    ties: FloatArray,
) -> Terms:
    """Products of scores, summed over the votes of each row: what a sandwich is filled with.

    `information`, `cross_information` and `tie_information` hold the sums of score², score times
    tie score and tie score² (a vote at a time, so that a row's votes do not cancel); `score` and
    `tie_score` are those of `terms`.
    """
    counts = np.stack([wins, losses, ties])
    by_gap, by_tie = likelihood.scores(gap, tie)
    score, squares = (counts * by_gap).sum(axis=0), (counts * by_gap**2).sum(axis=0)
    if by_tie is None:
        return Terms(score, squares)
    return Terms(
        score=score,
        information=squares,
        tie_score=(counts * by_tie).sum(axis=0),
        cross_information=(counts * by_gap * by_tie).sum(axis=0),
        tie_information=(counts * by_tie**2).sum(axis=0),
    )
