"""Online Elo: a rating that moves with every vote. For a live ticker, never for a leaderboard.

It depends on the order of the votes, forgets old ones, has no error and never settles: the same
votes in another order give other ratings. What the votes say is `ratings.core.bradley_terry`.

Source: Elo 1978, section 1.6, with the logistic curve.
"""

from __future__ import annotations

import math
from math import exp

import numpy as np

from ratings.core.outcomes import BothBad, FloatArray, Outcome, VoteDataError, Votes

_CHUNK = 1 << 16


def online_elo(
    votes: Votes,
    *,
    k: float = 4.0,
    scale: float = 400.0,
    initial: float = 1000.0,
    both_bad: BothBad = "tie",
) -> FloatArray:
    """Ratings in points after the votes in their order, shape (models,); the mean stays `initial`.

    A vote moves either model by at most `k` points; `scale` points more are expected to mean odds
    of ten to one. A tie is half a win for either, and so is both bad, unless it is to be dropped.
    Models without votes keep `initial`. Raises `VoteDataError` for a `k` or `scale` that is not a
    positive number, or a `k` so far above the scale that ratings run away.
    """
    for name, value in {"k": k, "scale": scale}.items():
        if not (value > 0 and math.isfinite(value)):
            raise VoteDataError(f"{name} is {value}: Elo needs a positive number")
    # In natural log-odds, so that the loop has an exponential and no power. Lists, since reading
    # single elements of an array is several times slower.
    unit = scale / math.log(10)
    step = k / unit
    ratings = [0.0] * votes.models
    won = [0.0] * len(Outcome)
    won[Outcome.A_WINS] = 1.0
    won[Outcome.TIE] = won[Outcome.BOTH_BAD] = 0.5
    for start in range(0, len(votes), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        model_a, model_b = votes.model_a[chunk], votes.model_b[chunk]
        outcome = votes.outcome[chunk]
        if both_bad == "drop":
            kept = outcome != Outcome.BOTH_BAD
            model_a, model_b, outcome = model_a[kept], model_b[kept], outcome[kept]
        try:
            for a, b, said in zip(
                model_a.tolist(), model_b.tolist(), outcome.tolist(), strict=True
            ):
                change = step * (won[said] - 1 / (1 + exp(ratings[b] - ratings[a])))
                ratings[a] += change
                ratings[b] -= change
        except OverflowError:
            raise VoteDataError(f"k is {k}: too large for a scale of {scale}") from None
    return initial + unit * np.array(ratings)
