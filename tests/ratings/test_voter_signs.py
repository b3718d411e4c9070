"""Signs speak for themselves: what an honest voter hardly ever does, apart from what is voted."""

from __future__ import annotations

import math

import pytest

from ratings.selectors.voters import Behaviour
from ratings.voter_signs import gold_p_values, signs


@pytest.mark.parametrize(
    ("behaviour", "excess", "found"),
    [
        (Behaviour(votes=100), 0.0, []),
        (Behaviour(votes=100, gold_seen=4, gold_failed=1), 0.0, []),
        (Behaviour(votes=100, gold_seen=4, gold_failed=3), 0.0, ["gold"]),
        (Behaviour(votes=100, too_fast=6), 0.0, []),
        (Behaviour(votes=100, too_fast=30), 0.0, ["too_fast"]),
        (Behaviour(votes=100, retests=8, retests_reversed=2), 0.0, []),
        (Behaviour(votes=100, retests=8, retests_reversed=7), 0.0, ["retest"]),
        (Behaviour(votes=100), 0.2, []),
        (Behaviour(votes=100), -0.4, ["side"]),
        (Behaviour(votes=100, too_fast=30, gold_seen=2, gold_failed=2), 0.4,
         ["gold", "side", "too_fast"]),
    ],
)  # fmt: skip
def test_what_honest_people_do_now_and_then_is_no_sign(
    behaviour: Behaviour, excess: float, found: list[str]
) -> None:
    assert signs(behaviour, first_excess=excess, first_p=1e-6) == found


def test_a_preferred_side_is_to_be_sure_too() -> None:
    assert signs(Behaviour(votes=4), first_excess=0.5, first_p=0.06) == []


def test_a_side_that_could_not_be_measured_is_no_sign() -> None:
    assert signs(Behaviour(votes=10), first_excess=math.nan, first_p=math.nan) == []


def test_gold_battles_are_judged_among_those_who_met_one() -> None:
    plain, adjusted = gold_p_values(
        [
            Behaviour(gold_seen=3, gold_failed=3),
            Behaviour(gold_seen=3, gold_failed=1),
            *[Behaviour(gold_seen=2)] * 8,
            *[Behaviour()] * 90,
        ]
    )

    assert plain[0] == pytest.approx(0.05**3)
    assert adjusted[0] == pytest.approx(10 * 0.05**3)
    assert (adjusted[1:] > 0.05).all()
