"""One sentence read: its words looked up, its roles put in a row, and the row judged.

Knows one sentence at a time; what an earlier one says is for the scanner to remember.
"""

# ruff: noqa: RUF001 -- these letters are meant, though they look like Latin ones

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from arena.self_identification.folding import (
    LOOKALIKES,
    SPACED_LETTERS,
    TOKEN,
    WORD,
    Folded,
    fold,
    folded_text,
    latin_lookalike,
    mixes_scripts,
)
from arena.self_identification.grammar import Strength, reading
from arena.self_identification.lexicon import CUES, Language
from arena.self_identification.lexicon.labels import ANSWER_LABELS, CLOSINGS
from arena.self_identification.lexicon.languages import CUE_FIRSTS, LANGUAGES, languages_of
from arena.self_identification.names import Kind, Names, Token
from arena.self_identification.sentences import Sentence

_MARKS = {
    ",": ",", "、": ",", "，": ",", "،": ",", ";": ",", "：": ":", ":": ":", ".": ".", "!": ".",
    "?": ".", "。": ".", "！": ".", "？": ".", "…": ".", "।": ".", "؟": ".", "۔": ".", "—": "-",
    "–": "-", "-": "-", "(": "(", "（": "(", ")": ")", "）": ")",
}  # fmt: skip
_QUOTED = "q"
_UNKNOWN = "u"
_VERB = "n"  # an unknown word right after "I am": "using", "sure", and no beginning of a noun
_UNSPACED_TOKEN = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u9fff\uac00-\ud7af]")
_LONGEST_ENDING = 4  # letters of a case ending after a colon
_HANGUL = re.compile("[\uac00-\ud7af]")
_SPEAKER = re.compile(
    r"\s*[*_#\-\s\[]{0,6}([^\W\d_][^:：\n.!?,]{0,30}?)[*_\]]{0,3}(?::(?=[\s*_]|$)|：)"
)
_DASHED = re.compile(r"\s*[*_]{0,3}(?:—|–|--|~|～)\s*[*_]{0,3}\S")
_CUE_LETTERS = frozenset(str(role) for role in CUES)


@dataclass(frozen=True)
class Finding:
    """Characters `start` to `end` of a sentence identify its speaker."""

    start: int
    end: int
    strength: Strength


class Reader:
    """Reads sentences by a registry's names and all known languages. Holds no state of a text."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._tale = frozenset().union(*(language.tale for language in LANGUAGES))
        self._contrary = frozenset().union(*(language.contrary for language in LANGUAGES))

    def tokens(self, sentence: Sentence) -> frozenset[str]:
        """The different words of a sentence, for a first look."""
        text = folded_text(sentence.text)
        found = set(WORD.findall(text))
        if not text.isascii():
            found.update(filter(None, [latin_lookalike(token) for token in found]))
        if SPACED_LETTERS.search(text):
            found.update(re.sub(r"\W|_", "", spaced[0]) for spaced in SPACED_LETTERS.finditer(text))
        return frozenset(found)

    def tells_a_tale(self, tokens: frozenset[str]) -> bool:
        """Words that only stories have."""
        return not self._tale.isdisjoint(tokens)

    def is_contrary(self, tokens: frozenset[str]) -> bool:
        """Words that fit a person, an animal or a star better than an assistant."""
        return not self._contrary.isdisjoint(tokens)

    def read(self, sentence: Sentence, tokens: frozenset[str]) -> Finding | None:
        """Where the sentence's speaker names himself, or None."""
        if self._names.firsts.isdisjoint(tokens):
            return None
        if CUE_FIRSTS.isdisjoint(tokens):
            return None
        row = _Row(sentence, self._names)
        found = [
            finding for one in languages_of(row.texts) if (finding := row.judge(one)) is not None
        ]
        return min(found, key=lambda one: (one.strength is Strength.BARE, one.end), default=None)

    def is_spoken(self, sentence: Sentence) -> bool:
        """A line of a dialogue: it begins with a speaker's name, who is not the assistant."""
        label = _SPEAKER.match(sentence.text) if sentence.opens_line else None
        if label is None:
            return False
        words = WORD.findall(folded_text(label[1]))
        if not words or not ANSWER_LABELS.isdisjoint(words) or "".join(words) in ANSWER_LABELS:
            return False
        spaced = [word for word in label[1].split() if word.strip("*_")]
        return len(spaced) <= 2 and all(not word[0].islower() for word in spaced)

    def label(self, sentence: Sentence, tokens: frozenset[str]) -> Finding | None:
        """A name and a colon before the first words: "SmolLM: Hello!"."""
        found = _SPEAKER.match(sentence.text)
        if found is None or self._names.firsts.isdisjoint(tokens):
            return None
        row = _Row(sentence, self._names)
        name = row.first_name()
        if name is None or name.start > found.start(1) or name.end < found.end(1):
            return None
        after = {row.letter_after(found.end(), one) for one in LANGUAGES}
        return name if after & {"G", "S", "I", "N", "P", "Z"} else None

    def closes_letter(self, sentence: Sentence) -> bool:
        """A line such as "Best regards," after which a signature comes."""
        return " ".join(WORD.findall(folded_text(sentence.text))) in CLOSINGS

    def signature(
        self, sentence: Sentence, tokens: frozenset[str], *, after_closing: bool
    ) -> Finding | None:
        """A line that holds nothing but a name, after a dash or after the end of a letter."""
        if self._names.firsts.isdisjoint(tokens) or len(sentence.text) > 80:
            return None
        if not after_closing and not _DASHED.match(sentence.text):
            return None
        return _Row(sentence, self._names).only_name()


class _Row:
    """The tokens of one sentence, with the names among them."""

    def __init__(self, sentence: Sentence, names: Names) -> None:
        self._folded = fold(sentence.text)
        self._text = sentence.text
        self._tokens = _tokens(self._folded)
        self.texts = [token.text for token in self._tokens]
        self._quoted = _quoted(self._tokens, self._folded, sentence)
        self._capitals = any(character.isupper() for character in sentence.text)
        self._names: dict[int, tuple[int, Kind]] = {}
        for place, token in enumerate(self._tokens):
            if token.text in names.firsts:
                self._note(place, token.text, names)
            elif (latin := latin_lookalike(token.text)) is not None and latin in names.firsts:
                self._note(place, latin, names)

    def _note(self, place: int, text: str, names: Names) -> None:
        token = self._tokens[place]
        tokens = [Token(text, token.start, token.end), *self._tokens[place + 1 : place + 24]]
        found = names.at(tokens, 0)
        if found is None:
            return
        wordlike = found.kind in (Kind.WORDLIKE, Kind.EVERYDAY)
        first = self._text[self._folded.original(token.start)]
        if wordlike and self._capitals and first.islower():
            return
        self._names[place] = (found.end, found.kind)

    def judge(self, language: Language) -> Finding | None:
        """The row's reading in one language."""
        letters: list[str] = []
        predicate = False  # "I am" stands before, with nothing but fillers between
        spans: list[tuple[int, int]] = []  # tokens of each letter
        place = 0
        while place < len(self._tokens):
            letter, length = self._letter(place, language)
            if letter == _UNKNOWN and predicate and language.articles:
                letter = _VERB
            predicate = letter in "S" or (predicate and letter in "F,")
            repeats = letter == _UNKNOWN and letters and letters[-1] == _UNKNOWN
            if not (repeats and _UNSPACED_TOKEN.match(self.texts[place])):
                letters.append(letter)
                spans.append((place, place + length))
            place += length
        if _CUE_LETTERS.isdisjoint(letters):
            return None
        found = reading("".join(letters))
        if found is None:
            return None
        first, last = spans[found.start][0], spans[found.end - 1][1] - 1
        return Finding(self._begin(first), self._end(last), found.strength)

    def _letter(self, place: int, language: Language) -> tuple[str, int]:
        """The letter of the phrase at `place`, and how many tokens it covers."""
        meaning = language.at(self.texts, place)
        name = self._names.get(place)
        if name is not None and (meaning is None or name[0] >= meaning[0]):
            return str(name[1]), name[0]
        if meaning is not None and not (meaning[1] in CUES and self._within_hangul(place)):
            length, role = meaning
            return (_QUOTED if self._quoted[place] else role.value), length
        text = self.texts[place]
        if text == "s" and place and self._tokens[place - 1].end + 1 == self._tokens[place].start:
            return "s", 1
        return (_QUOTED if self._quoted[place] else _MARKS.get(text, _UNKNOWN)), 1

    def _within_hangul(self, place: int) -> bool:
        """Syllables in the middle of a Korean word, which begin no pronoun."""
        before, here = self._tokens[place - 1 : place + 1] if place else (None, None)
        return (
            before is not None
            and here is not None
            and before.end == here.start
            and bool(_HANGUL.match(before.text) and _HANGUL.match(here.text))
        )

    def name_at(self, place: int) -> Finding | None:
        """The name that begins with token `place`, or None."""
        if place not in self._names:
            return None
        length, kind = self._names[place]
        if kind is Kind.EVERYDAY:
            return None
        end = self._end(place + length - 1)
        return Finding(self._begin(place), end, Strength.SURE)

    def first_name(self) -> Finding | None:
        """The name that the sentence begins with, or None."""
        places = (place for place, text in enumerate(self.texts) if text[0].isalnum())
        return self.name_at(next(places, -1))

    def only_name(self) -> Finding | None:
        """The name, where nothing but marks stands beside it."""
        places = [place for place, text in enumerate(self.texts) if text[0].isalnum()]
        if not places:
            return None
        name = self.name_at(places[0])
        return name if name is not None and name.end >= self._end(places[-1]) else None

    def letter_after(self, position: int, language: Language) -> str | None:
        """The letter of the phrase that follows character `position`, or None."""
        for place, token in enumerate(self._tokens):
            if self._begin(place) >= position and token.text[0].isalnum():
                return self._letter(place, language)[0]
        return None

    def _begin(self, place: int) -> int:
        return self._folded.original(self._tokens[place].start)

    def _end(self, place: int) -> int:
        return self._folded.original(self._tokens[place].end - 1) + 1


def _tokens(folded: Folded) -> list[Token]:
    """Tokens of folded text; letters that were spaced out come as the word they spell."""
    spaced = [(found.start(), found.end()) for found in SPACED_LETTERS.finditer(folded.text)]
    tokens: list[Token] = []
    covered = 0
    for found in TOKEN.finditer(folded.text):
        if found.start() < covered:
            continue
        if spaced and found.start() == spaced[0][0]:
            start, covered = spaced.pop(0)
            word = re.sub(r"\W|_", "", folded.text[start:covered])
            tokens.append(Token(word, start, covered))
            continue
        text = found[0]
        if mixes_scripts(text):
            text = text.translate(LOOKALIKES)
        tokens.append(Token(text, found.start(), found.end()))
    return [token for place, token in enumerate(tokens) if not _within_word(tokens, place)]


def _within_word(tokens: list[Token], place: int) -> bool:
    """A mark that only spells: as in "fine-tuned", "3.5", "Z.ai" and the Finnish "OpenAI:n"."""
    if tokens[place].text not in ("-", ".", ":") or not 0 < place < len(tokens) - 1:
        return False
    before, mark, after = tokens[place - 1 : place + 2]
    if before.end != mark.start or mark.end != after.start:
        return False
    spells = before.text[-1].isalnum() and after.text[0].isalnum()
    match mark.text:
        case "-":
            return spells
        case ":":
            return spells and after.text.isalpha() and len(after.text) <= _LONGEST_ENDING
        case _:
            return spells and (after.text.isdigit() or after.text == "ai")


def _quoted(tokens: list[Token], folded: Folded, sentence: Sentence) -> list[bool]:
    """For each token, whether it stands in quotes or in code."""
    quoted = [False] * len(tokens)
    starts = [folded.original(token.start) for token in tokens]
    for start, end in sentence.quoted:
        for place in range(bisect_left(starts, start), bisect_left(starts, end)):
            quoted[place] = True
    return quoted
