"""Categories of the operator's own, by regular expressions in a TOML file.

Knows no Django, no policy and no other moderator.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import regex

from arena.moderation.interface import Failure, ModeratorUnavailableError, category_fault

# An ordinary rule takes microseconds; one that backtracks without end is given up after a while,
# and the others go on. For one pattern, and for all patterns on one text.
PATTERN_SECONDS = 0.25
SECONDS = 1.0
_FORMAT = regex.compile(r"\p{Cf}+")


@dataclass(frozen=True)
class Rules:
    """Category to the patterns of which one must be found; `version` follows the content."""

    patterns: tuple[tuple[str, tuple[regex.Pattern[str], ...]], ...]
    version: str


class RulesModerator:
    """Scores 1 for a category one of whose patterns is found, and nothing for the others.

    Texts are read in the form NFKC and without format characters: full-width letters and zero-width
    spaces hide no word.

    The `regex` package rather than `re`: it can be stopped after a time, lets other threads run
    meanwhile, and knows the letters of every script. (RE2 would need no time limit, but its word
    boundaries are ASCII only, so that a rule for a Russian word would quietly find nothing.)
    """

    name = "rules"

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.version = rules.version

    async def scores(self, text: str) -> Mapping[str, float]:
        """Raises ModeratorUnavailableError, with what the others found, for a rule given up."""
        return await asyncio.to_thread(self._scores, text)

    async def aclose(self) -> None:
        """Nothing is held open."""

    def _scores(self, text: str) -> Mapping[str, float]:
        plain = _FORMAT.sub("", unicodedata.normalize("NFKC", text))
        ends_at = time.monotonic() + SECONDS
        scores: dict[str, float] = {}
        given_up = []
        for category, patterns in self._rules.patterns:
            try:
                if any(_found(pattern, plain, ends_at) for pattern in patterns):
                    scores[category] = 1.0
            except TimeoutError:
                given_up.append(category)
        if given_up:
            raise ModeratorUnavailableError(
                Failure.TIMEOUT,
                f"rules that take too long on some texts, simplify them: {', '.join(given_up)}",
                scores=scores,
            )
        return scores


def _found(pattern: regex.Pattern[str], text: str, ends_at: float) -> bool:
    # Never 0, which the package takes for no time at all.
    left = max(0.001, min(PATTERN_SECONDS, ends_at - time.monotonic()))
    return pattern.search(text, timeout=left, concurrent=True) is not None


def moderation_rules_read(path: Path | None) -> Rules | None:
    """The rules of a file; None without one. Raises ValueError of one line that names the fault.

    The file has one line a category, with one regular expression or a list of them:
    `spam = ['\\bcasino\\b', '\\bpills\\b']`. Case is ignored.
    """
    if path is None:
        return None
    try:
        content = path.read_bytes()
        entries = tomllib.loads(content.decode())
    except OSError as error:
        raise ValueError(f"ARENA_MODERATION_RULES: cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"ARENA_MODERATION_RULES: {path} is not TOML: {error}") from error
    patterns = tuple(
        (category, _patterns(path, category, entries[category])) for category in entries
    )
    return Rules(patterns, hashlib.sha256(content).hexdigest()[:8])


def _patterns(path: Path, category: str, given: object) -> tuple[regex.Pattern[str], ...]:
    where = f"ARENA_MODERATION_RULES: {path}: {category!r}"
    if fault := category_fault(category):
        raise ValueError(f"{where}: {fault}")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(each, str) for each in texts):
        raise ValueError(f"{where} must be a regular expression in quotes, or a list of them")
    compiled = []
    for text in texts:
        # As texts are read, but NFC: the wider form could make an operator of a letter.
        plain = _FORMAT.sub("", unicodedata.normalize("NFC", text))
        try:
            pattern = regex.compile(plain, regex.IGNORECASE | regex.VERSION0)
        except regex.error as error:
            raise ValueError(f"{where}: {text!r} is no regular expression: {error}") from error
        if pattern.search(""):
            raise ValueError(f"{where}: {text!r} is found in every text")
        compiled.append(pattern)
    return tuple(compiled)
