"""Samplers that need no ratings: all pairs alike, by weight, for newcomers, for targets.

Each says how much a pair weighs and nothing else. They know neither who votes nor which side a
model is shown on. Parameters are read from the settings at every draw.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Sequence

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from arena.matchmaking.draw import FloatArray
from arena.matchmaking.remembered import Remembered
from arena.selectors.pairing import models_with_votes
from inference.selectors import language_model_ids

logger = logging.getLogger(__name__)

# How long counts of votes are believed: a newcomer that has just got its last vote is drawn more
# often for so long.
COUNTED_SECONDS = 30.0


def version_of(name: str, **parameters: object) -> str:
    """`name` and the first 8 hex digits of the SHA-256 of its parameters as canonical JSON.

    Somebody who is told the parameters can so check that a battle was drawn by them.
    """
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"))
    return f"{name}:{hashlib.sha256(text.encode()).hexdigest()[:8]}"


class Uniform:
    """Every pair of the pool alike."""

    version = "uniform/1"

    def weights(self, *, pool: Sequence[int]) -> FloatArray:
        return np.ones(len(pool) * (len(pool) - 1) // 2)


class Weighted:
    """A pair weighs the product of its models' weights in ARENA_PAIR_WEIGHTS; 1 for the unnamed."""

    def __init__(self) -> None:
        self._registry = _NamedModels("ARENA_PAIR_WEIGHTS")

    @property
    def version(self) -> str:
        return version_of("weighted/1", weights=settings.ARENA_PAIR_WEIGHTS)

    def weights(self, *, pool: Sequence[int]) -> FloatArray:
        by_slug = settings.ARENA_PAIR_WEIGHTS
        by_id = {pk: by_slug[slug] for slug, pk in self._registry.ids(by_slug).items()}
        of_model = np.array([by_id.get(model, 1.0) for model in pool])
        first, second = np.triu_indices(len(pool), k=1)
        weights: FloatArray = of_model[first] * of_model[second]
        return weights


class Newcomers:
    """A pair with a newcomer weighs ARENA_PAIR_NEWCOMER_FACTOR, any other 1.

    A newcomer has fewer counted votes than ARENA_PAIR_NEWCOMER_VOTES. Two newcomers weigh no more
    than one: a model that is known tells more about a new one than another new one does.
    """

    def __init__(self, *, counted_seconds: float = COUNTED_SECONDS) -> None:
        self._known: Remembered[set[int]] = Remembered(self._count, seconds=counted_seconds)

    @property
    def version(self) -> str:
        return version_of(
            "newcomers/1",
            votes=settings.ARENA_PAIR_NEWCOMER_VOTES,
            factor=settings.ARENA_PAIR_NEWCOMER_FACTOR,
        )

    def weights(self, *, pool: Sequence[int]) -> FloatArray:
        known = self._known.now()
        is_new = np.array([model not in known for model in pool])
        return np.where(_either(is_new), settings.ARENA_PAIR_NEWCOMER_FACTOR, 1.0)

    def _count(self, known: set[int] | None) -> set[int]:
        """Who is no newcomer. Whoever has been none stays so while this process lives."""
        before = known or set()
        return before | models_with_votes(
            at_least=settings.ARENA_PAIR_NEWCOMER_VOTES, besides=before
        )


class Targeted:
    """A pair holds a model of ARENA_PAIR_TARGETS with the probability ARENA_PAIR_TARGET_SHARE.

    Among the pairs with a target all are alike, and so are those without. Where the pool has only
    pairs of one kind, these are drawn.
    """

    def __init__(self) -> None:
        self._registry = _NamedModels("ARENA_PAIR_TARGETS")

    @property
    def version(self) -> str:
        return version_of(
            "targeted/1",
            targets=sorted(set(settings.ARENA_PAIR_TARGETS)),
            share=settings.ARENA_PAIR_TARGET_SHARE,
        )

    def weights(self, *, pool: Sequence[int]) -> FloatArray:
        targets = self._registry.ids(settings.ARENA_PAIR_TARGETS).values()
        has_target = _either(np.isin(pool, list(targets)))
        with_target = int(has_target.sum())
        without = len(has_target) - with_target
        if not with_target or not without:
            return np.ones(len(has_target))
        share = settings.ARENA_PAIR_TARGET_SHARE
        return np.where(has_target, share / with_target, (1 - share) / without)


class _NamedModels:
    """The models that a setting names by slug; tells once of a name that the registry lacks."""

    def __init__(self, setting: str) -> None:
        self._setting = setting
        self._told: set[str] = set()

    def ids(self, slugs: Collection[str]) -> dict[str, int]:
        found = language_model_ids(slugs=slugs)
        for slug in set(slugs) - set(found) - self._told:
            self._told.add(slug)
            logger.warning("%s names %r, and there is no such model", self._setting, slug)
        return found


def _either(of_model: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each pair whether it holds for one of its models, shape (pairs,)."""
    first, second = np.triu_indices(len(of_model), k=1)
    either: NDArray[np.bool_] = of_model[first] | of_model[second]
    return either


uniform = Uniform()
weighted = Weighted()
newcomers = Newcomers()
targeted = Targeted()
