"""Text made comparable: one spelling for all the ways of writing the same word.

Knows no names and no languages' grammar. Every folded character remembers which character of the
original it came from, so that what is found can be shown in the original.
"""

# ruff: noqa: RUF001 -- these letters are meant, though they look like Latin ones

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Scripts written without spaces (Hangul joins its particles to words, so it is read likewise):
# one character is one token, and phrases are found as runs of tokens.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
)
# Vowel signs of Indic scripts are no letters to Python's \w.
_INDIC = r"\u0900-\u0963\u0971-\u0dff"
_WORD = rf"[{_INDIC}]+|[^\W\d_{_INDIC}{_UNSPACED}]+|\d+|[{_UNSPACED}]"

WORD = re.compile(_WORD)
# Words, and the punctuation that a sentence is read by; emphasis, quotes and apostrophes vanish.
TOKEN = re.compile(rf"{_WORD}|[^\w\s*_`'\"~#“”„«»‹›「」『』‘]")

_LETTER = rf"[^\W\d_{_INDIC}{_UNSPACED}]"
# "C l a u d e", "C-l-a-u-d-e": single letters, at least four, with one separator between them.
SPACED_LETTERS = re.compile(rf"(?<!\w){_LETTER}([ .\-_·])(?:{_LETTER}\1){{2,}}{_LETTER}(?!\w)")

# Letters that were sent as a base and its marks: kana with a voicing mark, Hangul in pieces.
_PIECES = re.compile(
    r"[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[\u3046-\u30db][\u3099\u309a]"
)

_PLAIN = {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ى": "ي",
          "ة": "ه", "ی": "ي", "ک": "ك"}  # fmt: skip
_APOSTROPHES = "’ʼ‛＇´′"
# Marks that writers leave out at will: accents, Arabic vowels and stretching, Hebrew points.
_MARKS = re.compile(r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")

# Cyrillic and Greek letters that look like Latin ones (Unicode TR 39, the subset of small letters).
LOOKALIKES = str.maketrans(
    "авеікмнорстухјѕԁԛԝһɡαβγεικνορτυχωη", "abeikmhopctyxjsdqwhgabyeikvoptuxwn"
)
_NOT_LATIN = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_LATIN = re.compile(r"[a-z]")


@dataclass(frozen=True)
class Folded:
    """Folded text; `offsets[i]` is where character i began in the original, None where i is."""

    text: str
    offsets: tuple[int, ...] | None

    def original(self, position: int) -> int:
        """The place in the original of the folded character at `position`."""
        return position if self.offsets is None else self.offsets[position]


_MOST_CHARACTERS = 20_000


class _Table(dict[int, str]):
    """What each character becomes; filled as characters are met, and emptied when it grows."""

    def __missing__(self, code: int) -> str:
        if len(self) > _MOST_CHARACTERS:
            self.clear()
        folded = self[code] = _folded_character(chr(code))
        return folded


def _folded_character(character: str) -> str:
    if character in _APOSTROPHES:
        return "'"
    if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    folded = unicodedata.normalize("NFKC", character).casefold()
    if "\uac00" <= folded <= "\ud7af" or "\u3040" <= folded <= "\u30ff":
        return folded
    parts = _MARKS.sub("", unicodedata.normalize("NFD", folded))
    return "".join(_PLAIN.get(part, part) for part in parts)


_TABLE = _Table()


def folded_text(text: str) -> str:
    """`text` folded, without the way back: for looking whether a closer look is worth it."""
    if text.isascii():
        return text.lower()
    if _PIECES.search(text):
        text = _PIECES.sub(lambda found: unicodedata.normalize("NFC", found[0]), text)
    return text.translate(_TABLE)


def fold(text: str) -> Folded:
    """`text` folded, with the place of every character in the original."""
    if text.isascii():
        return Folded(text.lower(), None)
    characters: list[str] = []
    offsets: list[int] = []
    pieces = {found.start(): found[0] for found in _PIECES.finditer(text)}
    position = 0
    while position < len(text):
        piece = pieces.get(position, text[position])
        for character in unicodedata.normalize("NFC", piece).translate(_TABLE):
            characters.append(character)
            offsets.append(position)
        position += len(piece)
    return Folded("".join(characters), tuple(offsets))


def latin_lookalike(token: str) -> str | None:
    """The Latin word that `token` looks like, where Cyrillic or Greek letters stand in it."""
    if not _NOT_LATIN.search(token):
        return None
    latin = token.translate(LOOKALIKES)
    return latin if latin.isascii() else None


def mixes_scripts(token: str) -> bool:
    """Latin letters beside Cyrillic or Greek ones, as no word has them."""
    return bool(_NOT_LATIN.search(token) and _LATIN.search(token))


def words(text: str) -> tuple[str, ...]:
    """The tokens of a name or phrase, as they will be met in folded text."""
    return tuple(WORD.findall(folded_text(text)))
