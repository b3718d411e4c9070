"""Both answers are shown at one speed, and what a reader sees tells of neither model's own."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.pacing import Lockstep, Pacing, pacing_parse, start_after
from config.checks import pacing_shows_an_answer_in_time

PACING = Pacing(100)  # four characters a tick
ARRIVALS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), max_size=60)


def test_the_setting_is_read_and_written_alike():
    assert pacing_parse("none") is None
    assert pacing_parse("common/60") == Pacing(60)
    assert str(Pacing(60)) == "common/60"


@pytest.mark.parametrize(
    "text", ["", "common", "common/", "common/0", "common/4", "common/2001", "common/6.5", "60"]
)
def test_a_setting_that_is_none_is_refused_by_its_name(text):
    with pytest.raises(ValueError, match="ARENA_PACING is"):
        pacing_parse(text)


@pytest.mark.parametrize("speed", [5, 7, 60, 1999])
def test_the_speed_is_kept_over_time(speed):
    assert Pacing(speed).position(250) == 10 * speed  # ten seconds


@pytest.mark.parametrize(("pacing", "told"), [(None, 0), (Pacing(14), 0), (Pacing(13), 1)])
def test_a_speed_at_which_nobody_waits_for_the_end_is_told_to_the_operator(settings, pacing, told):
    settings.ARENA_PACING = pacing

    assert len(pacing_shows_an_answer_in_time()) == told


def test_pairs_that_are_quick_to_begin_begin_with_those_that_are_not():
    assert {start_after(seconds) for seconds in (0.05, 0.4, 0.99, 1.0)} == {1.0}
    assert start_after(1.01) == 2.0


def shown(lockstep: Lockstep) -> tuple[int, int]:
    return lockstep.shown("a"), lockstep.shown("b")


def test_nothing_is_shown_before_both_have_text():
    lockstep = Lockstep(PACING, "ab")
    lockstep.arrive("a", 100)

    assert not lockstep.step()
    assert shown(lockstep) == (0, 0)

    lockstep.arrive("b", 100)
    assert lockstep.step()
    assert shown(lockstep) == (4, 4)


def test_the_end_of_an_answer_without_text_waits_for_the_other_side():
    lockstep = Lockstep(PACING, "ab")
    lockstep.end("a")
    assert not lockstep.is_over("a")

    lockstep.arrive("b", 1)
    assert lockstep.is_over("a")


def test_a_side_that_stalls_holds_the_other_and_no_frame_ends_where_its_text_does():
    lockstep = Lockstep(PACING, "ab")
    lockstep.arrive("a", 100)
    lockstep.arrive("b", 7)

    assert [lockstep.step() for _ in range(3)] == [True, False, False]
    assert shown(lockstep) == (4, 4)

    lockstep.arrive("b", 1)
    lockstep.step()
    assert shown(lockstep) == (8, 8)


def test_an_end_may_be_told_when_its_text_is_shown_and_the_other_goes_on():
    lockstep = Lockstep(PACING, "ab")
    lockstep.arrive("a", 6)
    lockstep.end("a")
    lockstep.arrive("b", 100)

    lockstep.step()
    assert not lockstep.is_over("a")
    lockstep.step()
    assert lockstep.is_over("a")
    lockstep.step()
    assert shown(lockstep) == (6, 12)


@hypothesis.settings(deadline=None)
@given(ARRIVALS)
def test_while_both_are_written_they_are_shown_as_far_as_each_other(arrivals):
    lockstep = Lockstep(PACING, "ab")
    for side, characters in arrivals:
        lockstep.arrive(side, characters)
        lockstep.step()
        first, second = shown(lockstep)
        assert first == second
        assert first % 4 == 0


def positions(arrivals: list[tuple[str, int]], lengths: dict[str, int]) -> list[tuple[int, int]]:
    """What the frames add up to, of two whole answers whose text came in this order."""
    lockstep = Lockstep(PACING, "ab")
    left = dict(lengths)
    seen = []
    for side, characters in [*arrivals, ("a", 10**6), ("b", 10**6)]:
        piece = min(characters, left[side])
        lockstep.arrive(side, piece)
        left[side] -= piece
        if not left[side]:
            lockstep.end(side)
        lockstep.step()
        seen.append(shown(lockstep))
    while not (lockstep.is_over("a") and lockstep.is_over("b")):
        lockstep.step()
        seen.append(shown(lockstep))
    return [frame for frame, _ in groupby(seen)]  # a tick without new text sends no frame


@hypothesis.settings(deadline=None)
@given(ARRIVALS, ARRIVALS, st.integers(1, 200), st.integers(1, 200))
def test_the_frames_are_the_same_however_the_text_came(one_way, another_way, length_a, length_b):
    lengths = {"a": length_a, "b": length_b}

    assert positions(one_way, lengths) == positions(another_way, lengths)


@hypothesis.settings(deadline=None)
@given(ARRIVALS, st.integers(1, 200), st.integers(1, 200))
def test_the_frames_do_not_tell_the_sides_apart(arrivals, length_a, length_b):
    other = {"a": "b", "b": "a"}
    swapped = [(other[side], characters) for side, characters in arrivals]

    there = positions(arrivals, {"a": length_a, "b": length_b})
    back = positions(swapped, {"a": length_b, "b": length_a})

    assert there == [(first, second) for second, first in back]


@hypothesis.settings(deadline=None)
@given(ARRIVALS)
def test_no_more_is_shown_than_has_come(arrivals):
    lockstep = Lockstep(PACING, "ab")
    came: dict[str, Any] = {"a": 0, "b": 0}
    for side, characters in arrivals:
        lockstep.arrive(side, characters)
        came[side] += characters
        lockstep.step()
        assert lockstep.shown("a") <= came["a"]
        assert lockstep.shown("b") <= came["b"]
