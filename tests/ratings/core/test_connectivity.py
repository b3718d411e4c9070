"""Who can be rated, and what is said of the others."""

from __future__ import annotations

import numpy as np

from ratings.core.connectivity import (
    ELSEWHERE,
    LOST_ALL,
    NO_VOTES,
    ONE_WAY,
    WON_ALL,
    Connectivity,
    connectivity,
)
from ratings.core.outcomes import OutcomeCells
from tests.ratings.core.votes import votes


def connect(cells: OutcomeCells) -> Connectivity:
    return connectivity(cells.pairs(), models=cells.models)


def test_a_circle_of_wins_makes_all_ratable() -> None:
    found = connect(votes((0, 1, 0), (1, 2, 0), (0, 2, 1), models=3))

    assert found.rated.tolist() == [0, 1, 2]
    assert found.reasons == ("", "", "")
    assert found.groups == 1


def test_one_tie_connects_both_ways() -> None:
    found = connect(votes((0, 1, 2), models=2))

    assert found.rated.tolist() == [0, 1]


def test_models_that_won_or_lost_everything_are_named() -> None:
    found = connect(votes((0, 1, 0), (0, 1, 1), (2, 0, 0), (3, 0, 1), (1, 3, 0), models=4))

    assert found.rated.tolist() == [0, 1]
    assert found.reasons == ("", "", WON_ALL, LOST_ALL)


def test_a_chain_of_wins_rates_nobody() -> None:
    found = connect(votes((0, 1, 0), (1, 2, 0), models=3))

    assert found.rated.tolist() == []
    assert found.reasons == (WON_ALL, ONE_WAY, LOST_ALL)


def test_models_without_votes_belong_to_no_group() -> None:
    found = connect(votes((1, 2, 2), models=4))

    assert found.group.tolist() == [-1, 0, 0, -1]
    assert found.groups == 1
    assert found.reasons == (NO_VOTES, "", "", NO_VOTES)


def test_of_two_unconnected_groups_the_larger_is_rated() -> None:
    found = connect(
        votes((0, 1, 2), (0, 1, 2), (0, 1, 2), (2, 3, 2), (3, 4, 2), (5, 6, 0), models=7)
    )

    assert found.groups == 3
    assert found.group.tolist() == [1, 1, 0, 0, 0, 2, 2]
    assert found.rated.tolist() == [2, 3, 4]
    assert found.reasons[:2] == (ELSEWHERE, ELSEWHERE)
    assert found.reasons[5:] == (WON_ALL, LOST_ALL)


def test_a_group_that_lost_every_battle_against_the_rated_is_not_rated_with_them() -> None:
    upper = [(0, 1, 2), (1, 2, 2)]
    lower = [(3, 4, 2)]

    found = connect(votes(*upper, *lower, (0, 3, 0), (2, 4, 0), models=5))

    assert found.groups == 1
    assert found.rated.tolist() == [0, 1, 2]
    assert found.reasons[3:] == (ONE_WAY, ONE_WAY)


def test_nothing_at_all_connects_nothing() -> None:
    for models in (0, 1, 3):
        found = connect(OutcomeCells(np.zeros((models, models, 4), dtype=np.int64)))

        assert found.groups == 0
        assert found.rated.tolist() == []
        assert found.reasons == (NO_VOTES,) * models
