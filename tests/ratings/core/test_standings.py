"""The rows of a leaderboard: a number where one exists, a reason where none does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from ratings.core.connectivity import LOST_ALL, NO_VOTES, WON_ALL
from ratings.core.outcomes import OutcomeCells
from ratings.core.standings import NO_INTERVAL, standings
from tests.ratings.core.votes import connected_cells, votes


def test_a_young_arena_shows_what_it_knows_and_says_the_rest() -> None:
    result = standings(
        votes((0, 1, 0), (1, 0, 0), (0, 1, 2), (2, 0, 0), (1, 3, 0), models=5), seed=1
    )

    assert result.rating[:2] == pytest.approx([1000, 1000])
    assert result.lower[0] < 1000 < result.upper[0]
    assert np.isnan(result.rating[2:]).all()
    assert result.rank.tolist() == [1, 1, 0, 0, 0]
    assert result.rank_low.tolist() == [1, 1, 0, 0, 0]
    assert result.rank_high.tolist() == [2, 2, 0, 0, 0]
    assert result.votes.tolist() == [4, 4, 1, 1, 0]
    assert result.reasons == ("", "", WON_ALL, LOST_ALL, NO_VOTES)


def test_a_fresh_arena_has_no_numbers_and_no_infinity() -> None:
    for models in (0, 1, 4):
        result = standings(OutcomeCells(np.zeros((models, models, 4), dtype=np.int64)))

        assert np.isnan(result.rating).all()
        assert result.reasons == (NO_VOTES,) * models


def test_ties_alone_give_ratings_without_intervals() -> None:
    result = standings(votes((0, 1, 2), (0, 1, 3), models=2))

    assert result.rating == pytest.approx([1000, 1000])
    assert np.isnan(result.lower).all()
    assert result.reasons == (NO_INTERVAL, NO_INTERVAL)


def test_dropped_both_bad_votes_are_neither_counted_nor_connect() -> None:
    cells = votes((0, 1, 0), (0, 1, 1), (1, 2, 3), models=3)

    assert standings(cells).votes.tolist() == [2, 3, 1]
    dropped = standings(cells, both_bad="drop")
    assert dropped.votes.tolist() == [2, 2, 0]
    assert dropped.reasons[2] == NO_VOTES


@given(connected_cells())
@settings(max_examples=60, deadline=None)
def test_numbers_are_finite_and_in_order(cells: OutcomeCells) -> None:
    result = standings(cells, draws=500)

    assert result.rating.mean() == pytest.approx(1000)
    known = ~np.isnan(result.se)
    assert np.isfinite(result.rating).all()
    assert (result.lower[known] < result.rating[known]).all()
    assert (result.rating[known] < result.upper[known]).all()
    assert (result.rank_low <= result.rank).all()
    assert (result.rank <= result.rank_high).all()
    assert sum(reason == "" for reason in result.reasons) == known.sum()
