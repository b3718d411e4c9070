"""FastChat's test for outlying voters, written anew from its published description.

As the peer does it: for each vote, the share of the decided votes on the pair that are at most
(at least) as high as it, a tie counting as half; the running product of 1/(2 share) over a voter's
first hundred votes; a voter of at least five votes is an outlier once that exceeds 1/level. Without
ties it is valid. With ties it is not: a tie lies between the decided votes that it is held against,
and neither share knows of it.

Source: the test in the analysis scripts of github.com/lm-sys/FastChat, after Chiang et al. 2024
(arXiv 2403.04132), section 5.1.
"""

from __future__ import annotations

import numpy as np

from ratings.core.outcomes import BoolArray, Outcome
from ratings.simulation.votes import SimulatedVotes

FEWEST_VOTES, MOST_VOTES = 5, 100


def fastchat_outliers(votes: SimulatedVotes, *, models: int, level: float = 0.05) -> BoolArray:
    """Which voters the test drops, shape (voters,); votes come in the order they were cast."""
    swapped = votes.model_a > votes.model_b
    low = np.where(swapped, votes.model_b, votes.model_a)
    high = np.where(swapped, votes.model_a, votes.model_b)
    pair = low * models + high
    decided = votes.outcome < Outcome.TIE
    # Whether the lower-numbered model won.
    won = decided & ((votes.outcome == Outcome.A_WINS) != swapped)
    wins = np.bincount(pair[won], minlength=models**2)[pair]
    losses = np.bincount(pair[decided & ~won], minlength=models**2)[pair]
    with np.errstate(divide="ignore", invalid="ignore"):
        at_most = np.where(won, 1.0, losses / (wins + losses))
        at_least = np.where(decided & ~won, 1.0, wins / (wins + losses))
        evidence = -np.log(2 * np.stack([at_most, at_least]))
    order = np.argsort(votes.voter, kind="stable")
    outlying = np.zeros(votes.voters, dtype=np.bool_)
    start = np.searchsorted(votes.voter[order], np.arange(votes.voters + 1))
    for voter in np.flatnonzero(np.diff(start) >= FEWEST_VOTES):
        rows = order[start[voter] : start[voter + 1]][:MOST_VOTES]
        product = np.cumsum(evidence[:, rows], axis=1)
        outlying[voter] = bool((product > -np.log(level)).any())
    return outlying
