"""Tells a model's reasoning from its answer where both come as one text.

Pure; knows nothing of servers that already keep the two apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OPENING = "<think>"
CLOSING = "</think>"
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Parts:
    """What a piece of text holds of each."""

    reasoning: str = ""
    text: str = ""


class ReasoningSplitter:
    """Fed with text as it comes. `<think>` counts only as the first thing of an answer.

    What may yet become a tag is held back until it is one or not. White space before the tag and
    after the closing one belongs to neither part. Without a closing tag all of it is reasoning.
    """

    def __init__(self) -> None:
        self._state = "before"  # then "reasoning", "after" (its tag), "text"
        self._held = ""

    def feed(self, piece: str) -> Parts:
        if self._state == "text":
            return Parts(text=piece)
        text, self._held = self._held + piece, ""
        if self._state == "before":
            start = text.lstrip()
            if not start or (len(start) < len(OPENING) and OPENING.startswith(start)):
                self._held = text
                return Parts()
            if not start.startswith(OPENING):
                self._state = "text"
                return Parts(text=text)
            self._state, text = "reasoning", start.removeprefix(OPENING)
        reasoning = ""
        if self._state == "reasoning":
            reasoning, closing, text = text.partition(CLOSING)
            if not closing:
                kept = _tail_that_begins(CLOSING, reasoning)
                self._held = reasoning[len(reasoning) - kept :]
                return Parts(reasoning=reasoning[: len(reasoning) - kept])
            self._state = "after"
        text = text.lstrip()
        if text:
            self._state = "text"
        return Parts(reasoning=reasoning, text=text)

    def end(self) -> Parts:
        """What was held back for a tag that never came."""
        held, self._held = self._held, ""
        return Parts(reasoning=held) if self._state == "reasoning" else Parts(text=held)


class SurrogateJoiner:
    """Joins a character whose two UTF-16 halves came as two JSON escapes in two pieces.

    A half that stays alone is no character and becomes U+FFFD, so that all text can be encoded.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        if not self._held and (piece.isascii() or not _SURROGATES.search(piece)):
            return piece
        text, self._held = self._held + piece, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._held = text[:-1], text[-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def end(self) -> str:
        held, self._held = self._held, ""
        return "\ufffd" if held else ""


def _tail_that_begins(tag: str, text: str) -> int:
    """The length of the longest end of `text` that a `tag` could go on from."""
    for length in range(min(len(tag) - 1, len(text)), 0, -1):
        if tag.startswith(text[-length:]):
            return length
    return 0
