"""What a voter does, apart from what the votes are for, that speaks against them: signs.

A flag for unusual votes and a sign together are enough to leave votes out; a sign by itself, but
for failing gold battles time and again, is not. Knows nothing of the database.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ratings.core.outcomes import FloatArray
from ratings.core.voter_quality import excess_p
from ratings.core.voter_tests import holm
from ratings.selectors.voters import Behaviour

GOLD, TOO_FAST, SIDE, RETEST = "gold", "too_fast", "side", "retest"
SELECTIVE = "selective"
"""Votes where one model is and leaves other battles: a sign beside a flag for unusual votes."""
LEAN = "lean"
"""Favours or slights that model: told only beside a flag for voting so."""

SLIP = 0.05
"""How often an honest voter takes the answer that was spoilt on purpose, or votes too fast."""
REVERSAL = 0.25
"""How often an honest voter, asked the same again, prefers the other model."""
# Of each sign, for an honest voter.
_LEVEL = 0.01
# A side is preferred by so much of the decided votes, and surely.
_SIDE_EXCESS, _SIDE_LEVEL = 0.25, 0.001


def signs(behaviour: Behaviour, *, first_excess: float, first_p: float) -> list[str]:
    """Which signs there are; NaN where a voter's side could not be measured."""
    counts = {
        GOLD: (behaviour.gold_failed, behaviour.gold_seen, SLIP),
        TOO_FAST: (behaviour.too_fast, behaviour.votes, SLIP),
        RETEST: (behaviour.retests_reversed, behaviour.retests, REVERSAL),
    }
    found = [
        name
        for name, (failures, trials, rate) in counts.items()
        if _p(failures, trials, rate) <= _LEVEL
    ]
    if abs(first_excess) >= _SIDE_EXCESS and first_p <= _SIDE_LEVEL:
        found.append(SIDE)
    return sorted(found)


def gold_p_values(behaviours: Sequence[Behaviour]) -> tuple[FloatArray, FloatArray]:
    """Of failing gold battles more than by slips, plain and by Holm's method over the voters who
    met one; shape (voters,), 1 for the others."""
    seen = np.array([each.gold_seen for each in behaviours], dtype=np.int64)
    failed = np.array([each.gold_failed for each in behaviours], dtype=np.int64)
    plain = np.where(seen > 0, excess_p(failed, seen, rate=SLIP), 1.0)
    adjusted = np.ones(len(seen))
    adjusted[seen > 0] = holm(plain[seen > 0])
    return plain, adjusted


def _p(failures: int, trials: int, rate: float) -> float:
    return float(excess_p(np.array([failures]), np.array([trials]), rate=rate)[0])
