"""An imagined arena is as it was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS
from ratings.core.outcomes import Outcome
from ratings.simulation.votes import simulate
from ratings.simulation.worlds import SimulationError, World


def test_skills_fall_and_have_the_spread_asked_for() -> None:
    world = World(models=9, spread=140.0)

    assert (np.diff(world.skill) < 0).all()
    assert world.skill.mean() == pytest.approx(0)
    assert POINTS_PER_LOG_ODDS * world.skill.std() == pytest.approx(140)
    assert world.names[0] == "model-1"


@pytest.mark.parametrize("tie_model", ["davidson", "rao-kupper"])
@pytest.mark.parametrize("tie_share", [0.0, 0.2, 0.35])
def test_as_many_votes_tie_as_was_asked(tie_model: Any, tie_share: float) -> None:
    world = World(
        votes=100_000, voters=5_000, tie_share=tie_share, tie_model=tie_model, taste_sd=1.0,
        spread=260.0,
    )  # fmt: skip

    outcome = simulate(world, seed=3).votes.outcome

    assert (outcome >= Outcome.TIE).mean() == pytest.approx(tie_share, abs=0.005)
    if tie_share:
        both_bad = (outcome == Outcome.BOTH_BAD).sum() / (outcome >= Outcome.TIE).sum()
        assert both_bad == pytest.approx(0.5, abs=0.03)


def test_careful_voters_without_tastes_vote_by_bradley_terry() -> None:
    world = World(
        models=2, spread=100.0, votes=40_000, tie_share=0.0, taste_sd=0.0, care_lapses=0.0
    )

    votes = simulate(world, seed=1).votes

    first_is_better = votes.model_a == 0
    won = np.where(first_is_better, votes.outcome == 0, votes.outcome == 1)
    # 200 points apart: odds of 10 to the power of one half.
    assert won.mean() == pytest.approx(10**0.5 / (1 + 10**0.5), abs=0.01)


def test_copies_are_as_good_as_the_target_and_stand_after_the_others() -> None:
    world = World(models=5, variants=3, target=1)

    assert world.contestants == 7
    assert np.flatnonzero(world.submitted).tolist() == [1, 5, 6]
    assert world.skill[5] == world.skill[6] == world.skill[1]
    assert world.names[5] == "model-2-variant-2"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": 1}, "models is 1: give at least 2"),
        ({"models": 2_000, "variants": 50}, "2049 models: at most 2048 can be rated at once"),
        ({"tie_share": 1.0}, "tie_share is 1.0: give a share from 0 to below 1"),
        ({"spread": float("nan")}, "spread is nan: give a number of at least 0"),
        ({"target": 20}, "target is 20: give a model from 0 to 19"),
        ({"tie_model": "coin"}, "tie_model is 'coin': give one of davidson, rao-kupper"),
        ({"both_bad_share": 2.0}, "both_bad_share is 2.0: give a share from 0 to 1"),
    ],
)
def test_numbers_that_make_no_arena_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SimulationError) as refused:
        World(**given)

    assert str(refused.value) == message
