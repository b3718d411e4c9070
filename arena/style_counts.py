"""How an answer is written: its length, headings, bold and lists, counted from its Markdown.

Knows nothing of what the answer says, of votes or of Django. These are the counts that style
control takes out of a rating: the four of T. Li et al., "Does style matter? Disentangling style and
substance in Chatbot Arena" (LMSYS, 2024), kept apart by kind as the public 140k data set does.

Regular expressions and not a Markdown parser, since answers are hostile: each pattern takes time
linear in the text, where a parser takes half a second for 32 KB of "![".
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, fields
from itertools import pairwise

# Written without blanks between words: a Chinese character, a kana or a Hangul syllable is about a
# token, as are some four letters of Thai, Lao, Burmese or Khmer.
_IDEOGRAPHS = (
    "\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_PUNCTUATION = r"!-/:-@\[-`{-~\u00a1-\u00bf\u2010-\u205e\u3001-\u303f\uff01-\uff0f\uff1a-\uff20"
_TOKEN = re.compile(
    rf"[^\s{_PUNCTUATION}{_IDEOGRAPHS}{_UNSPACED}]+"
    rf"|[{_PUNCTUATION}]+|[{_IDEOGRAPHS}]|[{_UNSPACED}]{{1,4}}"
)

# Patterns begin with what must stand there literally, "\n" for a line, which re finds fast.
_FENCE = re.compile(r"\n[ \t]*(`{3,}|~{3,})([^\n]*)")
_CODE_SPAN = re.compile(
    r"`(?<!``)(?!`)[^`\n]+`(?!`)|``(?<!```)(?!`)(?:[^`\n]|(?<!`)`(?!`))+``(?!`)"
)
_BLOCK = re.compile(
    r"\n[ \t]*(?:"
    r"(?P<heading>\#{1,6})[ \t]+[^\s\#]"
    r"|(?P<ordered>[0-9]{1,9})[.)][ \t]+\S"
    # "- - -" and "* * *" are rules across the page, and no lists.
    r"|(?!(?:-[ \t]*){3,}(?:\n|\Z)|(?:\*[ \t]*){3,}(?:\n|\Z))(?P<unordered>[-*+])[ \t]+\S)"
)
_BOLD_ASTERISK = re.compile(r"\*\*(?<!\\\*\*)(?![\s*])(?:[^*\n]|(?<!\*)\*(?!\*))+(?<!\s)\*\*")
_BOLD_UNDERSCORE = re.compile(r"__(?<![\\\w]__)(?![\s_])(?:[^_\n]|(?<!_)_(?!_))+(?<!\s)__(?!\w)")


@dataclass(frozen=True, slots=True)
class StyleCounts:
    """Counts of one text, or by `+` of several; `dataclasses.asdict` and `**` are its JSON.

    `length` is in tokens as `token_count` counts them; the rest are elements outside of code.
    """

    length: int = 0
    h1: int = 0
    h2: int = 0
    h3: int = 0
    h4: int = 0
    h5: int = 0
    h6: int = 0
    bold_asterisk: int = 0
    bold_underscore: int = 0
    ordered: int = 0
    unordered: int = 0

    def __add__(self, other: StyleCounts) -> StyleCounts:
        return StyleCounts(*(getattr(self, name) + getattr(other, name) for name in _NAMES))

    @property
    def headers(self) -> int:
        """Headings of all levels."""
        return self.h1 + self.h2 + self.h3 + self.h4 + self.h5 + self.h6

    @property
    def bold(self) -> int:
        """Bold passages, however marked."""
        return self.bold_asterisk + self.bold_underscore

    @property
    def lists(self) -> int:
        """Items of lists, numbered or not."""
        return self.ordered + self.unordered


_NAMES = tuple(field.name for field in fields(StyleCounts))


def style_counts(text: str) -> StyleCounts:
    """Count the style of one answer; time is linear in its length, whatever it holds.

    Headings are `#` to `######` with text; list items and headings count line by line, bold within
    a line. Left out: fenced code (to the end where it is not closed), code spans, underlined
    headings, and HTML. Not told apart: an indented list and indented code.
    """
    prose = prose_of(text)
    blocks = Counter[str]()
    for block in _BLOCK.finditer("\n" + prose):
        heading = block["heading"]
        blocks[f"h{len(heading)}" if heading else block.lastgroup or ""] += 1
    return StyleCounts(
        length=token_count(text),
        bold_asterisk=len(_BOLD_ASTERISK.findall(prose)),
        bold_underscore=len(_BOLD_UNDERSCORE.findall(prose)),
        **blocks,
    )


def token_count(text: str) -> int:
    """Words and runs of punctuation, code included; a Chinese or Japanese character is one each.

    No model's tokenizer: the same for every model, today and in years.
    """
    return len(_TOKEN.findall(text))


def prose_of(text: str) -> str:
    """The text without its fenced code, and with a blank for each code span."""
    if "`" not in text and "~~~" not in text:
        return text
    lines = "\n" + text
    outside = "".join(lines[start:end] for start, end in _outside_fences(lines))
    return _CODE_SPAN.sub(" ", outside[1:])


def _outside_fences(lines: str) -> list[tuple[int, int]]:
    """Start and end of each stretch that no fence encloses (CommonMark 0.31, section 4.5)."""
    edges = [0]
    opened = ""
    for fence in _FENCE.finditer(lines):
        marks, rest = fence[1], fence[2]
        if not opened and not (marks[0] == "`" and "`" in rest):
            opened = marks
            edges.append(fence.start())
        elif opened and marks.startswith(opened) and not rest.strip():
            opened = ""
            edges.append(fence.end())
    if not opened:
        edges.append(len(lines))
    return list(pairwise(edges))[::2]
