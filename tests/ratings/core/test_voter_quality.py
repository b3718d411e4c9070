"""What a voter's votes look like is told as it is, with intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

from ratings.core.outcomes import Outcome
from ratings.core.voter_quality import (
    excess_p,
    first_share,
    share_of,
    tie_share,
    voter_qualities,
    wilson,
)
from ratings.core.voter_tests import VoterVotes
from ratings.simulation.votes import simulate
from ratings.simulation.worlds import World


def some_votes(*, seed: int = 1) -> VoterVotes:
    world = World(
        models=6, voters=20, votes=20 * 100, spread=200, tie_share=0.3, activity_sd=0, vote_share=1
    )
    votes = simulate(world, seed=seed).votes
    return VoterVotes(votes.model_a, votes.model_b, votes.outcome, votes.voter)


def with_outcome(votes: VoterVotes, voter: int, outcome: np.ndarray) -> VoterVotes:
    """The same with other outcomes of one voter, given for all votes."""
    return VoterVotes(
        votes.model_a,
        votes.model_b,
        np.where(votes.voter == voter, outcome, votes.outcome),
        votes.voter,
    )


def everybody(votes: VoterVotes) -> np.ndarray:
    return np.ones(votes.voter.max() + 1, dtype=np.bool_)


def test_a_voter_who_takes_the_first_answer_stands_out_and_nobody_else_does() -> None:
    votes = some_votes()
    always = with_outcome(votes, 3, np.full(len(votes.voter), Outcome.A_WINS))

    found = voter_qualities(always, models=6, trusted=everybody(votes))

    assert found.first[3] == 1
    assert found.first_excess[3] == pytest.approx(0.5, abs=0.1)
    assert found.first_lower[3] > 0.3
    assert found.first_p[3] < 1e-10
    assert (np.delete(found.first_p, 3) < 0.05).mean() < 0.3


def test_honest_voters_prefer_a_side_as_seldom_as_the_test_says() -> None:
    """Whatever their tastes, with the contrarian among them: sides are drawn by lot."""
    found = []
    for seed in range(15):
        votes = some_votes(seed=seed)
        turned = np.select([votes.outcome == 0, votes.outcome == 1], [1, 0], votes.outcome)
        contrary = with_outcome(votes, 0, turned)
        found.append(voter_qualities(contrary, models=6, trusted=everybody(votes)).first_p)

    # 300 voters: 0.05 and three standard errors.
    assert 0.01 < (np.concatenate(found) < 0.05).mean() < 0.09


def test_agreement_is_with_the_others_and_not_with_oneself() -> None:
    """Two models, one voter with most of the votes: what the others say decides."""
    votes = VoterVotes(
        model_a=np.zeros(40, dtype=np.int64),
        model_b=np.ones(40, dtype=np.int64),
        outcome=np.array([Outcome.B_WINS] * 30 + [Outcome.A_WINS] * 10),
        voter=np.array([0] * 30 + [1] * 10),
    )

    found = voter_qualities(votes, models=2, trusted=np.array([True, True]))

    assert found.agreement.tolist() == [0, 0]


def test_who_contradicts_agrees_less_than_is_expected_of_the_others() -> None:
    votes = some_votes()
    turned = np.select([votes.outcome == 0, votes.outcome == 1], [1, 0], votes.outcome)

    found = voter_qualities(with_outcome(votes, 7, turned), models=6, trusted=everybody(votes))

    assert found.agreement_upper[7] < found.agreement_expected[7] - 0.1
    inside = (found.agreement_lower <= found.agreement_expected) & (
        found.agreement_expected <= found.agreement_upper
    )
    assert np.delete(inside, 7).mean() > 0.6


def test_ties_are_counted_apart_and_a_voter_without_decided_votes_has_no_numbers() -> None:
    votes = some_votes()
    tied = with_outcome(votes, 2, np.full(len(votes.voter), Outcome.BOTH_BAD))

    found = voter_qualities(tied, models=6, trusted=everybody(votes))

    assert (found.ties[2], found.decided[2]) == (1, 0)
    assert found.votes[2] == (votes.voter == 2).sum()
    assert np.isnan([found.first[2], found.first_p[2], found.agreement[2]]).all()
    assert found.ties.mean() == pytest.approx(0.3, abs=0.1)


def test_wilson_gives_the_published_interval() -> None:
    """Newcombe 1998, table I: 81 of 263 is 0.2553 to 0.3662; 0 of 20 is 0 to 0.1611."""
    lower, upper = wilson(np.array([81, 0]), np.array([263, 20]))

    np.testing.assert_allclose(lower, [0.2553, 0], atol=5e-5)
    np.testing.assert_allclose(upper, [0.3662, 0.1611], atol=5e-5)


def test_more_failures_than_slips_are_unlikely() -> None:
    p_value = excess_p(np.array([0, 1, 2, 0]), np.array([2, 2, 2, 0]), rate=0.05)

    np.testing.assert_allclose(p_value, [1, 0.0975, 0.0025, 1])


def test_a_share_of_few_voters_is_less_sure_than_that_of_many() -> None:
    chosen = np.array([True, False] * 200)

    alone = share_of(chosen, np.arange(400))
    grouped = share_of(np.sort(chosen), np.repeat(np.arange(8), 50))

    assert alone is not None
    assert grouped is not None
    assert alone.value == grouped.value == 0.5
    assert alone.upper - alone.lower == pytest.approx(0.098, abs=0.002)
    assert grouped.upper - grouped.lower > 0.5


def test_shares_of_the_site_are_of_all_votes_and_of_decided_ones() -> None:
    votes = VoterVotes(
        model_a=np.array([0, 0, 0, 0]),
        model_b=np.array([1, 1, 1, 1]),
        outcome=np.array([Outcome.A_WINS, Outcome.A_WINS, Outcome.B_WINS, Outcome.TIE]),
        voter=np.arange(4),
    )

    first, ties = first_share(votes), tie_share(votes)

    assert first is not None
    assert ties is not None
    assert first.votes == 3
    assert first.value == pytest.approx(2 / 3)
    assert (ties.votes, ties.value) == (4, 0.25)


def test_no_votes_have_no_share() -> None:
    assert share_of(np.empty(0, dtype=np.bool_), np.empty(0, dtype=np.int64)) is None
