"""Words by which a language tells that its speaker speaks of himself.

Knows no names of models. Each language's words stand in a table by their role; phrases are parted
by semicolons, "a/b" are alternatives ("_" for a space in one), "a?" may be missing, "ab*" stands
for all words that begin so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from arena.self_identification.folding import words
from arena.self_identification.lexicon.roles import Role
from arena.self_identification.phrase_tree import PhraseTree

Entries = Mapping[Role, str]

# A sentence without the beginning of one of these says nothing of its speaker.
CUES = frozenset(
    {
        *(Role.SELF, Role.PRONOUN, Role.CALLED, Role.PASSIVE, Role.WAS_MADE, Role.MADE_ME),
        *(Role.RUNS_ON, Role.MAKER, Role.AS, Role.THIS_IS, Role.HERE, Role.ME, Role.ME_BEFORE),
    }
)


_WITH_ARTICLES = frozenset({"en", "fr", "es", "pt", "it", "ro", "de", "nl", "sv", "da", "el", "hu"})
_STEM_KEY = 3  # letters by which stems are looked up; none is shorter
_NO_STEMS: Mapping[str, Role] = {}


class Language:
    """One language's table, ready to be asked."""

    def __init__(self, name: str, entries: Entries) -> None:
        """Errors: ValueError where a phrase has no words, or two roles."""
        self.name = name
        # Where nouns have articles, "I am" and a word that is none of them begins no noun.
        self.articles = Role.ARTICLE in entries and name in _WITH_ARTICLES
        self.cues: set[tuple[str, ...]] = set()
        self._phrases: PhraseTree[Role] = PhraseTree()
        self._stems: dict[str, dict[str, Role]] = {}
        for role, text in entries.items():
            for phrase in _phrases(text):
                tokens = words(phrase)
                if not tokens:
                    raise ValueError(f"{name}: {role.name} has a phrase without words: {phrase!r}")
                given = self._add(tokens, role, is_stem=phrase.endswith("*"))
                if given is not role:
                    raise ValueError(f"{name}: {phrase!r} is both {given.name} and {role.name}")
                if role in CUES:
                    self.cues.add(tokens)
        self.contrary = self._phrases.single(Role.CONTRARY)
        self.tale = self._phrases.single(Role.TALE)

    def _add(self, tokens: tuple[str, ...], role: Role, *, is_stem: bool) -> Role:
        if not is_stem:
            return self._phrases.add(tokens, role)
        (stem,) = tokens
        return self._stems.setdefault(stem[:_STEM_KEY], {}).setdefault(stem, role)

    def at(self, tokens: Sequence[str], place: int) -> tuple[int, Role] | None:
        """How many tokens the longest phrase that begins at `place` covers, and its role."""
        found = self._phrases.longest(tokens, place)
        if found is not None:
            return found
        for stem, role in self._stems.get(tokens[place][:_STEM_KEY], _NO_STEMS).items():
            if tokens[place].startswith(stem):
                return 1, role
        return None


def _phrases(text: str) -> list[str]:
    """Every phrase that `text` stands for."""
    expanded: list[str] = []
    for phrase in text.split(";"):
        choices = [_alternatives(word) for word in phrase.split()]
        expanded += [" ".join(" ".join(way).split()) for way in product(*choices) if choices]
    return [phrase for phrase in expanded if phrase]


def _alternatives(word: str) -> list[str]:
    optional, word = word.endswith("?"), word.removesuffix("?")
    ways = [way.replace("_", " ") for way in word.split("/")]
    return [*ways, ""] if optional else ways
