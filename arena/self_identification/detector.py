"""The first words of an answer by which an assistant gives itself away, also as it streams.

Knows neither battles nor the registry: it is told names, and reads text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from arena.self_identification.grammar import Strength
from arena.self_identification.names import ModelNames, Names
from arena.self_identification.reader import Finding, Reader
from arena.self_identification.sentences import Sentence, Sentences

VERSION = "self-identification/2"
LONGEST_WORDS = 200


@dataclass(frozen=True)
class Leak:
    """The words that identify: `text[start:end]`, in code points, at most 200 of them."""

    start: int
    end: int
    words: str


class Detector:
    """Finds leaks by the names of a whole registry. Costly to make, cheap to ask: keep it."""

    def __init__(self, models: Iterable[ModelNames]) -> None:
        """`models` are all models of the registry; well-known names are added to theirs."""
        self._reader = Reader(Names(models))

    def find(self, text: str) -> Leak | None:
        """The first leak of a finished text, or None."""
        scanner = self.scanner()
        return scanner.feed(text) or scanner.finish()

    def scanner(self) -> Scanner:
        """A reader of one text that is still being written."""
        return Scanner(self._reader)


class Scanner:
    """Reads one answer as it streams, and finds what `Detector.find` finds in the whole.

    A sentence is judged when it has ended, so nothing is reported that later words would take back.
    The work for each piece grows with the piece, plus one sentence of at most 800 characters.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._sentences = Sentences()
        self._done = False
        self._began = False  # something other than space has been read
        self._tale = False
        self._bare: Leak | None = None  # a claim that what follows may show to be a character's
        self._label: Leak | None = None  # a name before the first line: a speaker, or a dialogue
        self._others_line = False  # the line began with the name of another speaker
        self._closing = False  # "Best regards," was the last line
        self._signature: Leak | None = None  # stands if nothing follows

    def feed(self, text: str) -> Leak | None:
        """Read the next piece; the leak, once, when it is sure. Offsets are those of the text."""
        if self._done:
            return None
        return self._first(self._sentences.feed(text))

    def finish(self) -> Leak | None:
        """The text has ended: the leak that only this could decide, or None."""
        if self._done:
            return None
        leak = self._first(self._sentences.finish())
        self._done = True
        return leak or self._bare or self._label or self._signature

    def _first(self, sentences: Iterator[Sentence]) -> Leak | None:
        for sentence in sentences:
            if not sentence.text.isspace():
                leak = self._read(sentence)
                if leak is not None:
                    self._done = True
                    return leak
        return None

    def _read(self, sentence: Sentence) -> Leak | None:
        opens_text, self._began = not self._began, True
        self._signature, after_closing = None, self._closing
        self._closing = False
        if sentence.foreign:
            return None
        tokens = self._reader.tokens(sentence)
        self._tale = self._tale or self._reader.tells_a_tale(tokens)
        if self._bare is not None:
            bare, self._bare = self._bare, None
            if not self._tale and not self._reader.is_contrary(tokens):
                return bare
        if sentence.opens_line:
            self._others_line = self._reader.is_spoken(sentence)
            if self._others_line:
                self._label = None
            self._closing = self._reader.closes_letter(sentence)
            signed = self._reader.signature(sentence, tokens, after_closing=after_closing)
            self._signature = self._leak(sentence, signed) if signed else None
            if opens_text:
                label = self._reader.label(sentence, tokens)
                self._label = self._leak(sentence, label) if label else None
        finding = None if self._others_line else self._reader.read(sentence, tokens)
        if finding is None:
            return None
        leak = self._leak(sentence, finding)
        if finding.strength is Strength.BARE:
            self._bare = None if self._tale else leak
            return None
        return leak

    @staticmethod
    def _leak(sentence: Sentence, finding: Finding) -> Leak:
        start = max(finding.start, finding.end - LONGEST_WORDS)
        words = sentence.text[start : finding.end]
        return Leak(sentence.start + start, sentence.start + finding.end, words)
