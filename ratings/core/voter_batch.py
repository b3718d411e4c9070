"""Voters side by side: each one's decided votes against the consensus of the others.

A voter is read by what may differ between honest people: care (a share of votes is cast without
reading), a side preferred while not reading, and tastes of their own. What is left over when these
are allowed for is what the tests look at. Which of it is suspicious is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ratings.core.outcomes import FloatArray, IntArray
from ratings.core.voter_consensus import Consensus, DecidedVotes

Single = NDArray[np.float32]

# Numbers of one batch at most: votes times models met, and models met squared times voters.
_LARGEST = 1 << 20
# The longest voter of a batch has at most so many times the votes of the shortest, and some more.
_PADDED, _PADDED_MORE = 1.5, 10
# Prior precisions of a voter's care (about 1) and of the share of first answers chosen without
# reading (about half of what care leaves): a voter of ten votes is taken for an attentive one.
_PRECISION = np.array([10.0, 25.0])
_MOST_CARE = 1.3
_STEPS = 6
_LEAST = 0.005
# Half a vote is added to each variance, so that a model met once cannot look extreme.
HALF_VOTE = 0.25


@dataclass(frozen=True, slots=True)
class VoterBatch:
    """Voters with similar numbers of votes, padded to (voters, votes) and (voters, models met).

    `design` has 1 for the model shown first, -1 for the second, 0 in padding, shape (voters, votes,
    met); `model` numbers the models met, -1 in padding. `gap` is the log-odds that the others give
    the first shown, without this voter. `care` and `side` are of shape (voters,): the model shown
    first wins with probability side + care · expit(gap). `residual` is what the vote is beyond
    that, `cleaned` the design without its part along care and side, `noise` the variance of
    each model's residual that chance alone makes and `taste` what one unit of the variance of
    tastes adds to it. `error` is the covariance of the consensus without this voter.
    """

    voter: IntArray
    model: IntArray
    mask: FloatArray
    design: Single
    gap: FloatArray
    won: FloatArray
    care: FloatArray
    side: FloatArray
    residual: FloatArray
    cleaned: Single
    noise: FloatArray
    taste: FloatArray
    error: FloatArray
    error_of_taste: FloatArray

    def selected(self, rows: IntArray) -> VoterBatch:
        """Some of the voters."""
        return VoterBatch(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    @property
    def expected(self) -> FloatArray:
        """Probability that the first shown wins, as the voter was read, shape (voters, votes)."""
        return _expected(self.care, self.side, expit(self.gap))

    def totals(self) -> FloatArray:
        """Each model's residual votes, positive where the voter favours it, (voters, met)."""
        totals: FloatArray = np.einsum("vn,vnm->vm", self.residual, self.cleaned)
        return totals

    def scale(self, taste_variance: float) -> FloatArray:
        """Standard deviation of `totals`, shape (voters, met)."""
        return np.sqrt(self.noise + taste_variance * self.taste + HALF_VOTE)


def voter_batches(
    votes: DecidedVotes, consensus: Consensus, *, voters: IntArray
) -> Iterator[VoterBatch]:
    """The given voters, those without a decided vote left out, in batches of similar size."""
    sizes = np.diff(votes.start)[voters]
    order = voters[np.argsort(sizes, kind="stable")]
    order = order[np.diff(votes.start)[order] > 0]
    begin = 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and _fits(votes, order[begin : end + 1]):
            end += max(1, (end - begin) // 4)
        end = min(end, len(order))
        yield _batch(votes, consensus, order[begin:end])
        begin = end


def _fits(votes: DecidedVotes, voters: IntArray) -> bool:
    shortest, longest = (votes.start[voters + 1] - votes.start[voters])[[0, -1]].tolist()
    if longest > _PADDED * shortest + _PADDED_MORE:
        return False
    met = min(votes.models, 2 * longest)
    return bool(len(voters) * met * max(longest, met) <= _LARGEST)


def _batch(votes: DecidedVotes, consensus: Consensus, voters: IntArray) -> VoterBatch:
    sizes = votes.start[voters + 1] - votes.start[voters]
    longest = int(sizes.max())
    column = np.arange(longest)
    mask = column < sizes[:, None]
    rows = np.where(mask, votes.start[voters][:, None] + column, 0)
    first, second = votes.first[rows], votes.second[rows]
    model, local_first, local_second = _local_models(first, second, mask)
    shape = (len(voters), longest, model.shape[1])
    design = np.zeros(shape, dtype=np.float32)
    voter_row, vote_row = np.nonzero(mask)
    design[voter_row, vote_row, local_first[mask]] = 1
    design[voter_row, vote_row, local_second[mask]] = -1
    won = np.where(mask, votes.won[rows], 0.0)
    gap = consensus.skill[first] - consensus.skill[second] + consensus.position
    gap, error = _without(consensus, voters, model, design, gap, won, mask)
    known = model >= 0
    place = np.where(known, model, 0)
    of_taste = consensus.spread[place[:, :, None], place[:, None, :]]
    of_taste = of_taste * (known[:, :, None] & known[:, None, :])
    share = expit(gap)
    care, side = _reading(share, won, mask)
    expected = _expected(care, side, share)
    habits = np.stack([share - 0.5, np.ones_like(share)], axis=2) * mask[:, :, None]
    inverse = mask / (expected * (1 - expected))
    # What the least squares of `_reading` take out of a residual, seen from the design.
    cleaned = design - inverse[:, :, None] * (
        habits
        @ np.linalg.solve(
            np.einsum("vni,vn,vnj->vij", habits, inverse, habits) + np.diag(_PRECISION),
            np.einsum("vni,vnm->vim", habits, design),
        )
    )
    cleaned *= mask[:, :, None] * (model >= 0)[:, None, :]
    chance = expected * (1 - expected) * mask
    # A taste moves the probability of a vote by as much as the chance in it is.
    carried = np.einsum("vnm,vn,vnk->vmk", cleaned, chance, design, optimize=True)
    return VoterBatch(
        voter=voters,
        model=model,
        mask=mask.astype(np.float64),
        design=design,
        gap=gap,
        won=won,
        care=care,
        side=side,
        residual=(won - expected) * mask,
        cleaned=cleaned.astype(np.float32),
        noise=np.einsum("vnm,vn->vm", cleaned**2, chance),
        taste=(carried**2).sum(axis=2),
        error=error,
        error_of_taste=of_taste,
    )


def _local_models(
    first: IntArray, second: IntArray, mask: NDArray[np.bool_]
) -> tuple[IntArray, IntArray, IntArray]:
    """Number the models that each voter met from 0."""
    numbers: list[IntArray] = []
    places: list[tuple[IntArray, IntArray]] = []
    for row in range(len(mask)):
        pair = np.concatenate([first[row][mask[row]], second[row][mask[row]]])
        met, place = np.unique(pair, return_inverse=True)
        numbers.append(met)
        places.append((place[: len(place) // 2], place[len(place) // 2 :]))
    model = np.full((len(mask), max(len(met) for met in numbers)), -1)
    local_first, local_second = np.zeros_like(first), np.zeros_like(second)
    for row, (met, (one, other)) in enumerate(zip(numbers, places, strict=True)):
        model[row, : len(met)] = met
        local_first[row, mask[row]], local_second[row, mask[row]] = one, other
    return model, local_first, local_second


def _without(
    consensus: Consensus,
    voters: IntArray,
    model: IntArray,
    design: Single,
    gap: FloatArray,
    won: FloatArray,
    mask: NDArray[np.bool_],
) -> tuple[FloatArray, FloatArray]:
    """Gaps and the covariance of the skills when a voter's own votes are taken out: one Newton
    step from the whole fit, exact in the covariance.
    """
    known = model >= 0
    place = np.where(known, model, 0)
    covariance = consensus.covariance[place[:, :, None], place[:, None, :]]
    covariance = covariance * (known[:, :, None] & known[:, None, :])
    share = expit(gap)
    weight = share * (1 - share) * mask * consensus.trusted[voters][:, None]
    own = np.einsum("vnm,vn,vnk->vmk", design, weight, design, optimize=True)
    lost = np.eye(model.shape[1]) - own @ covariance
    # Inverse of the information less one's own: C (I - H C)⁻¹.
    error = covariance @ np.linalg.inv(lost)
    residual = (won - share) * mask * consensus.trusted[voters][:, None]
    gradient = np.einsum("vnm,vn->vm", design, residual)
    moved = np.einsum("vmk,vk->vm", error, gradient)
    return gap - np.einsum("vnm,vm->vn", design, moved), error


def _expected(care: FloatArray, side: FloatArray, share: FloatArray) -> FloatArray:
    return np.clip(side[:, None] + care[:, None] * share, _LEAST, 1 - _LEAST)


def _reading(
    share: FloatArray, won: FloatArray, mask: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Each voter's care and side by penalized weighted least squares, shape (voters,) each.

    In the numbers care and c = side + care / 2 the prior is (1, 1/2), and both are kept where
    every probability is one.
    """
    care, centre = np.ones(len(share)), np.full(len(share), 0.5)
    columns = np.stack([share - 0.5, np.ones_like(share)], axis=2) * mask[:, :, None]
    prior = np.array([1.0, 0.5])
    for _ in range(_STEPS):
        expected = np.clip(centre[:, None] + care[:, None] * (share - 0.5), 0.02, 0.98)
        inverse = mask / (expected * (1 - expected))
        table = np.einsum("vni,vn,vnj->vij", columns, inverse, columns) + np.diag(_PRECISION)
        aim = np.einsum("vni,vn->vi", columns, inverse * won) + _PRECISION * prior
        solved = np.linalg.solve(table, aim[:, :, None])[:, :, 0]
        care = np.clip(solved[:, 0], 0, _MOST_CARE)
        room = np.maximum(1 - care, 0) / 2
        centre = np.clip(solved[:, 1], 0.5 - room - 0.05, 0.5 + room + 0.05)
    return care, centre - care / 2
