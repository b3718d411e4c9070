"""Who was drawn how often, by what odds, and how often people then voted: for everybody to check.

Counts anonymous battles only, and none of those with an answer spoilt on purpose. Whole days
alone, and the last of them a day ago: whoever polls these numbers while a battle runs, their own or
another's, sees nothing move. Knows nothing of ratings.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
from django.db import connection
from django.utils import timezone

from arena.memo import remembered
from arena.proportions import wilson
from inference.selectors import language_models_listed

# How long a battle stays untold, at least.
UNTOLD = timedelta(days=1)
# What was removed or withdrawn since is gone from these numbers after this long.
CACHE_SECONDS = 3600

# The battles that are told of, each with whether both sides answered its first prompt, and
# whether it was voted on before the day ended that the numbers are of.
_TOLD = """
    WITH voted AS (
        SELECT DISTINCT turn.battle_id
          FROM arena_vote AS vote JOIN arena_turn AS turn ON turn.id = vote.turn_id
         WHERE vote.cast_at < %(voted_by)s),
    answered AS (
        SELECT turn.battle_id
          FROM arena_turn AS turn JOIN arena_answer AS answer ON answer.turn_id = turn.id
         WHERE turn.index = 0 AND answer.state IN ('complete', 'stopped') AND answer.text <> ''
         GROUP BY turn.battle_id
        HAVING bool_or(answer.side = 'a') AND bool_or(answer.side = 'b')),
    told AS (
        SELECT battle.*, voted.battle_id IS NOT NULL AS voted,
               answered.battle_id IS NOT NULL OR voted.battle_id IS NOT NULL AS answered
          FROM arena_battle AS battle
          LEFT JOIN voted ON voted.battle_id = battle.id
          LEFT JOIN answered ON answered.battle_id = battle.id
         WHERE battle.mode = 'battle' AND battle.gold_side = '' AND battle.created_at < %(until)s)
"""


@dataclass(frozen=True, slots=True)
class Turnout:
    """How many battles there were, how many could be voted on, and how many were.

    `vote_rate` is votes over answered battles, with Wilson's 95 % interval; None without any.
    """

    battles: int
    answered: int
    votes: int
    vote_rate: float | None
    vote_rate_lower: float | None
    vote_rate_upper: float | None


@dataclass(frozen=True, slots=True)
class PairExposure:
    """Two models in the order they were shown in, by slug.

    `possible` is the number of battles whose pool held both and whose voter was not to be spared
    them. `possible_estimated` is the same number as the drawn battles tell it, the sum of 2 / P
    over them (Horvitz and Thompson 1952), with its standard error: far apart, the pair was not
    drawn by the probabilities that were stored.
    """

    model_a: str
    model_b: str
    turnout: Turnout
    mean_probability: float
    possible: int
    possible_estimated: float
    possible_standard_error: float


@dataclass(frozen=True, slots=True)
class ModelExposure:
    """A model by slug: the battles whose pool held it, and those where it was shown."""

    model: str
    available: int
    first: Turnout
    second: Turnout


@dataclass(frozen=True, slots=True)
class SamplerExposure:
    """A sampler's version and its battles.

    `calibration` is the mean of 1 / (P times the number of pairs that were not left out). It is 1
    within a few standard errors where P is what was drawn by and no pair weighs nothing. None
    where pools are not known.
    """

    sampler: str
    battles: int
    calibration: float | None
    calibration_standard_error: float | None


@dataclass(frozen=True, slots=True)
class PairingExposure:
    """All of it; battles that began before `until`, votes of the day after that included."""

    until: datetime
    turnout: Turnout
    samplers: list[SamplerExposure]
    models: list[ModelExposure]
    pairs: list[PairExposure]


def told_until(now: datetime) -> datetime:
    """Battles that began before this are told of at `now`: the start of yesterday, in UTC.

    A vote cast later than that, on a battle that began before, may know who answered.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - UNTOLD


def pairing_exposure() -> PairingExposure:
    """What there is to tell now; the same all day, and made once an hour at most."""
    until = told_until(timezone.now())
    return remembered(
        f"arena.pairing_exposure:{until.isoformat()}",
        lambda: pairing_exposure_make(until=until),
        seconds=CACHE_SECONDS,
    )


def pairing_exposure_make(*, until: datetime) -> PairingExposure:
    """Four aggregates over the battles that began before `until`."""
    available, possible = _possible(until)
    slugs = dict(language_models_listed().values_list("pk", "slug"))
    pairs = [
        PairExposure(
            model_a=slugs[first],
            model_b=slugs[second],
            turnout=_turnout(*counts),
            mean_probability=mean,
            possible=possible.get((min(first, second), max(first, second)), 0),
            possible_estimated=estimated,
            possible_standard_error=variance**0.5,
        )
        for first, second, *counts, mean, estimated, variance in _told(
            """
            SELECT model_a_id, model_b_id, count(*), count(*) FILTER (WHERE answered),
                   count(*) FILTER (WHERE voted), avg(probability), sum(2 / probability),
                   sum((1 - probability / 2) / (probability / 2) ^ 2)
              FROM told GROUP BY model_a_id, model_b_id
            """,
            until,
        )
    ]
    pairs.sort(key=lambda pair: (pair.model_a, pair.model_b))
    return PairingExposure(
        until=until,
        turnout=_sum(pair.turnout for pair in pairs),
        samplers=_samplers(until),
        models=_models(
            pairs, {slugs[pk]: battles for pk, battles in available.items() if pk in slugs}
        ),
        pairs=pairs,
    )


def _models(pairs: Iterable[PairExposure], available: Mapping[str, int]) -> list[ModelExposure]:
    first, second = defaultdict(list), defaultdict(list)
    for pair in pairs:
        first[pair.model_a].append(pair.turnout)
        second[pair.model_b].append(pair.turnout)
    return [
        ModelExposure(slug, available.get(slug, 0), _sum(first[slug]), _sum(second[slug]))
        for slug in sorted({*available, *first, *second})
    ]


def _samplers(until: datetime) -> list[SamplerExposure]:
    return [
        SamplerExposure(*row)
        for row in _told(
            """
            SELECT sampler, count(*), avg(ratio), stddev_samp(ratio) / sqrt(count(*))
              FROM (SELECT sampler,
                           1 / (probability
                                * NULLIF(cardinality(pool) * (cardinality(pool) - 1) / 2
                                         - jsonb_array_length(excluded_pairs), 0)) AS ratio
                      FROM told) AS each
             GROUP BY sampler ORDER BY sampler
            """,
            until,
        )
    ]


def _possible(until: datetime) -> tuple[dict[int, int], Counter[tuple[int, int]]]:
    """For each model the battles whose pool held it; for each pair those it could be drawn in.

    Pools repeat, so they are counted first and taken apart after.
    """
    pools = _told("SELECT pool, count(*) FROM told GROUP BY pool", until)
    ids = sorted({model for pool, _ in pools for model in pool})
    column = {model: number for number, model in enumerate(ids)}
    held = np.zeros((len(pools), len(ids)))
    for row, (pool, _) in enumerate(pools):
        held[row, [column[model] for model in pool]] = 1
    battles = np.array([[count] for _, count in pools]).reshape(-1, 1)
    together = np.rint(held.T @ (held * battles)).astype(int)
    possible = Counter(
        {(ids[i], ids[j]): int(together[i, j]) for i, j in combinations(range(len(ids)), 2)}
    )
    for first, second, count in _told(
        """
        SELECT (pair ->> 0)::bigint, (pair ->> 1)::bigint, count(*)
          FROM told, jsonb_array_elements(excluded_pairs) AS pair GROUP BY 1, 2
        """,
        until,
    ):
        possible[first, second] -= count
    return {model: int(together[n, n]) for model, n in column.items()}, possible


def _told(select: str, until: datetime) -> list[tuple[Any, ...]]:
    """The rows of a SELECT from `told`."""
    with connection.cursor() as cursor:
        cursor.execute(_TOLD + select, {"until": until, "voted_by": until + UNTOLD})
        return list(cursor.fetchall())


def _sum(turnouts: Iterable[Turnout]) -> Turnout:
    counts = [(turnout.battles, turnout.answered, turnout.votes) for turnout in turnouts]
    return _turnout(*(sum(column) for column in zip(*counts, strict=True))) if counts else EMPTY


def _turnout(battles: int, answered: int, votes: int) -> Turnout:
    rate = wilson(votes, answered)
    if rate is None:
        return Turnout(battles, answered, votes, None, None, None)
    return Turnout(battles, answered, votes, rate.value, rate.lower, rate.upper)


EMPTY = Turnout(0, 0, 0, None, None, None)
