"""The samplers: whom they favour, by how much, and that their version says by what parameters."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import combinations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from arena.matchmaking import pair_odds, targeted, uniform, version_of, weighted
from arena.matchmaking.samplers import Newcomers, Targeted, Weighted
from tests.arena.met import met

Slugs = frozenset[str]


def odds(sampler, models: dict[str, int], excluded: Iterable[Slugs] = ()) -> dict[Slugs, float]:
    """P of each pair that can be drawn, by slugs."""
    slug = {pk: name for name, pk in models.items()}
    drawn = pair_odds(
        sampler=sampler,
        pool=list(models.values()),
        excluded=[(models[one], models[other]) for one, other in map(sorted, excluded)],
    )
    return {
        frozenset(slug[pk] for pk in pair): float(share)
        for pair, share in zip(drawn.pairs.tolist(), drawn.probabilities, strict=True)
    }


def share_of(name: str, found: dict[Slugs, float]) -> float:
    """How likely a battle is to hold this model."""
    return sum(share for pair, share in found.items() if name in pair)


def test_uniform_pairs_are_all_alike(five_models):
    found = odds(uniform, five_models, excluded=[frozenset({"ada", "bea"})])

    assert set(found) == {frozenset(pair) for pair in combinations(five_models, 2)} - {
        frozenset({"ada", "bea"})
    }
    assert list(found.values()) == pytest.approx([1 / 9] * 9)


def test_a_pair_weighs_the_product_of_its_models_weights(five_models, settings):
    settings.ARENA_PAIR_WEIGHTS = {"ada": 5.0, "bea": 0.5, "cyd": 0.0}

    found = odds(weighted, five_models)

    # ada-bea 2.5, ada-dot 5, ada-eve 5, bea-dot 0.5, bea-eve 0.5, dot-eve 1.
    assert found[frozenset({"ada", "bea"})] == pytest.approx(2.5 / 14.5)
    assert found[frozenset({"ada", "dot"})] == pytest.approx(5 / 14.5)
    assert found[frozenset({"dot", "eve"})] == pytest.approx(1 / 14.5)
    assert share_of("cyd", found) == 0


def test_without_weights_all_pairs_are_alike(five_models):
    assert list(odds(weighted, five_models).values()) == pytest.approx([0.1] * 10)


@pytest.mark.parametrize("share", [0.7, 0.2, 1.0])
def test_a_pair_holds_a_target_with_the_share_that_is_set(five_models, settings, share):
    settings.ARENA_PAIR_TARGETS = ["ada", "eve"]
    settings.ARENA_PAIR_TARGET_SHARE = share

    found = odds(targeted, five_models)

    held = [chance for pair, chance in found.items() if pair & {"ada", "eve"}]
    assert sum(held) == pytest.approx(share)
    assert held == pytest.approx([share / 7] * 7)


def test_where_no_target_lives_the_others_meet(five_models, settings):
    settings.ARENA_PAIR_TARGETS = ["ada"]
    settings.ARENA_PAIR_TARGET_SHARE = 1.0
    del five_models["ada"]

    assert list(odds(targeted, five_models).values()) == pytest.approx([1 / 6] * 6)


def test_where_every_pair_holds_a_target_they_are_alike(five_models, settings):
    settings.ARENA_PAIR_TARGETS = [*five_models]

    assert list(odds(targeted, five_models).values()) == pytest.approx([0.1] * 10)


def test_pairs_with_a_newcomer_are_drawn_more_often(five_models, settings):
    settings.ARENA_PAIR_NEWCOMER_VOTES, settings.ARENA_PAIR_NEWCOMER_FACTOR = 2, 3.0
    ada, bea, cyd, dot, _ = five_models.values()
    for first, second in ((ada, bea), (bea, ada), (cyd, dot)):
        met(first, second, vote="a")

    found = odds(Newcomers(), five_models)

    # ada and bea have two votes each and are known; nine pairs hold one of the others.
    assert found[frozenset({"ada", "bea"})] == pytest.approx(1 / 28)
    assert sorted(found.values())[1:] == pytest.approx([3 / 28] * 9)


def test_only_counted_votes_of_anonymous_battles_make_a_model_known(five_models, settings):
    settings.ARENA_PAIR_NEWCOMER_VOTES, settings.ARENA_PAIR_NEWCOMER_FACTOR = 1, 3.0
    ada, bea, cyd, dot, eve = five_models.values()
    met(ada, bea, vote="a", exclusion="leak")
    met(bea, cyd, vote="a", mode="side_by_side")
    met(ada, bea)
    met(dot, eve, vote="tie")

    found = odds(Newcomers(), five_models)

    assert min(found, key=lambda pair: found[pair]) == frozenset({"dot", "eve"})
    assert len(set(found.values())) == 2


def test_votes_are_counted_now_and_then_and_not_at_each_draw(five_models, settings):
    settings.ARENA_PAIR_NEWCOMER_VOTES = 1
    resting, counting = Newcomers(counted_seconds=3600), Newcomers(counted_seconds=0)
    before = [odds(sampler, five_models) for sampler in (resting, counting)]
    met(five_models["ada"], five_models["bea"], vote="b")

    with CaptureQueriesContext(connection) as none:
        after_resting = odds(resting, five_models)
    with CaptureQueriesContext(connection) as one:
        after_counting = odds(counting, five_models)

    assert (len(none), len(one)) == (0, 1)
    assert after_resting == before[0]
    assert after_counting != before[1]


@pytest.mark.parametrize(
    ("sampler", "change"),
    [
        ("weighted", {"ARENA_PAIR_WEIGHTS": {"ada": 2.0}}),
        ("newcomers", {"ARENA_PAIR_NEWCOMER_VOTES": 7}),
        ("newcomers", {"ARENA_PAIR_NEWCOMER_FACTOR": 7.0}),
        ("targeted", {"ARENA_PAIR_TARGETS": ["ada"]}),
        ("targeted", {"ARENA_PAIR_TARGET_SHARE": 0.75}),
    ],
)
def test_other_parameters_are_another_version(settings, sampler, change):
    found = import_string(f"arena.matchmaking.{sampler}")
    before = found.version
    for name, value in change.items():
        setattr(settings, name, value)

    assert found.version != before
    assert found.version.split(":")[0] == before.split(":")[0] == f"{sampler}/1"


def test_who_is_told_the_parameters_can_tell_the_version(settings):
    settings.ARENA_PAIR_TARGETS = ["eve", "ada", "eve"]
    settings.ARENA_PAIR_TARGET_SHARE = 0.5

    # printf '{"share":0.5,"targets":["ada","eve"]}' | sha256sum
    assert targeted.version == "targeted/1:eb311afe"
    assert targeted.version == version_of("targeted/1", share=0.5, targets=["ada", "eve"])


@pytest.mark.parametrize(
    ("sampler", "setting", "value"),
    [
        (Weighted, "ARENA_PAIR_WEIGHTS", {"ada": 2.0, "adda": 3.0}),
        (Targeted, "ARENA_PAIR_TARGETS", ["ada", "adda"]),
    ],
)
def test_a_name_that_no_model_has_is_told_once(
    five_models, settings, caplog, sampler, setting, value
):
    setattr(settings, setting, value)
    drawing = sampler()

    with caplog.at_level(logging.WARNING):
        odds(drawing, five_models)
        odds(drawing, five_models)

    assert [record.getMessage() for record in caplog.records] == [
        f"{setting} names 'adda', and there is no such model"
    ]
