"""What voters do apart from whom they favour: gold battles, haste, one side always, changed minds.

Disagreement alone never excludes: only with a sign of this sort does a flag of the outlier test.
The signs are those of `ratings.voter_signs`, on arrays; a test holds the two against each other.
"""

from __future__ import annotations

import numpy as np

from ratings.core.outcomes import BoolArray, FloatArray, IntArray, Outcome
from ratings.core.voter_quality import excess_p, voter_qualities
from ratings.core.voter_tests import VoterVotes, holm
from ratings.simulation.rules import too_fast
from ratings.simulation.votes import SimulatedVotes

# As in ratings.voter_signs.
SLIP, REVERSAL = 0.05, 0.25
SIGN_LEVEL = 0.01
SIDE_EXCESS, SIDE_LEVEL = 0.25, 0.001


def gold_failures(votes: SimulatedVotes, *, level: float) -> BoolArray:
    """Voters who fail gold battles more often than people slip, shape (voters,).

    Exact binomial tests, adjusted by Holm's method over the voters who met a gold battle: any
    honest one is found with a chance of at most `level`.
    """
    seen = np.unique(votes.voter[votes.gold_side >= 0])
    failed = np.zeros(votes.voters, dtype=np.bool_)
    failed[seen] = holm(_gold_p(votes)[seen]) <= level
    return failed


def behavioural_signs(votes: SimulatedVotes) -> BoolArray:
    """Voters with a sign in what all their votes were like, shape (voters,): gold battles failed,
    votes too fast to have read, or the other model preferred when asked the same again."""
    every = np.ones(len(votes), dtype=np.bool_)
    again, reversed_ = retests(votes)
    p_values = (
        _gold_p(votes),
        excess_p(_count(votes, too_fast(votes)), _count(votes, every), rate=SLIP),
        excess_p(_count(votes, reversed_), _count(votes, again), rate=REVERSAL),
    )
    signs: BoolArray = np.min(p_values, axis=0) <= SIGN_LEVEL
    return signs


def one_sided(votes: VoterVotes, *, models: int, trusted: BoolArray) -> BoolArray:
    """Voters who prefer a side far beyond what the models explain, shape (voters,).

    `trusted` are those whose votes make the consensus that explains them.
    """
    quality = voter_qualities(votes, models=models, trusted=trusted)
    return (np.abs(np.nan_to_num(quality.first_excess)) >= SIDE_EXCESS) & (
        np.nan_to_num(quality.first_p, nan=1.0) <= SIDE_LEVEL
    )


def retests(votes: SimulatedVotes) -> tuple[BoolArray, BoolArray]:
    """Votes of a voter who had voted on these two models and this prompt before, shape (votes,);
    and those of them that prefer the other model than the last one did. Gold battles are none."""
    rows = np.flatnonzero(votes.gold_side < 0)
    a, b, outcome = votes.model_a[rows], votes.model_b[rows], votes.outcome[rows]
    columns = (np.maximum(a, b), np.minimum(a, b), votes.prompt[rows], votes.voter[rows])
    # Stable, so that votes on the same stay in the order in which they were cast.
    order = np.lexsort(columns)
    same = np.ones(max(len(rows) - 1, 0), dtype=np.bool_)
    for column in columns:
        same &= column[order][1:] == column[order][:-1]
    preferred = np.select([outcome == Outcome.A_WINS, outcome == Outcome.B_WINS], [1, -1])
    preferred = np.where(a < b, preferred, -preferred)[order]
    again, reversed_ = (np.zeros(len(votes), dtype=np.bool_) for _ in range(2))
    again[rows[order[1:]]] = same
    reversed_[rows[order[1:]]] = same & (preferred[1:] * preferred[:-1] == -1)
    return again, reversed_


def _gold_p(votes: SimulatedVotes) -> FloatArray:
    """That somebody who slips fails so many gold battles or more, shape (voters,)."""
    gold = votes.gold_side >= 0
    failed = gold & (votes.outcome == votes.gold_side)
    return excess_p(_count(votes, failed), _count(votes, gold), rate=SLIP)


def _count(votes: SimulatedVotes, chosen: BoolArray) -> IntArray:
    return np.bincount(votes.voter[chosen], minlength=votes.voters)
