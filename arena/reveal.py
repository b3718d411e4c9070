"""When the text of a turn is shown to readers: as it comes, or both sides at one speed.

Lives in the runner's event loop. What has come and is not shown is here and nowhere else, so that
neither frames nor snapshots, views or saved text can tell of it. Knows nothing of models, of the
database or of how an answer ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from arena.live import LiveTurn
from arena.pacing import TICK_SECONDS, Lockstep, Pacing, start_after

FRAME_SECONDS = 0.04


class Reveal(Protocol):
    """Takes the text of each side as it comes, and shows it when it may be shown."""

    async def run(self) -> None:
        """Show what comes until all is shown or `cut` ends it."""

    def add(self, side: str, text: str) -> None:
        """More text of a side has come."""

    def end(self, side: str) -> None:
        """No more text of a side will come."""

    async def until_over(self, side: str) -> None:
        """Return when a side's end may be told, or when nothing more will be shown."""

    def is_over(self, side: str) -> bool:
        """Whether a side has ended and all its text is shown."""

    def cut(self) -> None:
        """Show nothing more."""


class AsItComes:
    """Text is shown at once after a pause, else in step with the frame rate."""

    def __init__(self, turn: LiveTurn) -> None:
        self._turn = turn
        self._is_frame_due = False
        self._last_frame = 0.0

    async def run(self) -> None:
        """Frames are sent by `add`."""

    def add(self, side: str, text: str) -> None:
        self._turn.append(side, text)
        if self._is_frame_due:
            return
        loop = asyncio.get_running_loop()
        wait = self._last_frame + FRAME_SECONDS - loop.time()
        if wait <= 0:
            self._frame()
        else:
            self._is_frame_due = True
            loop.call_later(wait, self._frame)

    def end(self, side: str) -> None:
        """All its text is shown already."""

    async def until_over(self, side: str) -> None:
        """It is."""

    def is_over(self, side: str) -> bool:  # noqa: ARG002
        return True

    def cut(self) -> None:
        """What has come is shown."""

    def _frame(self) -> None:
        self._is_frame_due = False
        self._last_frame = asyncio.get_running_loop().time()
        self._turn.flush()


class Paced:
    """Both sides at one speed, in lockstep, each frame with as much of either.

    Frames are sent at ticks counted from the common start, never when text happens to come.
    """

    def __init__(self, turn: LiveTurn, pacing: Pacing, sides: Iterable[str]) -> None:
        self._turn = turn
        self._text = dict.fromkeys(sides, "")
        self._lockstep = Lockstep(pacing, self._text)
        self._over = {side: asyncio.Event() for side in self._text}
        self._news = asyncio.Event()
        self._is_cut = False
        self._shown_whole: set[str] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            while not (self._lockstep.is_started or self._is_cut):
                self._news.clear()
                await self._news.wait()
            tick = asked + start_after(loop.time() - asked)
            await asyncio.sleep(tick - loop.time())
            while not self._is_cut:
                self._show()
                if all(over.is_set() for over in self._over.values()):
                    return
                # A loop that was held up goes on from now: making up for it would be a burst.
                tick = max(tick + TICK_SECONDS, loop.time())
                await asyncio.sleep(tick - loop.time())
        finally:
            for over in self._over.values():
                over.set()

    def _show(self) -> None:
        shown = {side: self._lockstep.shown(side) for side in self._text}
        if self._lockstep.step():
            for side, before in shown.items():
                if text := self._text[side][before : self._lockstep.shown(side)]:
                    self._turn.append(side, text)
            self._turn.flush()
        for side, over in self._over.items():
            if self._lockstep.is_over(side):
                self._shown_whole.add(side)
                over.set()

    def add(self, side: str, text: str) -> None:
        self._text[side] += text
        self._lockstep.arrive(side, len(text))
        self._news.set()

    def end(self, side: str) -> None:
        self._lockstep.end(side)
        self._news.set()

    async def until_over(self, side: str) -> None:
        await self._over[side].wait()

    def is_over(self, side: str) -> bool:
        return side in self._shown_whole

    def cut(self) -> None:
        self._is_cut = True
        self._news.set()
        for over in self._over.values():
            over.set()
