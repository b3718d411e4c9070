"""The uncertainty sampler: known probabilities that are those of the draw, for any arena."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from random import Random
from secrets import SystemRandom
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from scipy.stats import chisquare

from arena.matchmaking import pair_draw
from arena.models import Battle
from inference.models import Endpoint, LanguageModel, Organization
from ratings.core.information import FLOOR
from ratings.sampling import Uncertainty, uncertainty
from ratings.services import snapshot_fit
from tests.arena.voter import TestVoter
from tests.ratings.arena_votes import vote
from tests.scripted_endpoint import ScriptedEndpoint

Contestants = Mapping[str, LanguageModel]


def seeded(**options: float) -> Uncertainty:
    return Uncertainty(random=Random(1), **options)


def in_order(first: Any, second: Any) -> tuple[int, int]:
    return min(first, second), max(first, second)


def drawn(
    sampler: Uncertainty, pool: Sequence[int], draws: int = 3000
) -> tuple[Counter[tuple[int, int]], dict[tuple[int, int], float]]:
    """How often each pair was drawn, and the probability that came with it."""
    sampled = [sampler(pool=pool) for _ in range(draws)]
    return Counter(one.pair for one in sampled), {one.pair: one.probability for one in sampled}


def ids(contestants: Contestants) -> list[int]:
    return [model.pk for model in contestants.values()]


@pytest.fixture
def fitted(voted: Contestants) -> Contestants:
    snapshot_fit()
    return voted


def test_the_probabilities_add_up_and_are_those_of_the_draw(fitted: Contestants) -> None:
    count, probability = drawn(seeded(), ids(fitted))

    pairs = sorted(probability)
    assert pairs == sorted(combinations(sorted(ids(fitted)), 2))
    assert sum(probability.values()) == pytest.approx(1, abs=1e-12)
    assert len(set(probability.values())) > 1
    expected = [3000 * probability[pair] for pair in pairs]
    assert chisquare([count[pair] for pair in pairs], expected).pvalue > 0.001


def test_every_pair_keeps_a_known_share(voted: Contestants) -> None:
    for _ in range(40):
        vote(voted["ada"], voted["cyd"], "a")
        vote(voted["dot"], voted["cyd"], "b")
    snapshot_fit()

    _, probability = drawn(seeded(), ids(voted))

    assert len(probability) == 6
    assert min(probability.values()) >= FLOOR / 6


def test_a_model_that_nobody_saw_meets_more_than_the_others(fitted: Contestants) -> None:
    _, probability = drawn(seeded(), ids(fitted))

    exposure = {
        slug: sum(share for pair, share in probability.items() if model.pk in pair)
        for slug, model in fitted.items()
    }
    assert max(exposure, key=lambda slug: exposure[slug]) == "dot"
    assert exposure["dot"] > 0.55


@pytest.mark.parametrize("snapshot", [False, True])
def test_in_an_empty_arena_every_pair_is_as_likely(
    contestants: Contestants, snapshot: bool
) -> None:
    if snapshot:
        snapshot_fit()

    _, probability = drawn(seeded(), ids(contestants))

    assert list(probability.values()) == pytest.approx([1 / 6] * 6)


def test_models_that_the_snapshot_does_not_know_are_drawn_as_well(fitted: Contestants) -> None:
    ada, bea = fitted["ada"].pk, fitted["bea"].pk

    _, probability = drawn(seeded(), [ada, bea, 10**6, 10**6 + 1])

    assert len(probability) == 6
    assert sum(probability.values()) == pytest.approx(1, abs=1e-12)
    assert probability[(10**6, 10**6 + 1)] > probability[(ada, bea)]


def test_two_models_meet_for_sure(fitted: Contestants) -> None:
    ada, cyd = fitted["ada"].pk, fitted["cyd"].pk

    sampled = seeded()(pool=[cyd, ada])

    assert (set(sampled.pair), sampled.probability) == ({ada, cyd}, 1.0)


def test_a_newer_snapshot_is_drawn_by_once_it_is_looked_for(fitted: Contestants) -> None:
    at_once, later = seeded(check_seconds=0), seeded(check_seconds=3600)
    _, before = drawn(at_once, ids(fitted), 200)
    drawn(later, ids(fitted), 1)

    for _ in range(30):
        vote(fitted["dot"], fitted["ada"], "a")
        vote(fitted["ada"], fitted["dot"], "a")
    snapshot_fit()

    _, after = drawn(at_once, ids(fitted), 200)
    _, unchanged = drawn(later, ids(fitted), 200)
    met = in_order(fitted["ada"].pk, fitted["dot"].pk)
    assert after[met] < before[met]
    assert unchanged[met] == before[met]


def test_a_vote_that_both_are_bad_counts_as_a_meeting(contestants: Contestants) -> None:
    ada, bea = contestants["ada"], contestants["bea"]
    for _ in range(20):
        vote(ada, bea, "both_bad")
    snapshot_fit()

    _, probability = drawn(seeded(), ids(contestants))

    assert min(probability, key=lambda pair: probability[pair]) == in_order(ada.pk, bea.pk)


def test_after_a_check_that_found_nothing_newer_the_database_rests_again(
    fitted: Contestants,
) -> None:
    sampler = seeded(check_seconds=3600)
    sampler(pool=ids(fitted))
    assert sampler._known is not None
    sampler._known = replace(sampler._known, until=0.0)

    with CaptureQueriesContext(connection) as queries:
        sampler(pool=ids(fitted))
        sampler(pool=ids(fitted))

    assert len(queries) == 1


def test_between_checks_a_draw_asks_the_database_nothing_and_a_check_is_one_query(
    fitted: Contestants,
) -> None:
    resting, checking = Uncertainty(check_seconds=3600), Uncertainty(check_seconds=0)
    for sampler in (resting, checking):
        sampler(pool=ids(fitted))

    with CaptureQueriesContext(
        connection,
    ) as none:
        resting(pool=ids(fitted))
    with CaptureQueriesContext(connection) as one:
        checking(pool=ids(fitted))

    assert len(none) == 0
    assert len(one) == 1
    assert "cells" not in one[0]["sql"]


@pytest.mark.django_db(transaction=True)
def test_threads_that_draw_at_once_draw_from_the_same_table() -> None:
    sampler, start = Uncertainty(check_seconds=0), threading.Barrier(8)

    def draw(_: int) -> set[float]:
        start.wait()
        try:
            return {sampler(pool=[1, 2, 3]).probability for _ in range(20)}
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        seen = set().union(*threads.map(draw, range(8)))

    assert sorted(seen) == pytest.approx([1 / 3] * len(seen))


def test_in_production_the_generator_is_cryptographic() -> None:
    assert isinstance(uncertainty._random, SystemRandom)


@pytest.fixture
def three_models(two_models: ScriptedEndpoint) -> list[LanguageModel]:
    third = LanguageModel.objects.create(
        slug="gamma-1b", name="Gamma One", organization=Organization.objects.get(slug="acme")
    )
    Endpoint.objects.create(
        language_model=third, base_url=two_models.url, name="alpha-7b", is_up=True
    )
    return list(LanguageModel.objects.order_by("pk"))


@pytest.mark.django_db(transaction=True)
def test_a_battle_stores_the_probability_that_its_pair_was_drawn_with(
    three_models: list[LanguageModel], settings, monkeypatch
) -> None:
    settings.ARENA_PAIR_SAMPLER = "ratings.sampling.uncertainty"
    alpha, beta, _ = three_models
    for choice in "abab":
        vote(alpha, beta, choice)
    snapshot_fit()
    monkeypatch.setattr("ratings.sampling.uncertainty", Uncertainty())
    voter = TestVoter()

    battle = Battle.objects.get(pk=voter.start())
    voter.ended(battle.pk)

    pool = [model.pk for model in three_models]
    _, probability = drawn(seeded(), pool)
    assert battle.sampler == "uncertainty/1"
    assert battle.pool == pool
    met = in_order(battle.model_a_id, battle.model_b_id)
    assert battle.probability == pytest.approx(probability[met])
    # The two that met are better known than the one that did not.
    assert probability[(alpha.pk, beta.pk)] == min(probability.values())


def test_sides_are_drawn_apart_from_the_pair(fitted: Contestants, settings) -> None:
    settings.ARENA_PAIR_SAMPLER = "ratings.sampling.uncertainty"
    pool = [fitted["ada"].pk, fitted["bea"].pk]

    first = Counter(pair_draw(pool=pool).model_a for _ in range(2000))

    # 2000 fair coins: 1000 ± 5 standard deviations of 22.4.
    assert abs(first[pool[0]] - 1000) < 112
