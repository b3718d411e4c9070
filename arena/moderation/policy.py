"""What follows from a score: nothing, a note, a warning, a refusal. Pure.

Knows no moderator and no database; operators' policies are rows that `arena.services.moderation`
reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arena.moderation.bench import Judgement


@dataclass(frozen=True)
class Policy:
    """`action` (off, log, warn or block) is taken from `threshold` on, 0 to 1."""

    action: str
    threshold: float


# For a category that no operator has decided on: seen, and nothing done.
UNDECIDED = Policy(action="log", threshold=0.5)


@dataclass(frozen=True)
class Finding:
    """A score that its category's policy acts on."""

    category: str
    score: float
    action: str
    moderator: str


def findings(judgement: Judgement, *, policies: Mapping[str, Policy]) -> tuple[Finding, ...]:
    """The scores at or above their category's threshold, the surest first."""
    found = []
    for said in judgement.scores:
        policy = policies.get(said.category, UNDECIDED)
        # A score of 0 says that there is nothing, whatever the threshold.
        if policy.action != "off" and said.score > 0 and said.score >= policy.threshold:
            found.append(Finding(said.category, said.score, policy.action, said.moderator))
    return tuple(sorted(found, key=lambda finding: -finding.score))
