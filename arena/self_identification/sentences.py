"""Sentences of a text that arrives in pieces, with what of them is quoted.

Knows no names. Where a sentence ends depends only on the characters up to there, so every way of
cutting the text into pieces gives the same sentences. A sentence has at most `LONGEST` characters.
"""

# ruff: noqa: RUF001 -- these letters are meant, though they look like Latin ones

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 800
LONG = 600  # from here on, any space ends it

# A line's end, a full stop of a script without spaces, or a space after what may end a sentence.
_PLACES = re.compile(r"""\n|[。！？｡।॥]|(?<=[.!?…؟۔።"'”’»)\]*_`~」』])\s""")
_ANY_SPACE = re.compile(r"\s|[。！？｡।॥]")
_ENDS = frozenset(".!?…؟۔።")
_CLOSERS = frozenset("\"'”’»)]*_`~」』")
_CLOSERS_READ = 8  # more than so many closing marks in a row end no sentence
_FENCE = re.compile(r"\s*(```+|~~~+)")
_BLOCK_QUOTE = re.compile(r"\s*>")
_QUOTES = re.compile('["“”„«»‹›「」『』]')
_CLOSED_BY = {
    '"': '"', "“": "”", "„": "“”", "«": "»", "‹": "›", "「": "」", "『": "』", "”": "”",
}  # fmt: skip
# Single quotes and code within a line are quotes only where both ends stand in one sentence: an
# apostrophe alone is none.
_PAIRS = re.compile(
    r"(?<!\w)['‘](?=\S)[^'‘’\n]{0,400}(?:['’]\w[^'‘’\n]{0,400}){0,8}['’](?!\w)|`[^`\n]{1,400}`"
)


@dataclass(frozen=True)
class Sentence:
    """One sentence and where it stands.

    `start` counts characters from the beginning of the text; `quoted` holds spans within `text`;
    `foreign` says that all of it is code or a block quote; `opens_line` and `ends_line` say whether
    a line begins or ends with it.
    """

    text: str
    start: int
    quoted: tuple[tuple[int, int], ...]
    foreign: bool
    opens_line: bool
    ends_line: bool


class Sentences:
    """Cuts a stream into sentences. One text each."""

    def __init__(self) -> None:
        self._pending = ""
        self._searched = 0
        self._start = 0
        self._opens_line = True
        self._fence = ""
        self._block_quote = False
        self._closing = ""  # what would close the quote that is open

    def feed(self, piece: str) -> Iterator[Sentence]:
        """The sentences that end within `piece`."""
        text = self._pending + piece
        begin, position = 0, self._searched
        while True:
            end = self._end(text, begin, position)
            if end is None:
                break
            yield self._sentence(text[begin:end])
            begin = position = end
        self._pending = text[begin:]
        self._searched = len(self._pending)

    def finish(self) -> Iterator[Sentence]:
        """What is left when the text has ended."""
        if self._pending:
            rest, self._pending = self._pending, ""
            yield self._sentence(rest)

    def _end(self, text: str, begin: int, position: int) -> int | None:
        """Where the sentence that begins at `begin` ends; places before `position` are known."""
        long, last = begin + LONG, begin + LONGEST
        for place in _PLACES.finditer(text, position, long):
            character = place[0]
            if character == "\n" or not character.isspace():
                return place.end()
            if self._closes(text, begin, place.start()):
                return place.end()
        space = _ANY_SPACE.search(text, max(position, long), last)
        if space:
            return space.end()
        return last if len(text) >= last else None

    @staticmethod
    def _closes(text: str, begin: int, space: int) -> bool:
        position = space - 1
        lowest = max(begin, space - 1 - _CLOSERS_READ)
        while position > lowest and text[position] in _CLOSERS:
            position -= 1
        return position >= begin and text[position] in _ENDS

    def _sentence(self, text: str) -> Sentence:
        opens_line, ends_line = self._opens_line, text.endswith("\n")
        if opens_line:
            self._block_quote = bool(_BLOCK_QUOTE.match(text))
            fence = _FENCE.match(text)
            inside = bool(self._fence)
            if fence and not inside and "`" not in text[fence.end() :]:
                self._fence, inside = fence[1], True
            elif fence and inside and fence[1].startswith(self._fence):
                self._fence = ""
        else:
            inside = bool(self._fence)
        foreign = inside or self._block_quote
        quoted = () if foreign else self._quoted(text)
        sentence = Sentence(text, self._start, quoted, foreign, opens_line, ends_line)
        self._start += len(text)
        self._opens_line = ends_line
        if ends_line:
            self._closing = ""
        return sentence

    def _quoted(self, text: str) -> tuple[tuple[int, int], ...]:
        spans: list[tuple[int, int]] = []
        opened = 0 if self._closing else -1
        for mark in _QUOTES.finditer(text):
            character, place = mark[0], mark.start()
            if self._closing:
                if character in self._closing:
                    spans.append((opened, mark.end()))
                    self._closing = ""
            elif character in _CLOSED_BY and not (place and text[place - 1].isdigit()):
                self._closing, opened = _CLOSED_BY[character], place
        if self._closing:
            spans.append((opened, len(text)))
        if "'" in text or "`" in text or "‘" in text:
            spans.extend(pair.span() for pair in _PAIRS.finditer(text))
        return tuple(spans)
