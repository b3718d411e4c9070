"""The share of votes that each model wins against each other: observed, and as the fit predicts.

Knows no names of models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.core.likelihoods import LIKELIHOODS
from ratings.core.outcomes import BothBad, FloatArray, IntArray, Outcome, OutcomeCells


@dataclass(frozen=True, slots=True)
class WinMatrix:
    """Shape (models, models): row against column, ties as half a win.

    `votes` counts them; `observed` is NaN where there are none, `predicted` where either model has
    no rating, both on the diagonal.
    """

    votes: IntArray
    observed: FloatArray
    predicted: FloatArray


def win_matrix(
    cells: OutcomeCells,
    log_odds: FloatArray,
    *,
    method: str = "bradley-terry",
    tie: float = 0.0,
    both_bad: BothBad = "tie",
) -> WinMatrix:
    """`log_odds` has shape (models,), NaN where unrated; `tie` is the method's tie parameter."""
    counts = cells.counts
    wins = counts[:, :, Outcome.A_WINS] + counts[:, :, Outcome.B_WINS].T
    ties = counts[:, :, Outcome.TIE] + counts[:, :, Outcome.TIE].T
    if both_bad == "tie":
        ties = ties + counts[:, :, Outcome.BOTH_BAD] + counts[:, :, Outcome.BOTH_BAD].T
    votes = wins + wins.T + ties
    observed = np.full(votes.shape, np.nan)
    np.divide(wins + ties / 2, votes, out=observed, where=votes > 0)
    gap = log_odds[:, None] - log_odds[None, :]
    win, loss = LIKELIHOODS[method].probabilities(gap, tie)
    predicted = (1 + win - loss) / 2
    np.fill_diagonal(predicted, np.nan)
    return WinMatrix(votes=votes, observed=observed, predicted=predicted)
