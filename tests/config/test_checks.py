"""A wrong installation is told before it takes a vote."""

from __future__ import annotations

import pytest

from config.checks import (
    dotted_paths_lead_somewhere,
    layer_reaches_every_process,
    pair_options_make_sense,
)


def test_an_installation_as_it_comes_has_nothing_to_tell() -> None:
    assert dotted_paths_lead_somewhere() == []
    assert layer_reaches_every_process() == []
    assert pair_options_make_sense() == []


@pytest.mark.parametrize("name", ["ARENA_PAIR_SAMPLER", "ARENA_TAGGER"])
@pytest.mark.parametrize("path", ["no.such.module", "arena.tagging.rules.no_such_tagger", "one"])
def test_a_path_that_leads_nowhere_is_named(settings, name, path):
    setattr(settings, name, path)

    (problem,) = dotted_paths_lead_somewhere()

    assert name in problem.msg
    assert path in problem.msg


def test_several_web_processes_need_redis(settings):
    settings.WEB_CONCURRENCY, settings.REDIS_URL = 2, ""

    (problem,) = layer_reaches_every_process()

    assert "REDIS_URL" in problem.msg


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"ARENA_PAIR_SAMPLER": "arena.matchmaking.pair_draw"}, "E003", "no pair sampler"),
        ({"ARENA_PAIR_NEWCOMER_VOTES": 0}, "E004", "ARENA_PAIR_NEWCOMER_VOTES is 0"),
        ({"ARENA_PAIR_NEWCOMER_FACTOR": float("nan")}, "E004", "from 0.001 to 1000"),
        ({"ARENA_PAIR_TARGET_SHARE": 1.5}, "E004", "ARENA_PAIR_TARGET_SHARE is 1.5"),
        ({"ARENA_PAIR_TARGET_SHARE": 0.0}, "E004", "from 0.001 to 1"),
        (
            {"ARENA_PAIR_SAMPLER": "arena.matchmaking.targeted"},
            "E005",
            "needs ARENA_PAIR_TARGETS",
        ),
        (
            {"ARENA_PAIR_SAMPLER": "arena.matchmaking.weighted"},
            "E005",
            "needs ARENA_PAIR_WEIGHTS",
        ),
        ({"ARENA_PAIR_TARGETS": ["ada"]}, "W001", "does not read it"),
        ({"ARENA_PAIR_WEIGHTS": {"ada": 2.0}}, "W001", "ARENA_PAIR_WEIGHTS is set"),
    ],
)
def test_an_option_of_a_sampler_that_makes_no_sense_is_named(settings, changed, code, says):
    for name, value in changed.items():
        setattr(settings, name, value)

    (problem,) = pair_options_make_sense()

    assert problem.id == f"config.{code}"
    assert says in problem.msg


@pytest.mark.parametrize(
    "sampler",
    [
        "arena.matchmaking.uniform",
        "arena.matchmaking.newcomers",
        "ratings.sampling.uncertainty",
    ],
)
def test_every_sampler_of_ours_is_one(settings, sampler):
    settings.ARENA_PAIR_SAMPLER = sampler

    assert pair_options_make_sense() == []
