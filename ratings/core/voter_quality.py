"""What each voter's votes look like: the side they prefer, and how often they are with the others.

Described, not judged; tests of riggers are in `ratings.core.voter_tests`. Who the voters are is not
known here, nor when they voted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import binom, norm

from ratings.core.outcomes import BoolArray, FloatArray, IntArray, Outcome
from ratings.core.voter_batch import voter_batches
from ratings.core.voter_consensus import consensus_fit
from ratings.core.voter_tests import VoterVotes, decided_votes

Z = float(norm.ppf(0.975))


@dataclass(frozen=True)
class VoterQualities:
    """Of each voter, arrays of shape (voters,); intervals are of 95 %, NaN what has no votes.

    `first` is the share of decided votes for the model shown first, `first_excess` what the models
    do not explain of it, `first_p` two-sided: sides are drawn by lot, so that for somebody who
    prefers none each vote's excess had the other sign as easily, whatever their taste.
    `agreement` is the share of decided votes for the model that the others rate higher,
    `agreement_expected` that of somebody who votes as they do. `ties` is the share of all votes
    that are ties or both bad.
    """

    votes: IntArray
    decided: IntArray
    ties: FloatArray
    first: FloatArray
    first_excess: FloatArray
    first_lower: FloatArray
    first_upper: FloatArray
    first_p: FloatArray
    agreement: FloatArray
    agreement_lower: FloatArray
    agreement_upper: FloatArray
    agreement_expected: FloatArray


@dataclass(frozen=True)
class Share:
    """A share of votes with its 95 % interval, votes of one voter taken together."""

    votes: int
    value: float
    lower: float
    upper: float


def voter_qualities(votes: VoterVotes, *, models: int, trusted: BoolArray) -> VoterQualities:
    """Describe every voter; the consensus is that of the trusted ones, shape (voters,), without the
    voter who is compared with it."""
    decided = decided_votes(votes, models=models)
    consensus = consensus_fit(decided, trusted=trusted)
    # What the models alone explain: a side that all prefer is an excess, too.
    first, expected, squares, agreed, foreseen = (np.full(decided.voters, np.nan) for _ in range(5))
    for batch in voter_batches(decided, consensus, voters=np.arange(decided.voters)):
        share = expit(batch.gap - consensus.position)
        foreseen_share = np.maximum(share, 1 - share)
        agrees = np.where(share >= 0.5, batch.won, 1 - batch.won)
        for column, values in (
            (first, batch.won),
            (expected, share),
            (squares, (batch.won - share) ** 2),
            (agreed, agrees),
            (foreseen, foreseen_share),
        ):
            column[batch.voter] = (values * batch.mask).sum(axis=1)
    count = np.diff(decided.start)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = (first - expected) / count
        half = Z * np.sqrt(np.maximum(squares / count - excess**2, 0) / count)
        lower, upper = wilson(np.nan_to_num(agreed), count)
        total = np.bincount(votes.voter, minlength=decided.voters)
        return VoterQualities(
            votes=total,
            decided=count,
            ties=1 - count / total,
            first=first / count,
            first_excess=excess,
            first_lower=np.maximum(excess - half, -1),
            first_upper=np.minimum(excess + half, 1),
            first_p=2 * norm.sf(np.abs(first - expected) / np.sqrt(squares)),
            agreement=agreed / count,
            agreement_lower=lower,
            agreement_upper=upper,
            agreement_expected=foreseen / count,
        )


def wilson(successes: FloatArray, trials: IntArray) -> tuple[FloatArray, FloatArray]:
    """Wilson's 95 % interval of a share (1927), NaN without trials; shape as given."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = successes / trials
        centre = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
        half = Z * np.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
        half = half / (1 + Z**2 / trials)
    return centre - half, centre + half


def excess_p(failures: IntArray, trials: IntArray, *, rate: float) -> FloatArray:
    """p-values of so many failures or more where each happens at `rate`; 1 without trials."""
    return np.asarray(binom.sf(failures - 1, trials, rate), dtype=np.float64)


def share_of(chosen: BoolArray, voter: IntArray) -> Share | None:
    """The share of votes that are `chosen`, both of shape (votes,); None without votes.

    The error is that of a ratio over voters, so that one voter's votes are no independent ones.
    """
    if not len(chosen):
        return None
    _, place = np.unique(voter, return_inverse=True)
    value = float(chosen.mean())
    off = np.bincount(place, weights=chosen - value)
    voters = len(off)
    spread = np.sqrt((off**2).sum() * voters / max(voters - 1, 1)) / len(chosen)
    half = Z * float(spread) if voters > 1 else 1.0
    return Share(len(chosen), value, max(value - half, 0.0), min(value + half, 1.0))


def first_share(votes: VoterVotes) -> Share | None:
    """The share of decided votes for the model shown first: 1/2 where sides are drawn by lot and
    nobody prefers one."""
    decided = votes.outcome < Outcome.TIE
    return share_of(votes.outcome[decided] == Outcome.A_WINS, votes.voter[decided])


def tie_share(votes: VoterVotes) -> Share | None:
    """The share of votes that decided nothing."""
    return share_of(votes.outcome >= Outcome.TIE, votes.voter)
