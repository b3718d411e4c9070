"""A value that is looked up now and then, by one thread while the others go on with the last one.

Knows nothing of what the value is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Held(Generic[Value]):
    value: Value
    until: float  # on the monotonic clock


class Remembered(Generic[Value]):
    """What `look_up` returned, for `seconds`; it is given the value before, None at the first."""

    def __init__(self, look_up: Callable[[Value | None], Value], *, seconds: float) -> None:
        self._look_up = look_up
        self._seconds = seconds
        self._looking = Lock()
        self._held: _Held[Value] | None = None

    def now(self) -> Value:
        """The value, at most `seconds` old but for the time that one look takes.

        Raises what the first look raises. One that fails later raises too, in the thread that
        looked, and the next call looks again.
        """
        held = self._held
        if held is None:
            with self._looking:
                # Those that waited for the first look have no need of another.
                held = self._held or self._looked(None)
        elif time.monotonic() >= held.until and self._looking.acquire(blocking=False):
            try:
                held = self._looked(held.value)
            finally:
                self._looking.release()
        return held.value

    def expire(self) -> None:
        """Look again at the next call."""
        held = self._held
        if held is not None:
            self._held = _Held(held.value, until=0.0)

    def _looked(self, before: Value | None) -> _Held[Value]:
        value = self._look_up(before)
        self._held = held = _Held(value, time.monotonic() + self._seconds)
        return held
