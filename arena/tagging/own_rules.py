"""Tags of the operator's own: one regular expression each, in a TOML file.

Knows nothing of Django or of the tagger whose categories they come on top of.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from arena.tagging.interface import CATEGORY_SLUG, Conversation


@dataclass(frozen=True)
class OwnRules:
    """Category to the pattern that one of the prompts must hold; `version` follows the content."""

    patterns: Mapping[str, re.Pattern[str]]
    version: str

    def categories_of(self, conversation: Conversation) -> frozenset[str]:
        return frozenset(
            category
            for category, pattern in self.patterns.items()
            if any(pattern.search(prompt) for prompt in conversation.prompts)
        )


def own_rules_read(path: Path | None) -> OwnRules | None:
    """The rules of a file; None without one. Raises ValueError of one line that names the fault.

    The file has one line a category: `law = '\\b(contract|landlord|court)\\b'`. Case is ignored.
    """
    if path is None:
        return None
    try:
        content = path.read_bytes()
        entries = tomllib.loads(content.decode())
    except OSError as error:
        raise ValueError(f"ARENA_TAG_RULES: cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"ARENA_TAG_RULES: {path} is not TOML: {error}") from error
    patterns = {}
    for category, pattern in entries.items():
        if not CATEGORY_SLUG.fullmatch(category):
            raise ValueError(
                f"ARENA_TAG_RULES: {path}: {category!r} is no category: use a-z, 0-9 and -, "
                "at most 40"
            )
        if not isinstance(pattern, str):
            raise ValueError(
                f"ARENA_TAG_RULES: {path}: {category} must be a regular expression in quotes"
            )
        try:
            patterns[category] = re.compile(pattern, re.IGNORECASE)
        except re.error as error:
            raise ValueError(
                f"ARENA_TAG_RULES: {path}: {category} is no regular expression: {error}"
            ) from error
    return OwnRules(patterns, f"own/{hashlib.sha256(content).hexdigest()[:8]}")
