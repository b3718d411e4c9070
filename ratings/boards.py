"""Which boards there are: a board is a category of votes, with or without style control.

A category is all votes, a language, a tag, or a selection made here. Knows nothing of how votes
are stored or fitted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OVERALL = "overall"
# What every arena has a board for once there are votes; taggers know these by their slugs.
TOPICS = (
    "coding", "mathematics", "creative-writing", "hard-prompts", "long-prompts", "multi-turn",
    "instruction-following",
)  # fmt: skip
EXCLUDE_TIES, EXCLUDE_SHORT, INCLUDE_LEAKS = "exclude-ties", "exclude-short", "include-leaks"
EXCLUDE_FLAGGED = "exclude-flagged"
# All votes but those that a voter could not decide, all but those on very short prompts, all
# together with those left out because an assistant had named itself, and all but those of voters
# whom the newest review flags.
SELECTIONS = (EXCLUDE_TIES, EXCLUDE_SHORT, INCLUDE_LEAKS, EXCLUDE_FLAGGED)
SHORT = "short"
# Tags that serve a selection or an export, and are no board.
UNLISTED_TAGS = frozenset({SHORT, "is-code"})
# Fewer votes than that say nothing of a language that its own board could show.
LANGUAGE_MIN_VOTES = 100

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_UNKNOWN_LANGUAGE = "und"


@dataclass(frozen=True, slots=True, order=True)
class Board:
    """One leaderboard."""

    category: str = OVERALL
    style_control: bool = False

    @property
    def filters(self) -> dict[str, str | bool]:
        """As a snapshot stores it."""
        return {"category": self.category, "style_control": self.style_control}

    def __str__(self) -> str:
        return f"{self.category}, style controlled" if self.style_control else self.category


OVERALL_BOARD = Board()


def is_language(slug: str) -> bool:
    """Whether a slug is an ISO 639 code: two or three letters, which no tag's slug may be."""
    return _LANGUAGE.fullmatch(slug) is not None and slug != _UNKNOWN_LANGUAGE


def is_tag(slug: str) -> bool:
    """Whether a tagger's slug can be a category beside the languages and those made here."""
    return _LANGUAGE.fullmatch(slug) is None and slug not in (OVERALL, *SELECTIONS)
