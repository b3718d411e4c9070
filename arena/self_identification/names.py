"""Names of models and of their makers, and where they stand in folded text.

Knows no cues: whether an assistant speaks of itself is for the grammar to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from arena.self_identification.folding import words
from arena.self_identification.phrase_tree import PhraseTree
from arena.self_identification.vocabulary import (
    EVERYDAY_MAKERS,
    GENERIC_WORDS,
    MAKERS,
    MODELS,
    VERSION_WORDS,
    WORDLIKE_MODELS,
)


class Kind(StrEnum):
    """What a name is, as one letter of the grammar's alphabet."""

    MODEL = "m"  # names a model and nothing else: ChatGPT, SmolLM
    WORDLIKE = "w"  # also a word, a person or a place: Claude, Gemini, Falcon
    MAKER = "g"  # known for language models: OpenAI, Hugging Face
    EVERYDAY = "e"  # known for much else: Google, Meta, Apple


@dataclass(frozen=True)
class ModelNames:
    """What the registry knows of one model: its names, and its organization's."""

    names: tuple[str, ...]
    organization: tuple[str, ...]


@dataclass(frozen=True)
class Token:
    """A folded word or mark; `start` and `end` are places in the folded text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Found:
    """A name that covers the tokens from the one asked for up to `end`."""

    end: int
    kind: Kind


_FAMILY = re.compile(r"[^\W\d_]{3,}")
_CASED_WORD = re.compile(r"[A-Z][a-z]+|[a-z]+")


class Names:
    """All names that count, by their first token."""

    def __init__(self, models: Iterable[ModelNames]) -> None:
        self._tree: PhraseTree[Kind] = PhraseTree()
        for kind, known in (
            (Kind.MODEL, MODELS),
            (Kind.WORDLIKE, WORDLIKE_MODELS),
            (Kind.MAKER, MAKERS),
            (Kind.EVERYDAY, EVERYDAY_MAKERS),
        ):
            for name in known:
                self._tree.add(words(name), kind)
        for model in models:
            for organization in model.organization:
                self._add_registered(organization, Kind.EVERYDAY, Kind.MAKER)
            for name in model.names:
                self._add_registered(name, Kind.WORDLIKE, Kind.MODEL)
                family = _FAMILY.match(name)
                if family:
                    self._add_registered(family[0], Kind.WORDLIKE, Kind.MODEL)
        self.firsts = self._tree.firsts()

    def _add_registered(self, name: str, wordlike: Kind, distinct: Kind) -> None:
        """Add a name of the registry, unless it says nothing of who speaks."""
        tokens = words(name)
        if len("".join(tokens)) < 2 or all(
            token in GENERIC_WORDS or token.isdigit() for token in tokens
        ):
            return
        self._tree.add(tokens, _shape(name, wordlike, distinct))

    def at(self, tokens: Sequence[Token], place: int) -> Found | None:
        """The longest name that begins with token `place`, its version included."""
        found = self._tree.longest([token.text for token in tokens], place)
        if found is None:
            return None
        end = place + found[0]
        versioned = _version_end(tokens, end)
        if found[1] is Kind.WORDLIKE and versioned > end:
            return Found(versioned, Kind.MODEL)
        return Found(versioned, found[1])


def _shape(name: str, wordlike: Kind, distinct: Kind) -> Kind:
    """One word in ordinary letters may be a word; digits, capitals inside and spaces tell names."""
    return wordlike if _CASED_WORD.fullmatch(name) or not name.isascii() else distinct


def _version_end(tokens: Sequence[Token], end: int) -> int:
    """Where the version after a name ends: "3.5 Sonnet", "-4o-mini", "2 135M Instruct"."""
    place, last = end, end
    while place < len(tokens) and place < end + 12:
        token = tokens[place]
        near = token.start - tokens[place - 1].end
        if near == 0 and token.text in ".:/+":
            place += 1
            continue
        if near > 1 or not (
            token.text.isdigit()
            or token.text in VERSION_WORDS
            or (near == 0 and len(token.text) == 1 and token.text.isalnum() and last > end)
        ):
            break
        place += 1
        last = place
    return last
