"""A share of a count, with its interval. Knows nothing of what is counted."""

from __future__ import annotations

import math
from dataclasses import dataclass

# The 97.5 % point of the normal distribution: intervals of 95 %.
Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share and its 95 % interval, all in [0, 1]."""

    value: float
    lower: float
    upper: float


def wilson(count: int, of: int) -> Proportion | None:
    """`count` out of `of` with Wilson's score interval; None of nothing.

    It never leaves [0, 1], and keeps its width at 0 and at `of`, where the normal interval has
    none. Source: Wilson 1927, "Probable inference", JASA 22.
    """
    if of == 0:
        return None
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    share = count / of
    stretch = 1 + Z**2 / of
    middle = (share + Z**2 / (2 * of)) / stretch
    half = Z / stretch * math.sqrt(share * (1 - share) / of + Z**2 / (4 * of**2))
    # At the ends the bound is the share itself, but for the last bit of a float.
    lower = 0.0 if count == 0 else middle - half
    upper = 1.0 if count == of else middle + half
    return Proportion(share, lower, upper)
