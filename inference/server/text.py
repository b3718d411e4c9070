"""From tokens to text that may be sent: whole characters only, and never a piece of a stop string.

It knows a `decode` function and strings; it knows no model, batch or protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Decode = Callable[[Sequence[int]], str]

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_MOST_PENDING = 8
"""So many tokens without a whole character are none, as a character has at most 4 bytes: a broken
model may write such tokens without end."""


@dataclass
class TokenText:
    """Incremental detokenisation.

    A token may hold half a character, and its text may depend on the token before it, so the new
    text is the difference of two decodings that begin at the same earlier token.
    """

    decode: Decode
    _tokens: list[int] = field(default_factory=list)
    _begin: int = 0
    _shown: int = 0

    def push(self, tokens: Sequence[int]) -> str:
        """The text that became certain with `tokens`; empty while a character is incomplete."""
        return "".join(self._push(token) for token in tokens)

    def _push(self, token: int) -> str:
        self._tokens.append(token)
        before = self.decode(self._tokens[self._begin : self._shown])
        after = self.decode(self._tokens[self._begin :])
        if after.endswith(_REPLACEMENT) and len(self._tokens) - self._shown < _MOST_PENDING:
            return ""
        self._begin, self._shown = self._shown, len(self._tokens)
        return after[len(before) :]

    def finish(self) -> str:
        """What is left when no token follows; a character that was cut in half is left out."""
        before = self.decode(self._tokens[self._begin : self._shown])
        after = self.decode(self._tokens[self._begin :])
        self._begin = self._shown = len(self._tokens)
        return after[len(before) :].rstrip(_REPLACEMENT)


@dataclass
class StopFilter:
    """Holds back text that may turn out to be the beginning of a stop string."""

    stops: tuple[str, ...]
    stopped: bool = False
    _held: str = ""

    def push(self, text: str) -> str:
        """The part of the text so far that can be sent. After a stop string `stopped` is true."""
        if self.stopped:
            return ""
        text = self._held + text
        found = [at for at in (text.find(stop) for stop in self.stops) if at >= 0]
        if found:
            self.stopped = True
            self._held = ""
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self.stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """What was held back and turned out to be no stop string."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a proper beginning of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
