"""Votes of honest voters with tastes, drawn again and again for the pairs that a voter met, and how
rarely they look like the voter's own.

Knows nothing of whom a p-value accuses.

Sources: Besag and Clifford 1991 (stopping early); Knijnenburg et al. 2009 (the tail beyond the
draws).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import chi2

from ratings.core.outcomes import FloatArray, IntArray
from ratings.core.voter_batch import Single, VoterBatch

_Statistics = Callable[[IntArray, int], FloatArray]

STAGES = (63, 512, 4096)
"""Draws of a voter; only who looks unusual goes on to the next stage."""
ROUGHLY = STAGES[:2]
"""Enough to say who is to have no part in the consensus."""

# With as many draws beyond the voter's own statistic a p-value is good enough to stop.
_ENOUGH = 8
# In the last stage the tail is drawn by this share of the draws, the largest, and at least so many,
# where fewer than a fifth of them are beyond. It is exponential in the statistic, which a sum of
# bounded terms falls below, and as long as the mean of the largest can be by chance (two standard
# errors).
_TAIL_SHARE, _TAIL_LEAST = 1 / 40, 30
_LENGTHENED = 1.2
# Few votes make few different sums: the largest draws may all be equal, and say nothing of a tail.
_SHORTEST = 0.2
# Draws are summed in four bytes a number: closer than that is equal.
_ROUNDING = 1e-4
# Standard deviations (without tastes) from which on a vote against the consensus is looked at.
_NOTABLE = 1.0
# Numbers drawn at a time.
_BLOCK = 1 << 21


class HonestVotes:
    """Draws what honest voters would have said. One seed, one sequence of draws."""

    def __init__(self, *, taste_variance: float, seed: int) -> None:
        self._taste_variance = taste_variance
        self._random = np.random.default_rng(seed)

    def sums(
        self,
        batch: VoterBatch,
        expected: FloatArray,
        columns: Single,
        *,
        draws: int,
        with_error: bool = True,
    ) -> Single:
        """Sums over `columns` of votes less what is expected, shape (voters, draws, columns).

        `columns` has shape (voters, votes, columns). `expected` is of shape (voters, votes), the
        probability that the first shown wins for somebody without tastes; tastes, and with
        `with_error` the error of the consensus, are added to its log-odds, at full strength
        whatever the care: a voter whose taste is not the others' looks careless, too.
        """
        carrier = self._carrier(batch, with_error)
        offset = np.einsum("vn,vnc->vc", expected, columns).astype(np.float32)[:, None, :]
        base = logit(np.clip(expected, 1e-6, 1 - 1e-6)).astype(np.float32)[:, None, :]
        voters, votes, met = batch.design.shape
        draws_at_once = max(1, _BLOCK // (voters * votes))
        parts = []
        for begin in range(0, draws, draws_at_once):
            size = min(draws_at_once, draws - begin)
            normal = self._random.standard_normal((voters, size, met), dtype=np.float32)
            probability = normal @ carrier
            probability += base
            expit(probability, out=probability)
            won = self._random.random(probability.shape, dtype=np.float32) < probability
            parts.append(won.astype(np.float32) @ columns - offset)
        return np.concatenate(parts, axis=1)

    def _carrier(self, batch: VoterBatch, with_error: bool) -> Single:
        """Standard normals times this are tastes and the consensus' own error in log-odds of
        each vote, shape (voters, met, votes)."""
        met = batch.model.shape[1]
        covariance = (batch.error + self._taste_variance * batch.error_of_taste) * with_error
        covariance = (covariance + covariance.transpose(0, 2, 1)) / 2
        covariance += (self._taste_variance + 1e-9) * np.eye(met)
        root = np.linalg.cholesky(covariance)
        return (root.transpose(0, 2, 1) @ batch.design.transpose(0, 2, 1)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Looked:
    """Of each voter of a batch the p-values, shape (voters,).

    `against` is of voting against the consensus, `one_model` of favouring or slighting one model,
    `many_models` of both over all models, and `together` of the first and the third by Fisher's
    method (1932): the third looks at what is left beside the consensus, so that the two are
    independent. `beyond` has shape (voters, met): 1 where
    the voter favours a model more than all but FEW of the first draws, -1 where he slights it so.
    """

    against: FloatArray
    one_model: FloatArray
    many_models: FloatArray
    together: FloatArray
    beyond: IntArray


FEW = 2
"""Of the first STAGES[0] draws: with three of 64 places, the share of honest voters beyond."""


def look(
    batch: VoterBatch,
    honest: HonestVotes,
    *,
    taste_variance: float,
    stages: Sequence[int] = STAGES,
) -> Looked:
    """Hold each voter's own statistics against drawn ones, in two stages at least."""
    scale = batch.scale(taste_variance)
    own = batch.totals() / scale
    expected = batch.expected

    def statistics(rows: IntArray, draws: int) -> FloatArray:
        part = batch.selected(rows)
        sums = honest.sums(part, expected[rows], part.cleaned, draws=draws)
        return _of_models(sums / scale[rows][:, None, :])

    first = honest.sums(batch, expected, batch.cleaned, draws=STAGES[0]) / scale[:, None, :]
    ranked = np.sort(first, axis=1)
    beyond = (own > ranked[:, -1 - FEW]).astype(np.int64) - (own < ranked[:, FEW])
    p_values = _staged(
        _of_models(own[:, None, :])[:, 0],
        statistics,
        np.arange(len(own)),
        _of_models(first),
        stages,
    )
    against = _against(batch, honest, stages)
    return Looked(
        against=against,
        one_model=p_values[:, 0],
        many_models=p_values[:, 1],
        together=chi2.sf(-2 * np.log(np.maximum(against * p_values[:, 1], 1e-300)), 4),
        beyond=beyond,
    )


def _of_models(standardized: FloatArray | Single) -> FloatArray:
    """The largest and the root of the sum of squares, shape (voters, draws, 2)."""
    largest = np.abs(standardized).max(axis=2)
    return np.stack([largest, np.sqrt((standardized**2).sum(axis=2))], axis=2).astype(np.float64)


def _against(batch: VoterBatch, honest: HonestVotes, stages: Sequence[int]) -> FloatArray:
    """p-values of siding with the consensus less than any honest voter: the larger of two.

    One is of somebody who has tastes and does not read, so that random clicks are no vote against
    anybody; the other of somebody who reads, and differs by taste and by the error of the
    consensus, which is large while votes are few. Whoever reads half is between the two.
    """
    share = expit(batch.gap)
    size = batch.mask.sum(axis=1, keepdims=True)
    middle = (share * batch.mask).sum(axis=1, keepdims=True) / size
    column = (middle - share) * batch.mask
    column /= np.sqrt((column**2).sum(axis=1, keepdims=True) / 4 + 1e-6)
    rate = np.broadcast_to((batch.won.sum(axis=1, keepdims=True) + 1) / (size + 2), share.shape)
    single = column.astype(np.float32)[:, :, None]
    rows = np.flatnonzero(((batch.won - rate) * column).sum(axis=1) > _NOTABLE)
    p_values = np.ones(len(share))
    if not len(rows):
        return p_values
    p_values[rows] = 0
    for expected, with_error in ((rate, False), (share, True)):

        def statistics(
            chosen: IntArray,
            draws: int,
            expected: FloatArray = expected,
            with_error: bool = with_error,
        ) -> FloatArray:
            sums = honest.sums(
                batch.selected(chosen),
                expected[chosen],
                single[chosen],
                draws=draws,
                with_error=with_error,
            )
            return sums.astype(np.float64)

        own = ((batch.won - expected) * column).sum(axis=1, keepdims=True)[rows]
        found = _staged(own, statistics, rows, statistics(rows, STAGES[0]), stages)[:, 0]
        p_values[rows] = np.maximum(p_values[rows], found)
    return p_values


def _staged(
    own: FloatArray,
    statistics: _Statistics,
    rows: IntArray,
    drawn: FloatArray,
    stages: Sequence[int],
) -> FloatArray:
    """p-values of `own`, shape (voters, kinds), by as many draws as each needs.

    `rows` are what `statistics` calls the voters; `drawn` are the draws of the first stage.
    """
    own = own - _ROUNDING * (1 + np.abs(own))
    beyond = (drawn >= own[:, None, :]).sum(axis=1)
    p_values: FloatArray = (1 + beyond) / (1 + STAGES[0])
    for draws in stages[1:]:
        left = np.flatnonzero((beyond < _ENOUGH).any(axis=1))
        if not len(left):
            break
        beyond = np.full_like(beyond, _ENOUGH)
        # One voter at a time in the last stage keeps memory small.
        size = max(1, (1 << 19) // draws)
        for begin in range(0, len(left), size):
            part = left[begin : begin + size]
            drawn = statistics(rows[part], draws)
            count = (drawn >= own[part][:, None, :]).sum(axis=1)
            beyond[part] = count
            p_values[part] = (1 + count) / (1 + draws)
            if draws == stages[-1]:
                size_of_tail = max(int(draws * _TAIL_SHARE), _TAIL_LEAST)
                tail = _tail(own[part], drawn, size_of_tail)
                p_values[part] = np.where(5 * count < size_of_tail, tail, p_values[part])
    return p_values


def _tail(own: FloatArray, drawn: FloatArray, size: int) -> FloatArray:
    """p-values beyond the `size` largest draws, shape (voters, kinds)."""
    draws = drawn.shape[1]
    largest = np.partition(drawn, draws - size - 1, axis=1)[:, draws - size - 1 :]
    begins = largest.min(axis=1)
    mean = (largest.sum(axis=1) - begins) / size - begins
    length = np.maximum(mean, _SHORTEST) * _LENGTHENED
    tail: FloatArray = size / draws * np.exp(-np.maximum(own - begins, 0) / length)
    return tail
