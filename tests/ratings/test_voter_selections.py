"""Selecting and leaning together are followed by something, each by itself is not."""

from __future__ import annotations

import uuid
from dataclasses import replace

import numpy as np
import pytest

from ratings.core.voter_selection import Meetings
from ratings.core.voter_tests import VoterVotes
from ratings.selectors.meetings import MetModels
from ratings.voter_selections import Selection, selections, with_leans


def selection(p_value: float = 1e-6, *, flagged: bool = True, lean_p: float = 1.0) -> Selection:
    return Selection(
        model=7, battles=90, met=30, voted=30, voted_met=30, p_value=p_value,
        adjusted_p=p_value, flagged=flagged, lean=3.0, lean_p=lean_p,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "leans", "speaks"),
    [
        (selection(lean_p=0.001), True, True),
        (selection(lean_p=0.02), False, True),
        (selection(lean_p=0.2), False, False),
        (selection(0.02, flagged=False, lean_p=0.001), False, True),
        (selection(0.2, flagged=False, lean_p=0.001), False, False),
    ],
)
def test_both_together_exclude_and_a_rest_of_both_keeps_out(
    one: Selection, leans: bool, speaks: bool
) -> None:
    assert (one.leans, one.speaks) == (leans, speaks)


def test_each_tested_voter_is_told_with_the_model_it_is_about() -> None:
    people = [uuid.uuid4(), uuid.uuid4()]
    met = MetModels(
        people,
        Meetings(
            voter=np.array([0, 0, 1]), model=np.array([11, 12, 11]),
            battles=np.array([90, 90, 9]), met=np.array([30, 30, 9]),
            voted=np.array([31, 31, 3]), voted_met=np.array([9, 30, 3]),
        ),
    )  # fmt: skip

    found = selections(met)

    assert set(found) == {people[0]}
    one = found[people[0]]
    assert (one.model, one.met, one.voted, one.voted_met, one.flagged) == (12, 30, 31, 30, True)
    assert one.details("cyd")["battles_with_model"] == 30


def test_votes_are_looked_at_where_there_are_any_on_the_model() -> None:
    random = np.random.default_rng(1)
    voter = np.repeat(np.arange(21), 40)
    first = random.integers(0, 2, len(voter))
    # Most prefer the model of id 5 to that of id 7, but for the last voter.
    with_most = random.random(len(voter)) < 0.7
    outcome = np.where(with_most & (voter < 20), first, 1 - first)
    votes = VoterVotes(first, 1 - first, outcome, voter)
    turned, absent, other = (uuid.uuid4() for _ in range(3))
    selected = {turned: selection(), absent: selection(), other: selection()}
    unmet = {**selected, other: replace(selection(), model=6)}

    found = with_leans(
        unmet, {turned: 20, other: 3}, votes, models=np.array([5, 7]),
        trusted=np.arange(21) < 20, taste_sd=0.3, seed=1,
    )  # fmt: skip

    assert found[turned].leans
    assert found[turned].lean > 2
    assert found[absent] == unmet[absent]
    assert found[other] == unmet[other]
