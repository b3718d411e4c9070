"""A wrong installation is told before it takes a vote."""

from __future__ import annotations

import pytest

from config.checks import dotted_paths_lead_somewhere, layer_reaches_every_process


def test_an_installation_as_it_comes_has_nothing_to_tell() -> None:
    assert dotted_paths_lead_somewhere() == []
    assert layer_reaches_every_process() == []


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
