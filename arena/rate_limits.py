"""The grammars of ARENA_RATE_LIMITS and ARENA_CONCURRENT_BATTLES.

Knows no Django and counts nothing; `arena.limits` and `arena.quotas` do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# `tokens` are those of prompts and answers, summed up in the database; the others are requests.
ACTIONS = ("battles", "turns", "votes", "reports", "streams", "challenges", "tokens")
SCOPES = ("voter", "network")
_LIMIT = re.compile(r"(?P<action>\w+):(?P<scope>\w+)=(?P<count>\d+)/(?P<seconds>\d+)")
_CONCURRENCY = re.compile(r"(?P<scope>\w+)=(?P<count>\d+)")


@dataclass(frozen=True)
class RateLimit:
    """At most `count` of `action` within any `seconds`, for one voter or one network."""

    action: str
    scope: str
    count: int
    seconds: int


@dataclass(frozen=True)
class ConcurrencyLimit:
    """At most `count` battles whose answers are being made, for one voter or one network."""

    scope: str
    count: int


def rate_limits_parse(text: str) -> tuple[RateLimit, ...]:
    """`"battles:voter=20/60 tokens:network=5000000/86400"`: twenty battles a minute a voter, ….

    An empty text means no limits. Raises ValueError, naming the part that cannot be read.
    """
    limits = []
    for part in text.split():
        match = _LIMIT.fullmatch(part)
        if match is None or match["action"] not in ACTIONS or match["scope"] not in SCOPES:
            raise ValueError(
                f"ARENA_RATE_LIMITS: {part!r} is not ACTION:SCOPE=COUNT/SECONDS with ACTION one of "
                f"{', '.join(ACTIONS)} and SCOPE one of {', '.join(SCOPES)}"
            )
        limit = RateLimit(
            match["action"], match["scope"], int(match["count"]), int(match["seconds"])
        )
        if limit.count < 1 or limit.seconds < 1:
            raise ValueError(f"ARENA_RATE_LIMITS: {part!r} has a zero; leave the limit out instead")
        limits.append(limit)
    return tuple(limits)


def concurrency_limits_parse(text: str) -> tuple[ConcurrencyLimit, ...]:
    """`"voter=4 network=40"`: four battles at once a voter, and so on.

    An empty text means no limits. Raises ValueError, naming the part that cannot be read.
    """
    limits = []
    for part in text.split():
        match = _CONCURRENCY.fullmatch(part)
        if match is None or match["scope"] not in SCOPES:
            raise ValueError(
                f"ARENA_CONCURRENT_BATTLES: {part!r} is not SCOPE=COUNT with SCOPE one of "
                f"{', '.join(SCOPES)}"
            )
        if int(match["count"]) < 1:
            raise ValueError(
                f"ARENA_CONCURRENT_BATTLES: {part!r} has a zero; leave the limit out instead"
            )
        limits.append(ConcurrencyLimit(match["scope"], int(match["count"])))
    return tuple(limits)
