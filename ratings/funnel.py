"""The funnel: how many votes there are, how many count, and why the others do not.

Knows nothing of how a vote comes to be left out; the arena's reasons are taken as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COUNTED = "counted"
# Shown even where they are 0, so that a reader sees what is looked for.
REASONS = ("leak", "error", "duplicate", "rate_cap", "outlier", "withdrawn")


def vote_funnel(exclusion: NDArray[np.object_]) -> dict[str, int]:
    """Count votes by their exclusion, shape (votes,), "" where a vote counts.

    Every key but `raw` is disjoint from the others, and together they make up `raw`.
    """
    funnel = {"raw": len(exclusion), COUNTED: 0, **dict.fromkeys(REASONS, 0)}
    reasons, counts = np.unique(exclusion.astype(str), return_counts=True)
    for reason, count in zip(reasons.tolist(), counts.tolist(), strict=True):
        funnel[reason or COUNTED] = count
    return funnel
