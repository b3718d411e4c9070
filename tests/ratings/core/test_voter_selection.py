"""Whoever votes only where one model is stands out; people in and out of the mood do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import nchypergeom_fisher, norm

from ratings.core.outcomes import FloatArray, IntArray
from ratings.core.voter_selection import (
    FEWEST_BATTLES,
    READINESS_SD,
    Meetings,
    meetings_of,
    selective_voters,
)


def one_row(battles: int, met: int, voted: int, voted_met: int) -> Meetings:
    counts = (np.array([count]) for count in (battles, met, voted, voted_met))
    return Meetings(np.array([0]), np.array([0]), *counts)


def p_value(*counts: int) -> float:
    return float(selective_voters(one_row(*counts), voters=1).p_value[0])


def drawn(
    random: np.random.Generator, voters: int, battles: int, models: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Voter and models of battles, every pair alike, in the order in which they came."""
    voter = np.tile(np.arange(voters), battles)
    model_a = random.integers(0, models, len(voter))
    return voter, model_a, (model_a + random.integers(1, models, len(voter))) % models


def crowd(
    seed: int, *, voters: int = 200, models: int = 12, share: float = 0.4, common: float, own: float
) -> Meetings:
    """Honest people who vote more readily on some models than on others, and more or less often."""
    random = np.random.default_rng(seed)
    voter, a, b = drawn(random, voters, 80, models)
    ready: FloatArray = own * random.standard_normal((voters, models))
    ready += common * random.standard_normal(models)
    mood = np.log(share / (1 - share)) + random.standard_normal(voters)[voter]
    chance = expit(mood + ready[voter, a] + ready[voter, b])
    return meetings_of(voter, a, b, random.random(len(voter)) < chance)


def test_battles_are_counted_from_the_first_with_a_model_to_the_last() -> None:
    # Of voter 1: 0-1 voted, 2-1 left, 0-2 voted, 2-1 voted. Voter 0 has one battle in between.
    found = meetings_of(
        np.array([1, 1, 0, 1, 1]),
        np.array([0, 2, 0, 0, 2]),
        np.array([1, 1, 2, 2, 1]),
        np.array([True, False, True, True, True]),
    )

    rows = zip(
        *(
            column.tolist()
            for column in (
                found.voter, found.model, found.battles, found.met, found.voted, found.voted_met
            )
        ),
        strict=True,
    )  # fmt: skip
    assert list(rows) == [
        (0, 0, 1, 1, 1, 1),
        (0, 2, 1, 1, 1, 1),
        (1, 0, 3, 2, 2, 2),
        (1, 1, 4, 3, 3, 2),
        (1, 2, 3, 3, 2, 2),
    ]


def test_nobody_met_anything() -> None:
    none = np.zeros(0, dtype=np.int64)

    found = selective_voters(meetings_of(none, none, none, none == 1), voters=0)

    assert found.flagged.shape == (0,)


@pytest.mark.parametrize("counts", [(60, 6, 9, 6), (200, 20, 40, 14), (400, 40, 45, 38)])
def test_the_p_value_is_fishers_with_a_normal_log_odds_ratio(counts: tuple[int, ...]) -> None:
    battles, met, voted, voted_met = counts
    places, step = np.linspace(-8, 8, 4001, retstep=True)
    law = nchypergeom_fisher
    tails = law.sf(voted_met - 1, battles, met, voted, np.exp(READINESS_SD * places))

    assert p_value(*counts) == pytest.approx((tails * norm.pdf(places)).sum() * step, rel=0.01)


def test_who_votes_only_where_a_model_is_is_found_and_the_model_named() -> None:
    random = np.random.default_rng(1)
    voter, a, b = drawn(random, 60, 80, 12)
    there = (a == 5) | (b == 5)
    rigs = voter < 5
    voted = np.where(rigs, there, random.random(len(voter)) < 0.4)
    meetings = meetings_of(voter, a, b, voted)

    found = selective_voters(meetings, voters=60)

    assert np.flatnonzero(found.flagged).tolist() == [0, 1, 2, 3, 4]
    assert meetings.model[found.row[found.flagged]].tolist() == [5] * 5


@pytest.mark.parametrize("share", [0.15, 0.7])
@pytest.mark.parametrize(("common", "own"), [(0.0, 0.7), (0.5, 0.5)])
def test_people_more_ready_to_vote_on_some_models_are_not_flagged(
    common: float, own: float, share: float
) -> None:
    found = [
        selective_voters(crowd(seed, share=share, common=common, own=own), voters=200)
        for seed in range(15)
    ]

    assert not any(each.flagged.any() for each in found)
    # The test is not merely asleep: most of those who vote seldom are tested.
    assert share > 0.5 or np.mean([each.tested.mean() for each in found]) > 0.5


def test_a_model_that_came_when_somebody_had_begun_to_vote_is_no_selection() -> None:
    random = np.random.default_rng(2)
    voter, a, b = drawn(random, 40, 200, 8)
    late = np.arange(len(voter)) >= len(voter) // 2
    # Models 6 and 7 come late; before that people hardly vote, afterwards often.
    early = ~late & ((a >= 6) | (b >= 6))
    voter, a, b, late = voter[~early], a[~early], b[~early], late[~early]
    voted = random.random(len(voter)) < np.where(late, 0.9, 0.02)

    assert not selective_voters(meetings_of(voter, a, b, voted), voters=40).flagged.any()


def test_who_always_votes_or_hardly_ever_began_is_not_tested() -> None:
    assert p_value(100, 10, 100, 10) == 1
    assert p_value(100, 10, 0, 0) == 1
    few = FEWEST_BATTLES - 1
    assert all(
        p_value(few, met, voted, min(met, voted)) == 1
        for met in range(1, few + 1)
        for voted in range(few + 1)
    )
    assert p_value(60, 6, 6, 6) < 0.01


def test_each_voter_pays_for_their_models_and_all_for_each_other() -> None:
    rows = [one_row(60, 6, 8, 6), one_row(60, 6, 8, 1), one_row(60, 6, 8, 0)]
    voter = np.array([0, 0, 1])
    joined = Meetings(
        voter,
        np.array([0, 1, 0]),
        *(
            np.concatenate([getattr(row, name) for row in rows])
            for name in ("battles", "met", "voted", "voted_met")
        ),
    )

    found = selective_voters(joined, voters=3)

    alone = p_value(60, 6, 8, 6)
    assert found.p_value[0] == pytest.approx(2 * alone)
    assert found.adjusted_p[0] == pytest.approx(4 * alone)
    assert found.row.tolist() == [0, 2, -1]
    assert found.tested.tolist() == [True, True, False]
