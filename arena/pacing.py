"""Blind pacing: both answers are shown at one common speed, so that neither gives its model away.

Counts characters and seconds; knows no text, no clock, no event loop and no Django.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

# Between two frames. 25 a second look like writing, and keep a socket's work small.
TICK_SECONDS = 0.04
# The common start is at a whole one after the prompt. Without this the moment would tell of pairs:
# where it comes early, both models are quick to begin.
START_SECONDS = 1.0
SLOWEST, FASTEST = 5, 2000
_PACING = re.compile(r"common/(?P<speed>[0-9]{1,6})")


@dataclass(frozen=True)
class Pacing:
    """Both sides are shown at `characters_per_second` (Unicode code points), in lockstep.

    `str()` is the form in which a battle stores it and the setting names it: "common/60".
    """

    characters_per_second: int

    def __str__(self) -> str:
        return f"common/{self.characters_per_second}"

    def position(self, tick: int) -> int:
        """Characters of each side that may be shown after this many ticks."""
        return int(self.characters_per_second * tick * Fraction(str(TICK_SECONDS)))

    def seconds(self, characters: int) -> float:
        """How long it takes to show this many."""
        return characters / self.characters_per_second


def start_after(seconds: float) -> float:
    """When to begin, in seconds after the prompt, where both sides have text after `seconds`."""
    return math.ceil(seconds / START_SECONDS) * START_SECONDS


def pacing_parse(text: str) -> Pacing | None:
    """`"none"` is None, `"common/60"` both sides at 60 characters a second.

    Raises ValueError, which says what is wrong, for anything else.
    """
    if text == "none":
        return None
    match = _PACING.fullmatch(text)
    if match is None:
        raise ValueError(
            f'ARENA_PACING is {text!r}: give "none", or "common/60" to show both answers at 60 '
            "characters a second"
        )
    speed = int(match["speed"])
    if not SLOWEST <= speed <= FASTEST:
        raise ValueError(
            f"ARENA_PACING is {text!r}: the speed must be {SLOWEST} to {FASTEST} characters a "
            "second"
        )
    return Pacing(speed)


@dataclass
class _Side:
    """One answer: characters that have come, whether more may come, characters that are shown."""

    arrived: int = 0
    is_whole: bool = False
    shown: int = 0


class Lockstep:
    """How much of each side may be shown: one position for all sides, on a fixed grid.

    Nothing is shown until every side has text or has ended without any. From then on the position
    moves by one tick at a time, and only when every side that is still being written has text up
    to the next one. So a stall of one side stalls all, and even then the positions at which frames
    end belong to the grid and not to the pieces in which a model's text came.
    """

    def __init__(self, pacing: Pacing, sides: Iterable[str]) -> None:
        self._pacing = pacing
        self._sides = {side: _Side() for side in sides}
        self._tick = 0

    def arrive(self, side: str, characters: int) -> None:
        """This many more characters of a side have come."""
        self._sides[side].arrived += characters

    def end(self, side: str) -> None:
        """No more text of this side will come."""
        self._sides[side].is_whole = True

    @property
    def is_started(self) -> bool:
        """Whether there is something to show of every side, an early end included."""
        return all(side.arrived or side.is_whole for side in self._sides.values())

    def step(self) -> bool:
        """Move by one tick if all sides allow it; whether they did."""
        if not self.is_started:
            return False
        position = self._pacing.position(self._tick + 1)
        if any(s.arrived < position for s in self._sides.values() if not s.is_whole):
            return False
        self._tick += 1
        for side in self._sides.values():
            side.shown = min(position, side.arrived)
        return True

    def shown(self, side: str) -> int:
        """Characters of a side that may be shown now."""
        return self._sides[side].shown

    def is_over(self, side: str) -> bool:
        """Whether a side's end may be told: it has ended, and all its text is shown.

        The end of a side without text waits for the common start: told at once, it would set the
        other side's first token apart as that side's own.
        """
        state = self._sides[side]
        return self.is_started and state.is_whole and state.shown == state.arrived
