"""Geometry of charts, for templates that draw them as inline SVG. Knows no colours and no HTML.

Positions are percentages of the chart's width, so that drawings scale without distortion and need
no inline style.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# Marks keep clear of the edges by this much, in percent.
MARGIN = 3.0
TICKS = 6


@dataclass(frozen=True)
class Interval:
    """One rating on the axis; `left` and `right` are None where there is no interval."""

    x: float
    left: float | None
    right: float | None


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A shared axis: `low` and `high` in rating points stand at MARGIN and 100 - MARGIN percent."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Where `value` stands, in percent of the width."""
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + share * (100 - 2 * MARGIN), 2)

    def interval(self, *, value: float, lower: float | None, upper: float | None) -> Interval:
        return Interval(
            x=self.x(value),
            left=None if lower is None else self.x(lower),
            right=None if upper is None else self.x(upper),
        )

    def ticks(self) -> list[Tick]:
        """Round numbers on the axis, at most TICKS + 1 of them."""
        step = _round_step((self.high - self.low) / TICKS)
        first = math.ceil(self.low / step)
        last = math.floor(self.high / step)
        return [Tick(self.x(i * step), f"{i * step:g}") for i in range(first, last + 1)]


def axis_over(values: Iterable[float | None]) -> Axis | None:
    """The axis that holds all numbers among `values`; None when there is none.

    A single number gets a hundred points of room, so that there is an axis at all.
    """
    numbers = [value for value in values if value is not None]
    if not numbers:
        return None
    low, high = min(numbers), max(numbers)
    if high - low < 1:
        low, high = low - 50, high + 50
    return Axis(low=low, high=high)


def _round_step(least: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
