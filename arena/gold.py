"""Gold battles: now and then one answer is spoilt on purpose, to see whether votes are careful.

Knows no battle, no vote and no Django: text in, text out.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import deque
from enum import Enum

# A share of the battles that teaches nothing about the models; more would be unfair to voters.
HIGHEST_RATE = 0.2
# A word comes out when this many more have come in.
WINDOW = 8
# Written without blanks: Han, kana, Hangul, Thai, Lao, Burmese, Khmer and Tibetan move by the
# character and not by the word, which would be a whole sentence.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
# A longer run of letters is cut, so that text goes on coming whatever a model writes.
LONGEST_WORD = 24
_JOINERS = "\u200c\u200d"  # within words of Persian, Hindi and others
LONGEST_ITEM_NUMBER = 9  # digits; CommonMark takes more for text


def gold_rate_parse(text: str) -> float:
    """The share of anonymous battles that are gold, 0 to 0.2; ValueError says what is wrong."""
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= HIGHEST_RATE:
        raise ValueError(
            f"ARENA_GOLD_RATE is {text!r}: give the share of battles with a spoilt answer, 0 to "
            f"{HIGHEST_RATE}"
        )
    return rate


class _Kind(Enum):
    """What a character is to the spoiler."""

    LETTER = "letter"  # goes with its neighbours: a word moves as a whole
    ALONE = "alone"  # moves by itself
    MARK = "mark"  # stays with what it stands on
    GAP = "gap"  # never moves


def _kind(character: str) -> _Kind:
    category = unicodedata.category(character)
    if category[0] == "M" or character in _JOINERS:
        return _Kind.MARK
    if _UNSPACED.match(character):
        return _Kind.ALONE
    return _Kind.LETTER if category[0] in "LN" else _Kind.GAP


class Spoiler:
    """Scrambles the words of one answer as it comes; the same seed scrambles it the same way.

    Blanks, line breaks, punctuation, Markdown and the numbers of lists stay where they are; words
    change places with others near them. So length and layout are the model's own; text comes out
    at the pace at which it comes in, WINDOW words later. What comes out does not depend on how the
    text is cut into pieces. From two words on, none stays in its place; of an answer of at most
    WINDOW words, the letters of each are turned round besides.
    """

    def __init__(self, *, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing hangs on not guessing it
        self._word = ""
        self._last = _Kind.GAP
        self._begins_line = True
        self._number = ""  # at a line's start, while it may be that of a list's item
        self._words: list[tuple[int, str]] = []  # that wait for a place, numbered as they came
        self._layout: deque[str | None] = deque()  # gaps that wait to be told, None for a place
        self._came = self._placed = 0

    def feed(self, text: str) -> str:
        """The next piece of the answer; what may be shown of the spoilt one."""
        return "".join(map(self._take, text))

    def finish(self) -> str:
        """The answer is whole: the rest of the spoilt one."""
        told = self._take_number(is_item=False)
        self._end_word()
        if not self._placed:
            # A few words may read as well in another order, and one has no other.
            self._words = [(number, _turned_round(word)) for number, word in self._words]
        return told + self._place(keep=0)

    def _take(self, character: str) -> str:
        """Hold back a number at a line's start until it is clear whether it counts an item."""
        held = self._number
        if character.isdecimal():
            goes_on = self._begins_line if not held else held.isdecimal()
            if goes_on and len(held) < LONGEST_ITEM_NUMBER:
                self._number += character
                return ""
        elif character in ".)" and held.isdecimal():
            self._number += character
            return ""
        is_item = not held.isdecimal() and character.isspace()
        return self._take_number(is_item=is_item) + self._take_text(character)

    def _take_number(self, *, is_item: bool) -> str:
        held, self._number = self._number, ""
        if is_item:
            self._layout.extend(held)
            return self._place(keep=WINDOW)
        return "".join(map(self._take_text, held))

    def _take_text(self, character: str) -> str:
        kind = _kind(character)
        if kind == _Kind.MARK:
            # A mark on its own, or on a gap (as in many emoji), stays in the gap.
            kind = _Kind.GAP if self._last == _Kind.GAP else _Kind.MARK
        self._begins_line = character == "\n" or (self._begins_line and kind == _Kind.GAP)
        starts = kind in {_Kind.ALONE, _Kind.GAP} or len(self._word) == LONGEST_WORD
        if starts or (kind == _Kind.LETTER and self._last == _Kind.ALONE):
            self._end_word()
        if kind == _Kind.GAP:
            self._layout.append(character)
        else:
            self._word += character
        # A mark leaves the kind of what it stands on.
        self._last = self._last if kind == _Kind.MARK else kind
        return self._place(keep=WINDOW)

    def _end_word(self) -> None:
        if self._word:
            self._words.append((self._came, self._word))
            self._layout.append(None)
            self._came += 1
            self._word = ""

    def _place(self, *, keep: int) -> str:
        """Fill the places in order while more than `keep` words wait; gaps between come along."""
        told = []
        while self._layout:
            gap = self._layout[0]
            if gap is None:
                if len(self._words) <= keep:
                    break
                gap = self._draw_word()
            self._layout.popleft()
            told.append(gap)
        return "".join(told)

    def _draw_word(self) -> str:
        place, last = self._placed, self._placed + 1
        choice = [n for n, (number, _) in enumerate(self._words) if number != place]
        if len(self._words) == 2:
            choice = [n for n in choice if self._words[n][0] == last] or choice
        self._placed += 1
        return self._words.pop(self._random.choice(choice or [0]))[1]


def _turned_round(word: str) -> str:
    """The letters of a word from the last to the first, each with its marks."""
    letters: list[str] = []
    for character in word:
        if letters and _kind(character) == _Kind.MARK:
            letters[-1] += character
        else:
            letters.append(character)
    return "".join(reversed(letters))
