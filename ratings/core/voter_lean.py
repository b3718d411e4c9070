"""Whether chosen voters lean to or from one model each, beyond what the others and taste explain.

A second look at voters whom something else than their votes speaks against: by itself, that
somebody loves a model says nothing. What it was is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.core.linear import single_threaded_blas
from ratings.core.outcomes import BoolArray, FloatArray, IntArray
from ratings.core.voter_batch import voter_batches
from ratings.core.voter_consensus import consensus_fit
from ratings.core.voter_null import HonestVotes
from ratings.core.voter_tests import VoterVotes, decided_votes

LEVEL = 0.01
"""Up to which a p-value agrees with what speaks against the voter anyway."""

_DRAWS = 4096
# Draws are summed in four bytes a number: closer than that is equal.
_ROUNDING = 1e-4


@dataclass(frozen=True, slots=True)
class Leans:
    """Of each voter asked for, shape (voters,): `lean` to the model in standard deviations of an
    honest voter, negative from it, and the p-value of so much either way; 0 and 1 where no decided
    vote was on the model.
    """

    lean: FloatArray
    p_value: FloatArray


def model_leans(
    votes: VoterVotes,
    *,
    models: int,
    voter: IntArray,
    model: IntArray,
    trusted: BoolArray,
    taste_sd: float,
    seed: int = 0,
) -> Leans:
    """Look at each `voter` on its `model`, shape (voters asked for,) both.

    `trusted`, of shape (voters of the votes,), makes the consensus; `taste_sd` in log-odds is that
    of `outlier_voters`. p-values are of votes drawn from the null of that test, at least 1/4097.
    """
    decided = decided_votes(votes, models=models)
    lean, p_value = np.zeros(len(voter)), np.ones(len(voter))
    asked = np.full(decided.voters, -1)
    asked[voter] = np.arange(len(voter))
    honest = HonestVotes(taste_variance=taste_sd**2, seed=seed)
    with single_threaded_blas():
        consensus = consensus_fit(decided, trusted=trusted)
        for batch in voter_batches(decided, consensus, voters=voter):
            of = asked[batch.voter]
            own, scale = batch.totals(), batch.scale(taste_sd**2)
            for row, place in zip(*np.nonzero(batch.model == model[of][:, None]), strict=True):
                part = batch.selected(np.array([row]))
                column = part.cleaned[:, :, place : place + 1]
                drawn = np.abs(honest.sums(part, part.expected, column, draws=_DRAWS))
                beyond = int((drawn >= abs(own[row, place]) - _ROUNDING).sum())
                lean[of[row]] = own[row, place] / scale[row, place]
                p_value[of[row]] = (1 + beyond) / (1 + _DRAWS)
    return Leans(lean, p_value)
