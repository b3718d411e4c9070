"""Honest voters are left alone, whatever their tastes, ties and care; riggers are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ratings.core.outcomes import Outcome, VoteDataError
from ratings.core.voter_tests import (
    DISTRUSTED,
    FEWEST_DECIDED,
    VoterTests,
    VoterVotes,
    holm,
    outlier_voters,
)
from ratings.simulation.kinds import Attack, Kind
from ratings.simulation.votes import SimulatedVotes, simulate
from ratings.simulation.worlds import World


def judged(votes: SimulatedVotes, world: World, seed: int = 0) -> VoterTests:
    return outlier_voters(arrays(votes), models=world.contestants, seed=seed)


def arrays(votes: SimulatedVotes) -> VoterVotes:
    return VoterVotes(votes.model_a, votes.model_b, votes.outcome, votes.voter)


def flagged_of(found: VoterTests, votes: SimulatedVotes, kind: Kind) -> float:
    voters, first = np.unique(votes.voter, return_index=True)
    return float(found.flagged[voters[votes.kind[first] == kind]].mean())


@pytest.mark.parametrize(("votes", "taste"), [(60, 0.0), (300, 0.6)])
@pytest.mark.parametrize(("spread", "ties"), [(50.0, 0.0), (260.0, 0.35)])
def test_nobody_honest_is_flagged(votes: int, taste: float, spread: float, ties: float) -> None:
    """The corners at which tests fail that know neither ties nor tastes."""
    world = World(
        voters=100, votes=100 * votes, taste_sd=taste, spread=spread, tie_share=ties, activity_sd=0
    )

    found = [judged(simulate(world, seed=seed).votes, world, seed) for seed in range(2)]

    assert not any(each.flagged.any() for each in found)
    # Nor does anybody lose their part in the consensus for voting as they like.
    assert np.mean([each.p_value < 0.01 for each in found]) < 0.02


def test_p_values_of_honest_voters_are_not_small_too_often() -> None:
    world = World(
        voters=600, votes=600 * 60, taste_sd=0.6, activity_sd=0, care_lapses=0.15, vote_share=1
    )

    p_value = judged(simulate(world, seed=3).votes, world).p_value

    # 0.05 and three standard errors; and not so seldom that nobody could ever be found.
    assert (p_value < 0.05).mean() < 0.077
    assert (p_value < 0.3).mean() > 0.02


def test_tastes_are_measured() -> None:
    found = {
        taste: judged(simulate(world, seed=1).votes, world).taste_sd
        for taste in (0.0, 0.3, 0.6)
        for world in [World(voters=200, votes=200 * 100, taste_sd=taste, spread=50, activity_sd=0)]
    }

    assert found[0.0] < 0.2
    assert 0.2 < found[0.3] < 0.4
    assert 0.5 < found[0.6] < 0.75


def test_bots_that_contradict_everybody_are_found_and_spoil_nothing() -> None:
    world = World(voters=60, votes=60 * 150, taste_sd=0.3, spread=260, activity_sd=0)
    votes = simulate(world, [Attack(Kind.MIRRORED, 0.15)], seed=5).votes

    found = judged(votes, world)

    assert flagged_of(found, votes, Kind.MIRRORED) > 0.5
    assert flagged_of(found, votes, Kind.HONEST) == 0


def rigged(world: World, *, riggers: int, votes: int, target: int, seed: int) -> VoterVotes:
    """Honest votes, and those of riggers for the target whenever it is there, honest elsewhere."""
    honest = arrays(simulate(world, seed=seed).votes)
    others = arrays(
        simulate(replace(world, voters=riggers, votes=riggers * votes), seed=seed + 1).votes
    )
    outcome = np.where(others.model_a == target, Outcome.A_WINS, others.outcome)
    outcome = np.where(others.model_b == target, Outcome.B_WINS, outcome)
    return VoterVotes(
        np.concatenate([honest.model_a, others.model_a]),
        np.concatenate([honest.model_b, others.model_b]),
        np.concatenate([honest.outcome, outcome]),
        np.concatenate([honest.voter, others.voter + world.voters]),
    )


def test_riggers_for_one_model_are_found_and_it_is_named() -> None:
    world = World(models=8, voters=80, votes=80 * 60, taste_sd=0.3, spread=140, activity_sd=0)
    target = 6

    found = outlier_voters(
        rigged(world, riggers=4, votes=300, target=target, seed=2), models=world.contestants
    )

    assert found.flagged[world.voters :].all()
    assert not found.flagged[: world.voters].any()
    assert (found.model[world.voters :] == target).all()
    assert (found.lean[world.voters :] > 3).all()


def test_many_small_riggers_of_one_model_are_seen_together_though_none_is_alone() -> None:
    world = World(models=8, voters=300, votes=300 * 40, taste_sd=0.3, spread=140, activity_sd=0)
    target = 5

    found = outlier_voters(
        rigged(world, riggers=60, votes=40, target=target, seed=9), models=world.contestants
    )

    assert found.flagged.mean() < 0.02
    assert np.flatnonzero(found.models.flagged).tolist() == [target]
    assert found.models.excess[target] > 10


def test_ties_never_make_a_voter_unusual() -> None:
    world = World(voters=60, votes=60 * 60, spread=260, activity_sd=0)
    votes = arrays(simulate(world, seed=4).votes)
    # One voter cannot decide three votes of four.
    tied = (votes.voter == 0) & (np.arange(len(votes.voter)) % 4 > 0)
    undecided = replace(votes, outcome=np.where(tied, Outcome.TIE, votes.outcome))

    found = outlier_voters(undecided, models=world.contestants)

    assert found.p_value[0] > DISTRUSTED
    assert not found.flagged.any()


def test_clicking_without_reading_is_no_vote_against_anybody() -> None:
    world = World(voters=100, votes=100 * 60, spread=260, activity_sd=0)
    votes = simulate(world, [Attack(Kind.LAZY, 0.1), Attack(Kind.POSITION_BIASED, 0.1)], seed=8)

    found = judged(votes.votes, world)

    assert not found.flagged.any()


def test_the_same_votes_and_seed_say_the_same() -> None:
    world = World(voters=30, votes=30 * 40)
    votes = simulate(world, [Attack(Kind.MIRRORED, 0.1)], seed=6).votes

    one, other = judged(votes, world, seed=7), judged(votes, world, seed=7)

    np.testing.assert_array_equal(one.p_value, other.p_value)


def test_who_decided_little_is_not_tested_and_makes_nobody_else_pay() -> None:
    few = FEWEST_DECIDED - 1
    votes = VoterVotes(
        model_a=np.zeros(few + 30, dtype=np.int64),
        model_b=np.ones(few + 30, dtype=np.int64),
        outcome=np.array([0] * few + [0, 1] * 15),
        voter=np.array([1] * few + [0] * 30),
    )

    found = outlier_voters(votes, models=2)

    assert found.tested.tolist() == [True, False]
    assert found.p_value[1] == 1
    assert found.adjusted_p[0] == found.p_value[0]
    assert found.notes == (
        f"1 voters decided fewer than {FEWEST_DECIDED} votes and are not tested.",
    )


def test_no_votes_at_all_are_no_voters() -> None:
    none = np.empty(0, dtype=np.int64)

    found = outlier_voters(VoterVotes(none, none, none, none), models=3)

    assert found.flagged.shape == (0,)
    assert not found.models.flagged.any()


@pytest.mark.parametrize(
    ("voter", "says"),
    [
        (np.array([0, -1]), "row 1: voter -1"),
        (np.array([0.0, 1.0]), "integers"),
        (np.array([0]), "one for each vote"),
    ],
)
def test_voters_that_are_no_numbers_are_refused(voter: np.ndarray, says: str) -> None:
    two = np.array([0, 0])

    with pytest.raises(VoteDataError, match=says):
        outlier_voters(VoterVotes(two, two + 1, two, voter), models=2)


def test_holm_is_the_published_procedure() -> None:
    """Worked by hand: 4 times the least, 3 times the next, and never less than the one before."""
    adjusted = holm(np.array([0.04, 0.01, 0.03, 0.5]))

    np.testing.assert_allclose(adjusted, [0.09, 0.04, 0.09, 0.5])


def test_riggers_who_make_the_consensus_are_seen_once_they_are_suspected_for_something_else() -> (
    None
):
    world = World(models=10, voters=100, votes=8_000)
    votes = simulate(world, [Attack(Kind.TARGET_ONLY_ABSTAINING, 0.1)], seed=1).votes
    rigs = votes.kind_of_voter() == Kind.TARGET_ONLY_ABSTAINING

    unsuspected, suspected = (
        outlier_voters(arrays(votes), models=10, suspects=suspects) for suspects in (None, rigs)
    )

    assert unsuspected.flagged[rigs].mean() < 0.5
    assert suspected.flagged[rigs].mean() > 0.8
    assert not suspected.flagged[~rigs].any()
