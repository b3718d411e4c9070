"""Who favours a model beyond taste leans to it, and honest voters seldom do."""

from __future__ import annotations

import numpy as np

from ratings.core.outcomes import BoolArray, Outcome
from ratings.core.voter_lean import LEVEL, Leans, model_leans
from ratings.core.voter_tests import VoterVotes
from ratings.simulation.kinds import Attack, Kind
from ratings.simulation.votes import SimulatedVotes, simulate
from ratings.simulation.worlds import World

WORLD = World(models=8, voters=150, votes=150 * 40, activity_sd=0, taste_sd=0.3, vote_share=1)


def leans(votes: SimulatedVotes, *, trusted: BoolArray, model: int) -> Leans:
    everybody = np.arange(votes.voters)
    return model_leans(
        VoterVotes(votes.model_a, votes.model_b, votes.outcome, votes.voter),
        models=8,
        voter=everybody,
        model=np.full(len(everybody), model),
        trusted=trusted,
        taste_sd=0.3,
    )


def test_honest_voters_seldom_lean() -> None:
    votes = simulate(WORLD, seed=1).votes

    found = leans(votes, trusted=np.ones(150, dtype=np.bool_), model=3)

    assert (found.p_value <= LEVEL).mean() <= 0.03
    assert 0.25 < (found.p_value <= 0.5).mean() < 0.75


def test_riggers_lean_to_their_target_by_the_consensus_of_the_others() -> None:
    votes = simulate(WORLD, [Attack(Kind.TARGET_ONLY_ABSTAINING, 0.3)], seed=2).votes
    honest = votes.kind_of_voter() == Kind.HONEST

    found = leans(votes, trusted=honest, model=WORLD.pushed)

    assert (found.p_value[~honest] <= LEVEL).mean() > 0.9
    assert (found.lean[~honest] > 0).all()
    assert (found.p_value[honest] <= LEVEL).mean() <= 0.03


def test_who_slights_a_model_leans_from_it() -> None:
    votes = simulate(WORLD, seed=3).votes
    mine = (votes.voter == 0) & ((votes.model_a == 0) | (votes.model_b == 0))
    lost = np.where(votes.model_a == 0, Outcome.B_WINS, Outcome.A_WINS)
    slighted = VoterVotes(
        votes.model_a, votes.model_b, np.where(mine, lost, votes.outcome), votes.voter
    )

    found = model_leans(
        slighted, models=8, voter=np.array([0]), model=np.array([0]),
        trusted=np.arange(votes.voters) > 0, taste_sd=0.3,
    )  # fmt: skip

    assert found.lean[0] < -2
    assert found.p_value[0] <= LEVEL


def test_without_a_decided_vote_on_the_model_nothing_can_be_said() -> None:
    zero = np.zeros(2, dtype=np.int64)
    votes = VoterVotes(zero, zero + 1, np.array([Outcome.A_WINS, Outcome.TIE]), np.array([0, 1]))

    found = model_leans(
        votes, models=3, voter=np.array([0, 1]), model=np.array([2, 0]),
        trusted=np.ones(2, dtype=np.bool_), taste_sd=0.3,
    )  # fmt: skip

    assert found.lean.tolist() == [0, 0]
    assert found.p_value.tolist() == [1, 1]
