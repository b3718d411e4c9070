"""Lines that tell a person at a terminal what is going on; knows nothing of what is being done."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

Say = Callable[[str], None]
"""Takes one line without its newline."""


def say_nothing(_line: str) -> None:
    """For callers that report nothing, such as tests."""


def say_on_stderr(line: str) -> None:
    """For commands whose standard output belongs to their result."""
    line_write(line, sys.stderr)


def line_write(line: str, stream: TextIO) -> None:
    """One line, at once. Whoever read the stream may have gone; the work goes on without them."""
    with suppress(BrokenPipeError):
        stream.write(f"{line}\n")
        stream.flush()


class Patience:
    """Says that a wait goes on: after `first` seconds, and again each time it has doubled.

    A short wait stays silent, and a long one fills no screen.
    """

    def __init__(self, what: str, say: Say, *, first: float = 3.0) -> None:
        self._what = what
        self._say = say
        self._began = time.monotonic()
        self._next = first

    @property
    def seconds(self) -> float:
        """How long the wait has lasted."""
        return time.monotonic() - self._began

    def tick(self, reason: str = "") -> None:
        """Call at every look; `reason` says what is still missing."""
        if self.seconds < self._next:
            return
        self._next *= 2
        tail = f": {reason}" if reason else ""
        self._say(f"still waiting for {self._what} ({self.seconds:.0f} s){tail}")
