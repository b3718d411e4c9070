"""How much voters' tastes differ: the variance under which their votes look as drawn ones do.

Each voter counts by the rank of one statistic among draws, so that a rigger counts no more than
the most unusual honest voter. Knows nothing of tests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ratings.core.outcomes import FloatArray
from ratings.core.voter_batch import VoterBatch
from ratings.core.voter_null import HonestVotes

_DRAWS = 24
LARGEST_SD = 3.0
"""Log-odds; tastes that differ more are taken for this."""

# Standard deviation of a rank that is uniform on (0, 1).
_RANK_SD = 1 / math.sqrt(12)
_HALVINGS = 9


def taste_sd(batches: Sequence[VoterBatch], *, seed: int, margin: float = 1.0) -> float:
    """Standard deviation of a voter's taste for a model, in log-odds.

    The largest that these voters' votes do not speak against by `margin` standard errors: too
    small a taste accuses the honest, too large a one lets some riggers go. 0 without voters.
    """
    weights = [_weights(batch) for batch in batches]
    total = sum(float(weight.sum()) for weight in weights)
    if not total:
        return 0.0
    squares = sum(float((weight**2).sum()) for weight in weights)
    aim = 0.5 - margin * _RANK_SD * math.sqrt(squares) / total
    low, high = 0.0, LARGEST_SD
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # Ranks fall as tastes grow: the draws become as wide as the votes.
        ranks = sum(
            float(weight @ _ranks(batch, middle, seed))
            for batch, weight in zip(batches, weights, strict=True)
        )
        low, high = (middle, high) if ranks / total > aim else (low, middle)
    return (low + high) / 2


def _weights(batch: VoterBatch) -> FloatArray:
    """How much a voter's votes can say of tastes: their part of the variance at a taste of 0.5."""
    taste = 0.25 * batch.taste.sum(axis=1)
    weights: FloatArray = taste / (taste + batch.noise.sum(axis=1) + 1e-9)
    return weights


def _ranks(batch: VoterBatch, sd: float, seed: int) -> FloatArray:
    """Of each voter's sum of squares among draws, between 0 and 1, shape (voters,)."""
    honest = HonestVotes(taste_variance=sd**2, seed=seed)
    scale = batch.scale(0.0)
    own = ((batch.totals() / scale) ** 2).sum(axis=1)
    drawn = honest.sums(batch, batch.expected, batch.cleaned, draws=_DRAWS)
    drawn = ((drawn / scale[:, None, :]) ** 2).sum(axis=2)
    below = (drawn < own[:, None]).sum(axis=1)
    same = (drawn == own[:, None]).sum(axis=1)
    ranks: FloatArray = (below + (same + 1) / 2) / (_DRAWS + 1)
    return ranks
