"""The uncertainty sampler: known probabilities that are those of the draw, for any arena."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.matchmaking import pair_odds, version_of
from arena.models import Battle
from inference.models import Endpoint, LanguageModel, Organization
from ratings.core.information import FLOOR
from ratings.sampling import Uncertainty, uncertainty
from ratings.services import snapshot_fit
from tests.arena.voter import TestVoter
from tests.ratings.arena_votes import vote
from tests.scripted_endpoint import ScriptedEndpoint

Contestants = Mapping[str, LanguageModel]


def in_order(first: Any, second: Any) -> tuple[int, int]:
    return min(first, second), max(first, second)


def probabilities(sampler: Uncertainty, pool: Sequence[int]) -> dict[tuple[int, int], float]:
    """The probability of each pair that can be drawn."""
    odds = pair_odds(sampler=sampler, pool=pool)
    pairs = [in_order(*pair) for pair in odds.pairs.tolist()]
    return dict(zip(pairs, odds.probabilities.tolist(), strict=True))


def ids(contestants: Contestants) -> list[int]:
    return [model.pk for model in contestants.values()]


@pytest.fixture
def fitted(voted: Contestants) -> Contestants:
    snapshot_fit()
    return voted


def test_the_probabilities_add_up(fitted: Contestants) -> None:
    probability = probabilities(Uncertainty(), ids(fitted))

    assert sorted(probability) == sorted(combinations(sorted(ids(fitted)), 2))
    assert sum(probability.values()) == pytest.approx(1, abs=1e-12)
    assert len(set(probability.values())) > 1


def test_leaving_a_pair_out_keeps_the_odds_of_the_others(fitted: Contestants) -> None:
    sampler, pool = Uncertainty(), ids(fitted)
    whole = probabilities(sampler, pool)
    left_out = max(whole, key=lambda pair: whole[pair])

    odds = pair_odds(sampler=sampler, pool=pool, excluded=[left_out])

    rest = 1 - whole.pop(left_out)
    assert odds.excluded == (left_out,)
    assert odds.probabilities.tolist() == pytest.approx(
        [whole[in_order(*pair)] / rest for pair in odds.pairs.tolist()]
    )


def test_every_pair_keeps_a_known_share(voted: Contestants) -> None:
    for _ in range(40):
        vote(voted["ada"], voted["cyd"], "a")
        vote(voted["dot"], voted["cyd"], "b")
    snapshot_fit()

    probability = probabilities(Uncertainty(), ids(voted))

    assert len(probability) == 6
    assert min(probability.values()) >= FLOOR / 6


def test_a_model_that_nobody_saw_meets_more_than_the_others(fitted: Contestants) -> None:
    probability = probabilities(Uncertainty(), ids(fitted))

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

    probability = probabilities(Uncertainty(), ids(contestants))

    assert list(probability.values()) == pytest.approx([1 / 6] * 6)


def test_models_that_the_snapshot_does_not_know_are_drawn_as_well(fitted: Contestants) -> None:
    ada, bea = fitted["ada"].pk, fitted["bea"].pk

    probability = probabilities(Uncertainty(), [ada, bea, 10**6, 10**6 + 1])

    assert len(probability) == 6
    assert sum(probability.values()) == pytest.approx(1, abs=1e-12)
    assert probability[(10**6, 10**6 + 1)] > probability[(ada, bea)]


def test_two_models_meet_for_sure(fitted: Contestants) -> None:
    ada, cyd = fitted["ada"].pk, fitted["cyd"].pk

    assert probabilities(Uncertainty(), [cyd, ada]) == {in_order(ada, cyd): 1.0}


def test_a_newer_snapshot_is_drawn_by_once_it_is_looked_for(fitted: Contestants) -> None:
    at_once, later = Uncertainty(check_seconds=0), Uncertainty(check_seconds=3600)
    before = probabilities(at_once, ids(fitted))
    probabilities(later, ids(fitted))

    for _ in range(30):
        vote(fitted["dot"], fitted["ada"], "a")
        vote(fitted["ada"], fitted["dot"], "a")
    snapshot_fit()

    after = probabilities(at_once, ids(fitted))
    unchanged = probabilities(later, ids(fitted))
    met = in_order(fitted["ada"].pk, fitted["dot"].pk)
    assert after[met] < before[met]
    assert unchanged[met] == before[met]


def test_a_vote_that_both_are_bad_counts_as_a_meeting(contestants: Contestants) -> None:
    ada, bea = contestants["ada"], contestants["bea"]
    for _ in range(20):
        vote(ada, bea, "both_bad")
    snapshot_fit()

    probability = probabilities(Uncertainty(), ids(contestants))

    assert min(probability, key=lambda pair: probability[pair]) == in_order(ada.pk, bea.pk)


def test_after_a_check_that_found_nothing_newer_the_database_rests_again(
    fitted: Contestants,
) -> None:
    sampler = Uncertainty(check_seconds=3600)
    sampler.weights(pool=ids(fitted))
    sampler._known.expire()

    with CaptureQueriesContext(connection) as queries:
        sampler.weights(pool=ids(fitted))
        sampler.weights(pool=ids(fitted))

    assert len(queries) == 1


def test_between_checks_a_draw_asks_the_database_nothing_and_a_check_is_one_query(
    fitted: Contestants,
) -> None:
    resting, checking = Uncertainty(check_seconds=3600), Uncertainty(check_seconds=0)
    for sampler in (resting, checking):
        sampler.weights(pool=ids(fitted))

    with CaptureQueriesContext(
        connection,
    ) as none:
        resting.weights(pool=ids(fitted))
    with CaptureQueriesContext(connection) as one:
        checking.weights(pool=ids(fitted))

    assert len(none) == 0
    assert len(one) == 1
    assert "cells" not in one[0]["sql"]


@pytest.mark.django_db(transaction=True)
def test_threads_that_draw_at_once_draw_from_the_same_table() -> None:
    sampler, start = Uncertainty(check_seconds=0), threading.Barrier(8)

    def weigh(_: int) -> list[list[float]]:
        start.wait()
        try:
            return [sampler.weights(pool=[1, 2, 3]).tolist() for _ in range(20)]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        seen = [weights for found in threads.map(weigh, range(8)) for weights in found]

    assert seen == [pytest.approx([1 / 3] * 3)] * 160


def test_the_version_holds_a_digest_of_the_constants() -> None:
    parameters = {"floor": FLOOR, "limit": 3.0, "prior_sd": 1.0, "sharpness": 4}

    assert uncertainty.version == version_of("uncertainty/1", **parameters)


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
    probability = probabilities(Uncertainty(), pool)
    assert battle.sampler == uncertainty.version
    assert battle.pool == pool
    met = in_order(battle.model_a_id, battle.model_b_id)
    assert battle.probability == pytest.approx(probability[met])
    # The two that met are better known than the one that did not.
    assert probability[(alpha.pk, beta.pk)] == min(probability.values())
