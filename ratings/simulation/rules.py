"""The rules that look at one vote when it is cast, on simulated votes.

They are those of `arena.validity`, in its order; a test holds the two against each other. Rules on
all votes of a voter stand in `ratings.simulation.defences`. Knows nothing of who rigs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import numpy as np

from ratings.core.outcomes import BoolArray, IntArray
from ratings.simulation.votes import SimulatedVotes

# As in arena.validity and the setting ARENA_VOTES_PER_DAY.
WORDS_A_SECOND = 50
MIN_WORDS = 30
PROMPT_VOTES, PROMPT_SHARE = 100, 0.001
VOTES_A_DAY = 200

COUNTED = ""
REASONS = (COUNTED, "gold", "too_fast", "duplicate", "rate_cap", "gold_failed", "outlier")
GOLD, TOO_FAST, DUPLICATE, RATE_CAP, GOLD_FAILED, OUTLIER = range(1, len(REASONS))


def too_fast(votes: SimulatedVotes) -> BoolArray:
    """Votes on answers that nobody can have read since they began, shape (votes,)."""
    fast: BoolArray = (votes.words >= MIN_WORDS) & (votes.seconds < votes.words / WORDS_A_SECOND)
    return fast


def reasons_when_cast(votes: SimulatedVotes, rules: Collection[str]) -> IntArray:
    """Why each vote does not count by the rules in force, shape (votes,): an index into REASONS.

    Votes on gold battles never count. One vote after the other, as each rule looks at what counted
    before: about 2 s for a million votes.
    """
    low = np.minimum(votes.model_a, votes.model_b)
    high = np.maximum(votes.model_a, votes.model_b)
    fast = too_fast(votes) & ("too_fast" in rules)
    no_duplicates, cap = "duplicate" in rules, "rate_cap" in rules
    met: set[tuple[int, int, int, int]] = set()
    of_prompt: Counter[int] = Counter()
    of_day: Counter[tuple[int, int]] = Counter()
    counted = 0
    reason = np.zeros(len(votes), dtype=np.int64)
    columns = (votes.voter, votes.day, low, high, votes.prompt, votes.gold_side >= 0, fast)
    for row, (voter, day, first, second, prompt, is_gold, is_fast) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        key = (voter, first, second, prompt)
        again = key in met
        met.add(key)
        frequent = of_prompt[prompt]
        if is_gold:
            reason[row] = GOLD
        elif is_fast:
            reason[row] = TOO_FAST
        elif no_duplicates and (
            again or (frequent >= PROMPT_VOTES and frequent >= PROMPT_SHARE * counted)
        ):
            reason[row] = DUPLICATE
        elif cap and of_day[voter, day] >= VOTES_A_DAY:
            reason[row] = RATE_CAP
        else:
            counted += 1
            of_prompt[prompt] += 1
            of_day[voter, day] += 1
    return reason
