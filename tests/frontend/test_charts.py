"""Geometry of the interval chart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.charts import MARGIN, TICKS, axis_over

RATINGS = st.floats(min_value=-5000, max_value=5000)


def test_the_axis_spans_all_numbers() -> None:
    axis = axis_over([900.0, None, 1000.0, 1100.0])

    assert axis is not None
    assert axis.x(900) == MARGIN
    assert axis.x(1000) == 50
    assert axis.x(1100) == 100 - MARGIN


def test_there_is_no_axis_without_numbers() -> None:
    assert axis_over([None, None]) is None


def test_one_number_stands_in_the_middle() -> None:
    axis = axis_over([1000.0])

    assert axis is not None
    assert axis.x(1000) == 50


def test_a_missing_interval_leaves_the_mark() -> None:
    axis = axis_over([900.0, 1100.0])

    assert axis is not None
    interval = axis.interval(value=1000, lower=None, upper=None)
    assert (interval.x, interval.left, interval.right) == (50, None, None)


@given(st.lists(RATINGS, min_size=1))
def test_everything_stands_within_the_chart(values: list[float]) -> None:
    axis = axis_over(values)

    assert axis is not None
    assert all(0 <= axis.x(value) <= 100 for value in values)
    assert all(0 <= tick.x <= 100 for tick in axis.ticks())
    assert len(axis.ticks()) <= TICKS + 1


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (742, 1160, ["800", "900", "1000", "1100"]),
        (990, 1010, ["990", "995", "1000", "1005", "1010"]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, labels: list[str]) -> None:
    axis = axis_over([low, high])

    assert axis is not None
    assert [tick.label for tick in axis.ticks()] == labels
