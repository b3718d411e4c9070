"""What a moderator is given and what it gives back.

Knows no moderator, no Django and no policy: what follows from a score is decided by
`arena.moderation.policy`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

MAX_CATEGORY_CHARACTERS = 60


class Failure(StrEnum):
    """Why a moderator has said nothing, in words that hold no text and no address."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    REFUSED = "refused"
    MALFORMED = "malformed"
    RESTING = "resting"
    BROKEN = "broken"


class ModeratorUnavailableError(Exception):
    """A moderator could not judge a text. `str()` is for operators and quotes nothing of it.

    `scores` is what it could say nevertheless.
    """

    def __init__(
        self, failure: Failure, detail: str, *, scores: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(f"{failure}: {detail}")
        self.failure = failure
        self.scores = scores or {}


class Moderator(Protocol):
    """Judges one text at a time, from many threads at once; knows not who wrote it."""

    name: str
    version: str

    async def scores(self, text: str) -> Mapping[str, float]:
        """Category to how surely the text belongs to it, 0 to 1; a category left out is 0.

        Raises ModeratorUnavailableError, within some seconds.
        """
        ...

    async def aclose(self) -> None:
        """Give back what is held open; asked again, it opens anew."""
        ...


def category_fault(category: object) -> str:
    """What is wrong with the name of a category; "" for none."""
    if not isinstance(category, str) or not 0 < len(category) <= MAX_CATEGORY_CHARACTERS:
        return f"a category is text of 1 to {MAX_CATEGORY_CHARACTERS} characters"
    return "" if category.isprintable() else "a category holds an unprintable character"


def score_fault(score: object) -> str:
    """What is wrong with a score; "" for none."""
    if isinstance(score, bool) or not isinstance(score, int | float) or math.isnan(score):
        return "a score is no number"
    return "" if 0 <= score <= 1 else "a score is not between 0 and 1"
