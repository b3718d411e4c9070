"""The funnel adds up, whatever the arena's reasons are."""

from __future__ import annotations

import pytest

from ratings.funnel import REASONS, exclusion_shares, vote_funnel


def test_every_vote_is_in_exactly_one_place() -> None:
    funnel = vote_funnel({"": 2, "leak": 2, "duplicate": 1, "a new reason": 1, "gone by now": 0})

    assert funnel == {
        "raw": 6,
        "counted": 2,
        **dict.fromkeys(REASONS, 0),
        "leak": 2,
        "duplicate": 1,
        "a new reason": 1,
    }
    assert sum(count for key, count in funnel.items() if key != "raw") == funnel["raw"]


def test_no_votes_are_a_funnel_too() -> None:
    assert set(vote_funnel({}).values()) == {0}


def test_a_model_answers_for_votes_that_could_have_counted_only() -> None:
    shares = exclusion_shares(
        {"leak": 3, "too_fast": 1, "gone": 0, "named": 50, "revealed": 50, "gold": 50}, counted=6
    )

    assert shares == {"leak": pytest.approx(0.3), "too_fast": pytest.approx(0.1)}


def test_a_model_without_votes_has_no_shares() -> None:
    assert exclusion_shares({"named": 4}, counted=0) == {}
