"""The funnel: how many votes there are, how many count, and why the others do not.

Knows nothing of how a vote comes to be left out; the arena's reasons are taken as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

RAW = "raw"
COUNTED = "counted"
# Shown even where they are 0, so that a reader sees what is looked for.
REASONS = (
    "leak", "error", "unfinished", "moderated", "duplicate", "too_fast", "rate_cap", "gold",
    "gold_failed", "outlier", "revealed", "named", "late", "withdrawn",
)  # fmt: skip
# Votes that nobody could have counted, whatever the models and the voter did.
NEVER_COUNTED = frozenset({"gold", "revealed", "named", "late"})
FLAGGED = "flagged"
"""In the funnel of the board without flagged voters: the votes of theirs that others count."""


def exclusion_shares(excluded: Mapping[str, int], *, counted: int) -> dict[str, float]:
    """Of the votes of a model that could have counted, the share left out for each reason."""
    left_out = {
        reason: votes
        for reason, votes in sorted(excluded.items())
        if votes and reason not in NEVER_COUNTED
    }
    whole = counted + sum(left_out.values())
    return {reason: votes / whole for reason, votes in left_out.items()}


def vote_funnel(counts: Mapping[str, int]) -> dict[str, int]:
    """The funnel of votes counted by their exclusion, "" where a vote counts.

    Every key but `raw` is disjoint from the others, and together they make up `raw`.
    """
    funnel = {RAW: sum(counts.values()), COUNTED: 0, **dict.fromkeys(REASONS, 0)}
    for reason, count in sorted(counts.items()):
        if count or reason in funnel:
            funnel[reason or COUNTED] = count
    return funnel
