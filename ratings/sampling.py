"""Pairs whose next vote is expected to settle most of the ranking: ARENA_PAIR_SAMPLER.

Reads the votes from the newest snapshot of the overall board and knows not who votes, nor which
side a model is shown on. How the probabilities follow from the votes is `ratings.core.information`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from arena.matchmaking import Remembered, version_of
from ratings.core.information import (
    FLOOR,
    LIMIT,
    PRIOR_SD,
    SHARPNESS,
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
    """What a snapshot says: model ids, ascending, and the beliefs about them in that order."""

    snapshot: UUID | None
    ids: IntArray
    beliefs: Beliefs


@dataclass(frozen=True, slots=True)
class _Table:
    """The probabilities of the pairs of a pool as of a snapshot."""

    snapshot: UUID | None
    pool: tuple[int, ...]
    probabilities: FloatArray


class Uncertainty:
    """Weighs by what the next vote is expected to teach, mixed with a uniform floor.

    Every pair of the pool keeps a known positive weight. Models that no snapshot knows weigh
    more, as do those whose place is in doubt. May be called from any thread; asks the database at
    most once in `check_seconds`.
    """

    version = version_of(
        "uncertainty/1", floor=FLOOR, limit=LIMIT, prior_sd=PRIOR_SD, sharpness=SHARPNESS
    )

    def __init__(self, *, check_seconds: float = CHECK_SECONDS) -> None:
        self._known: Remembered[_Known] = Remembered(_newest, seconds=check_seconds)
        self._table: _Table | None = None

    def weights(self, *, pool: Sequence[int]) -> FloatArray:
        """The probabilities of all pairs of at least two model ids, ascending; not to be changed.

        Shape (pairs,), in the order of `itertools.combinations(pool, 2)`.
        """
        key, known, table = tuple(pool), self._known.now(), self._table
        if table is None or (table.snapshot, table.pool) != (known.snapshot, key):
            self._table = table = _table(known, key)
        return table.probabilities


def _newest(known: _Known | None) -> _Known:
    newest = snapshot_latest()
    identity = newest.pk if newest else None
    if known is not None and known.snapshot == identity:
        return known
    ids, beliefs = _beliefs(newest) if newest else (np.empty(0, np.int64), no_beliefs())
    return _Known(snapshot=identity, ids=ids, beliefs=beliefs)


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
    gains = pair_gains(known.beliefs.of(rows))
    return _Table(known.snapshot, pool, drawing_probabilities(gains))


uncertainty = Uncertainty()
