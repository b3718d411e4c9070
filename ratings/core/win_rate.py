"""Win rates: the share of its votes that each model won, a tie being half a win.

Simple to tell and to check, but not comparable between models that met different opponents: who
met whom is not corrected for here, `ratings.core.bradley_terry` does that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.core.outcomes import FloatArray, IntArray, PairCounts


@dataclass(frozen=True, slots=True)
class WinRates:
    """All arrays have shape (models,); shares are NaN for a model without votes.

    `share` is the mean, over the opponents that a model met, of its share against each: every
    opponent counts the same, however often it was met (evalica's average win rate). `vote_share` is
    the share of all its votes: every vote counts the same, so that frequent opponents count more.
    The two agree when all were met equally often. `opponents` says how many were met.

    `share_se` is the standard error of `share` for independent votes. Each pair's variance is taken
    with one virtual vote added, half of it won, so that a pair which met once does not look
    certain. `log_odds` is the logit of `share`, the scale of the ratings, and NaN where the share
    is 0 or 1; `log_odds_se` follows by the delta method.
    """

    share: FloatArray
    share_se: FloatArray
    vote_share: FloatArray
    opponents: IntArray
    log_odds: FloatArray
    log_odds_se: FloatArray


def win_rates(pairs: PairCounts, *, models: int) -> WinRates:
    """The win rates of all models; pairs may be ordered or not."""
    first, second = pairs.first * models + pairs.second, pairs.second * models + pairs.first
    place = np.concatenate([first, second])

    def matrix(of_first: FloatArray, of_second: FloatArray) -> FloatArray:
        sums = np.zeros(models * models)
        sums += np.bincount(place, np.concatenate([of_first, of_second]), models * models)
        return sums.reshape(models, models)

    votes = matrix(pairs.votes, pairs.votes)
    wins = matrix(pairs.wins_first, pairs.wins_second)
    halves = matrix(pairs.ties, pairs.ties) / 2
    met = votes > 0
    opponents = met.sum(axis=1)

    share = _ratio(wins + halves, votes)
    mean = _ratio(share.sum(axis=1, where=met), opponents)
    smoothed = (wins + halves + 0.5) / (votes + 1)
    squares = (wins + halves / 2 + 0.5) / (votes + 1)
    variance = _ratio(squares - smoothed**2, votes)
    se = _ratio(np.sqrt(variance.sum(axis=1, where=met)), opponents)

    inside = (mean > 0) & (mean < 1)
    log_odds, log_odds_se = np.full((2, models), np.nan)
    log_odds[inside] = np.log(mean[inside]) - np.log1p(-mean[inside])
    log_odds_se[inside] = se[inside] / (mean[inside] * (1 - mean[inside]))
    return WinRates(
        share=mean,
        share_se=se,
        vote_share=_ratio((wins + halves).sum(axis=1), votes.sum(axis=1)),
        opponents=opponents,
        log_odds=log_odds,
        log_odds_se=log_odds_se,
    )


def _ratio(part: FloatArray, whole: FloatArray | IntArray) -> FloatArray:
    """Part by whole, NaN where the whole is nothing."""
    result = np.full(part.shape, np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result
