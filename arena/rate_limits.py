"""The grammar of ARENA_RATE_LIMITS. Knows no Django and counts nothing; `arena.limits` does."""

from __future__ import annotations

import re
from dataclasses import dataclass

ACTIONS = ("battles", "votes", "streams")
SCOPES = ("voter", "network")
_LIMIT = re.compile(r"(?P<action>\w+):(?P<scope>\w+)=(?P<count>\d+)/(?P<seconds>\d+)")


@dataclass(frozen=True)
class RateLimit:
    """At most `count` of `action` in each window of `seconds`, for one voter or one network."""

    action: str
    scope: str
    count: int
    seconds: int


def rate_limits_parse(text: str) -> tuple[RateLimit, ...]:
    """`"battles:voter=20/60 votes:network=240/60"`: twenty battles a minute a voter, and so on.

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
