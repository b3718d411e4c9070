"""What a tagger is given and what it gives back; a classifier may stand in for the rules.

Knows no tagger. The setting ARENA_TAGGER names the one in force by its dotted path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

UNKNOWN_LANGUAGE = "und"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,4})?")
CATEGORY_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Conversation:
    """A conversation up to the turn that was voted on; the last prompt is the voted turn's."""

    prompts: tuple[str, ...]
    answers: tuple[str, ...] = ()
    """What both sides said, in no order that a tagger could use."""


@dataclass(frozen=True)
class Tags:
    """`language` is an ISO 639 code or "und"; each category a slug of at most 40 characters.

    Raises ValueError, which quotes nothing of the conversation, for anything else.
    """

    language: str
    categories: frozenset[str]

    def __post_init__(self) -> None:
        if not _LANGUAGE.fullmatch(self.language):
            raise ValueError("a language is an ISO 639 code such as en, or und")
        if not all(CATEGORY_SLUG.fullmatch(category) for category in self.categories):
            raise ValueError("a category is at most 40 of a-z, 0-9 and -")


class Tagger(Protocol):
    """Called once for every voted turn, in the worker; the same input must give the same tags."""

    version: str
    """Name and version; what another version has tagged can be tagged anew."""

    def __call__(self, conversation: Conversation) -> Tags: ...
