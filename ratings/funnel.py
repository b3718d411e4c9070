"""The funnel: how many votes there are, how many count, and why the others do not.

Knows nothing of how a vote comes to be left out; the arena's reasons are taken as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

RAW = "raw"
COUNTED = "counted"
# Shown even where they are 0, so that a reader sees what is looked for.
REASONS = ("leak", "error", "duplicate", "rate_cap", "outlier", "withdrawn")


def vote_funnel(counts: Mapping[str, int]) -> dict[str, int]:
    """The funnel of votes counted by their exclusion, "" where a vote counts.

    Every key but `raw` is disjoint from the others, and together they make up `raw`.
    """
    funnel = {RAW: sum(counts.values()), COUNTED: 0, **dict.fromkeys(REASONS, 0)}
    for reason, count in sorted(counts.items()):
        if count or reason in funnel:
            funnel[reason or COUNTED] = count
    return funnel
