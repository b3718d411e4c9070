"""Several moderators as one: one that fails, or lies, takes nothing from the others."""

from __future__ import annotations

import asyncio

import pytest

from arena.moderation import bench as bench_module
from arena.moderation.bench import Bench, Score
from arena.moderation.interface import Failure, ModeratorUnavailableError


class Said:
    """A moderator that says one thing, or fails in one way."""

    version = "1"

    def __init__(self, name, answer):
        self.name = name
        self._answer = answer

    async def scores(self, text):  # noqa: ARG002
        if isinstance(self._answer, Exception):
            raise self._answer
        if self._answer is None:
            await asyncio.Event().wait()
        return self._answer

    async def aclose(self):
        pass


@pytest.fixture
def judged():
    benches = []

    def judge(*moderators):
        benches.append(Bench(moderators))
        return benches[-1].judge("text")

    yield judge
    for bench in benches:
        bench.close()


def test_all_scores_count_beside_a_moderator_that_fails(judged):
    broken = ModeratorUnavailableError(Failure.BUSY, "status 429", scores={"spam": 1.0})

    judgement = judged(Said("one", {"hate": 0.5}), Said("two", broken))

    assert judgement.scores == (Score("one/1", "hate", 0.5), Score("two/1", "spam", 1.0))
    assert judgement.failures == (("two/1", broken),)


def test_a_fault_of_a_moderators_own_is_named_without_its_words(judged):
    judgement = judged(Said("one", KeyError("a bomb")), Said("two", {"hate": 0.5}))

    assert [score.moderator for score in judgement.scores] == ["two/1"]
    assert str(judgement.failures[0][1]) == "broken: KeyError"


def test_a_moderator_that_never_answers_is_not_waited_for(judged, monkeypatch):
    monkeypatch.setattr(bench_module, "SECONDS", 0.05)

    judgement = judged(Said("one", {"hate": 0.5}), Said("two", None))

    assert [score.moderator for score in judgement.scores] == ["one/1"]
    assert judgement.failures[0][1].failure == Failure.TIMEOUT


@pytest.mark.parametrize(
    "scores",
    [
        {"hate": 1.5}, {"hate": -0.1}, {"hate": float("nan")}, {"hate": "high"}, {"hate": True},
        {"": 0.5}, {"h" * 61: 0.5}, {"a\nb": 0.5},
    ],
)  # fmt: skip
def test_scores_that_are_none_are_malformed(judged, scores):
    judgement = judged(Said("one", scores))

    assert judgement.scores == ()
    assert judgement.failures[0][1].failure == Failure.MALFORMED


async def test_an_event_loop_can_ask_too(judged):
    bench = Bench([Said("one", {"hate": 0.5})])

    assert (await bench.ajudge("text")).scores == (Score("one/1", "hate", 0.5),)
    bench.close()


def test_a_bench_without_moderators_is_empty_and_starts_nothing():
    bench = Bench([])

    assert not bench
    assert bench.judge("text").scores == ()
