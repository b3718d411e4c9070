"""The funnel adds up, whatever the arena's reasons are."""

from __future__ import annotations

from ratings.funnel import vote_funnel


def test_every_vote_is_in_exactly_one_place() -> None:
    funnel = vote_funnel({"": 2, "leak": 2, "duplicate": 1, "a new reason": 1, "gone by now": 0})

    assert funnel == {
        "raw": 6,
        "counted": 2,
        "leak": 2,
        "error": 0,
        "duplicate": 1,
        "rate_cap": 0,
        "outlier": 0,
        "withdrawn": 0,
        "a new reason": 1,
    }
    assert sum(count for key, count in funnel.items() if key != "raw") == funnel["raw"]


def test_no_votes_are_a_funnel_too() -> None:
    assert set(vote_funnel({}).values()) == {0}
