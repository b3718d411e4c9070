"""Which two models meet, and with what probability.

A sampler (setting ARENA_PAIR_SAMPLER) is a function of the pool that returns an unordered pair and
the probability that it had of being drawn. Sides are always drawn here, apart from the sampler, by
a cryptographic generator. Knows nothing of the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

_random = secrets.SystemRandom()


@dataclass(frozen=True)
class SampledPair:
    """An unordered pair of model ids, and P(this pair | the pool), in (0, 1]."""

    pair: tuple[int, int]
    probability: float


@dataclass(frozen=True)
class Draw:
    """A pair with its sides; `probability` is that of the pair, both ways round."""

    model_a: int
    model_b: int
    probability: float
    sampler: str


class PairSampler(Protocol):
    version: str

    def __call__(self, *, pool: Sequence[int]) -> SampledPair: ...


class Uniform:
    """Every pair of the pool with the same probability."""

    version = "uniform/1"

    def __call__(self, *, pool: Sequence[int]) -> SampledPair:
        pairs = list(combinations(sorted(pool), 2))
        return SampledPair(_random.choice(pairs), 1 / len(pairs))


uniform = Uniform()


def pair_draw(*, pool: Sequence[int]) -> Draw:
    """Draw from at least two different models by the configured sampler."""
    sampler: PairSampler = import_string(settings.ARENA_PAIR_SAMPLER)
    sampled = sampler(pool=pool)
    first, second = sampled.pair
    if _random.random() < 0.5:
        first, second = second, first
    return Draw(first, second, sampled.probability, sampler.version)
