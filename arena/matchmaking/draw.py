"""One draw: two models and their sides, and the probability that this pair had.

A sampler only says how much each pair of the pool weighs. What the voter is not to meet, the
division by the sum and the draw itself are here and nowhere else, so that the probability that is
stored is the one that was drawn by, whatever the sampler. Knows nothing of the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import numpy as np
from django.conf import settings
from django.utils.module_loading import import_string
from numpy.typing import NDArray

from arena.errors import NoLiveModelsError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Pair = tuple[int, int]

_random = secrets.SystemRandom()


class PairSampler(Protocol):
    """What the setting ARENA_PAIR_SAMPLER leads to. Called from any thread."""

    @property
    def version(self) -> str:
        """Name, version and a digest of the parameters, at most 100 characters.

        Two battles with the same version and pool were drawn by the same rule.
        """
        ...

    def weights(self, *, pool: Sequence[int]) -> FloatArray:
        """How much each pair weighs: finite, at least 0, of any sum; 0 is never drawn.

        `pool` is of different model ids, ascending. The shape is (pairs,), in the order of
        `itertools.combinations(pool, 2)`.
        """
        ...


@dataclass(frozen=True, slots=True)
class PairOdds:
    """The pairs that can be drawn, shape (pairs, 2), ascending, and P of each, summing to one.

    `sampler` is its version; `excluded` are the pairs that were really left out.
    """

    pairs: IntArray
    probabilities: FloatArray
    sampler: str
    excluded: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """A pair with its sides; `probability` is that of the pair, both ways round.

    It is conditional on the pool and on `excluded`, the pairs that were really left out.
    """

    model_a: int
    model_b: int
    probability: float
    sampler: str
    excluded: tuple[Pair, ...]


def pair_draw(
    *, pool: Sequence[int], excluded: Collection[Pair] = (), random: Random = _random
) -> Draw:
    """Draw from at least two different models by the configured sampler.

    `excluded` are pairs of ids, in either order, that this voter is not to meet. Where no pair
    would be left, all of them are let in again and the draw says that none was left out: such a
    battle repeats an earlier one, and its vote is a duplicate. The sides are drawn apart from the
    pair. Raises NoLiveModelsError where the sampler gives every pair of the pool the weight 0.
    """
    odds = pair_odds(
        sampler=import_string(settings.ARENA_PAIR_SAMPLER), pool=pool, excluded=excluded
    )
    ends = np.cumsum(odds.probabilities)
    # At most 1 - 2**-53 times the last end, which no rounding brings up to that end.
    row = int(np.searchsorted(ends, random.random() * ends[-1], side="right"))
    first, second = map(int, odds.pairs[row])
    if random.random() < 0.5:
        first, second = second, first
    return Draw(first, second, float(odds.probabilities[row]), odds.sampler, odds.excluded)


def pair_odds(
    *, sampler: PairSampler, pool: Sequence[int], excluded: Collection[Pair] = ()
) -> PairOdds:
    """What `pair_draw` draws by. Raises ValueError where the pool or the weights make no sense."""
    ids = np.unique(np.array(list(pool), dtype=np.int64))
    if len(ids) < 2:
        raise ValueError(f"a pair needs two different models, and the pool is {list(pool)}")
    first, second = np.triu_indices(len(ids), k=1)
    version = sampler.version
    weights = np.asarray(sampler.weights(pool=ids.tolist()), dtype=np.float64)
    if weights.shape != first.shape or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(
            f"the sampler {version} must give each of {len(first)} pairs a finite weight of at "
            f"least 0, and gave an array of shape {weights.shape}"
        )
    left_out = _left_out(excluded, ids)
    rows = [_row(pair, ids) for pair in left_out]
    remaining = weights.copy()
    remaining[rows] = 0.0
    if not remaining.any():
        left_out, remaining = (), weights
    drawable = np.flatnonzero(remaining)
    if not len(drawable):
        raise NoLiveModelsError
    # Divided twice, so that weights near the largest float have a sum as well.
    share = remaining[drawable] / remaining.max()
    return PairOdds(
        pairs=np.stack([ids[first[drawable]], ids[second[drawable]]], axis=1),
        probabilities=share / share.sum(),
        sampler=version,
        excluded=left_out,
    )


def _left_out(excluded: Collection[Pair], ids: IntArray) -> tuple[Pair, ...]:
    """The excluded pairs that are in the pool at all, each once and ascending."""
    pool = set(ids.tolist())
    ordered = {(min(pair), max(pair)) for pair in excluded}
    return tuple(sorted(pair for pair in ordered if pair[0] != pair[1] and pool.issuperset(pair)))


def _row(pair: Pair, ids: IntArray) -> int:
    """Where a pair of the pool stands in `itertools.combinations(ids, 2)`."""
    i, j = (int(row) for row in np.searchsorted(ids, pair))
    return i * len(ids) - i * (i + 1) // 2 + j - i - 1
