"""What is remembered for a while is looked up by one, and told again to the others."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from arena.memo import remembered


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1_800_000_000.0)
    monkeypatch.setattr("arena.memo.time", SimpleNamespace(time=lambda: clock.now))
    return clock


def test_a_value_is_told_again_until_its_time_is_over(clock):
    numbers = count()

    def ask():
        return remembered("number", lambda: next(numbers), seconds=3)

    assert [ask(), ask()] == [0, 0]
    clock.now += 2.9
    assert ask() == 0
    clock.now += 0.2
    assert [ask(), ask()] == [1, 1]


def test_while_one_looks_anew_the_others_go_on_with_the_last_value(clock):
    remembered("word", lambda: "old", seconds=3)
    clock.now += 4
    meanwhile = []

    def look():
        meanwhile.append(remembered("word", lambda: "not asked", seconds=3))
        return "new"

    assert remembered("word", look, seconds=3) == "new"
    assert meanwhile == ["old"]
    clock.now += 4
    assert remembered("word", lambda: "newer", seconds=3) == "newer"


def test_what_took_long_to_find_is_remembered_for_longer(clock):
    def look():
        clock.now += 2
        return "slow"

    remembered("word", look, seconds=3)
    clock.now += 39

    assert remembered("word", lambda: "too early", seconds=3) == "slow"


def test_without_its_redis_each_asks_for_itself(monkeypatch):
    def gone(*_args, **_kwargs):
        raise RedisConnectionError

    monkeypatch.setattr("arena.memo.cache", SimpleNamespace(get=gone))

    assert [remembered("word", lambda: "found", seconds=3) for _ in range(2)] == ["found"] * 2
