"""Pairs whose next vote is expected to settle most of the ranking: ARENA_PAIR_SAMPLER.

Reads the votes from the newest snapshot of the overall board and knows not who votes, nor which
side a model is shown on. How the probabilities follow from the votes is `ratings.core.information`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random
from threading import Lock
from uuid import UUID

import numpy as np

from arena.matchmaking import SampledPair
from ratings.core.information import (
    Beliefs,
    beliefs_from_votes,
    drawing_probabilities,
    no_beliefs,
    pair_gains,
)
from ratings.core.outcomes import FloatArray, IntArray, PairCounts
from ratings.models import RatingSnapshot
from ratings.selectors import snapshot_latest

# How often a process asks for a newer snapshot. A few votes more or less hardly move the
# probabilities.
CHECK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Known:
    """What a snapshot says: model ids, ascending, and the beliefs about them in that order.

    `until` is the moment, on the monotonic clock, up to which no newer snapshot is looked for.
    """

    snapshot: UUID | None
    ids: IntArray
    beliefs: Beliefs
    until: float


@dataclass(frozen=True, slots=True)
class _Table:
    """The pairs of a pool as of a snapshot; pair n is drawn for numbers below `ends[n]`."""

    snapshot: UUID | None
    pool: tuple[int, ...]
    pairs: list[tuple[int, int]]
    ends: FloatArray


class Uncertainty:
    """Draws by what the next vote is expected to teach, mixed with a uniform floor.

    Every pair of the pool keeps a known positive probability. Models that no snapshot knows are
    drawn more often, as are those whose place is in doubt. May be called from any thread; asks the
    database at most once in `check_seconds`.
    """

    version = "uncertainty/1"

    def __init__(
        self, *, random: Random | None = None, check_seconds: float = CHECK_SECONDS
    ) -> None:
        self._random = random or secrets.SystemRandom()
        self._check_seconds = check_seconds
        self._checking = Lock()
        self._known: _Known | None = None
        self._table: _Table | None = None

    def __call__(self, *, pool: Sequence[int]) -> SampledPair:
        """Draw a pair of at least two different model ids."""
        table = self._table_of(tuple(sorted(pool)))
        row = int(np.searchsorted(table.ends, self._random.random(), side="right"))
        start = table.ends[row - 1] if row else 0.0
        return SampledPair(table.pairs[row], float(table.ends[row] - start))

    def _table_of(self, pool: tuple[int, ...]) -> _Table:
        known = self._known_now()
        table = self._table
        if table is None or (table.snapshot, table.pool) != (known.snapshot, pool):
            self._table = table = _table(known, pool)
        return table

    def _known_now(self) -> _Known:
        known = self._known
        if known is None:
            with self._checking:
                self._known = known = self._looked_up(self._known)
        elif time.monotonic() >= known.until and self._checking.acquire(blocking=False):
            # One thread looks; the others go on drawing by what is known.
            try:
                self._known = known = self._looked_up(known)
            finally:
                self._checking.release()
        return known

    def _looked_up(self, known: _Known | None) -> _Known:
        until = time.monotonic() + self._check_seconds
        newest = snapshot_latest()
        identity = newest.pk if newest else None
        if known is not None and known.snapshot == identity:
            return replace(known, until=until)
        ids, beliefs = _beliefs(newest) if newest else (np.empty(0, np.int64), no_beliefs())
        return _Known(snapshot=identity, ids=ids, beliefs=beliefs, until=until)


uncertainty = Uncertainty()


def _beliefs(snapshot: RatingSnapshot) -> tuple[IntArray, Beliefs]:
    rows = np.array(snapshot.cells, dtype=np.int64).reshape(-1, 6)
    ids, numbers = np.unique(rows[:, :2], return_inverse=True)
    first, second = numbers.reshape(-1, 2).T
    wins_first, wins_second, ties, both_bad = rows[:, 2:].T.astype(np.float64)
    pairs = PairCounts(first, second, wins_first, wins_second, ties + both_bad)
    return ids, beliefs_from_votes(pairs, models=len(ids))


def _table(known: _Known, pool: tuple[int, ...]) -> _Table:
    row_of = {int(model): row for row, model in enumerate(known.ids)}
    rows = np.array([row_of.get(model, -1) for model in pool], dtype=np.int64)
    ends = np.cumsum(drawing_probabilities(pair_gains(known.beliefs.of(rows))))
    # The last end is one exactly, so that the probabilities are the widths of what is drawn from.
    return _Table(known.snapshot, pool, list(combinations(pool, 2)), ends / ends[-1])
