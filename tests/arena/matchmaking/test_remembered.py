"""A remembered value: looked up by one thread at a time, while the others go on with the last."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from arena.matchmaking import Remembered


def test_it_is_looked_up_once_while_it_holds():
    looks: list[int | None] = []

    def look_up(before: int | None) -> int:
        looks.append(before)
        return len(looks)

    remembered = Remembered(look_up, seconds=3600)

    assert [remembered.now() for _ in range(3)] == [1, 1, 1]
    remembered.expire()
    assert remembered.now() == 2
    assert looks == [None, 1]


def test_while_one_thread_looks_the_others_have_the_value_before():
    looking, go_on = threading.Event(), threading.Event()

    def look_up(before: int | None) -> int:
        if before is not None:
            looking.set()
            assert go_on.wait(20)
        return (before or 0) + 1

    remembered = Remembered(look_up, seconds=0)
    assert remembered.now() == 1
    with ThreadPoolExecutor(1) as other:
        slow = other.submit(remembered.now)
        assert looking.wait(20)
        assert remembered.now() == 1
        go_on.set()
        assert slow.result() == 2


class TellingLock:
    """A lock that tells how many have come to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.came = threading.Semaphore(0)

    def __enter__(self) -> None:
        self.came.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_threads_that_all_come_first_share_one_look():
    lock, looks = TellingLock(), list[int]()

    def look_up(_: int | None) -> int:
        looks.append(1)
        if len(looks) == 1:
            # Until all have come: this thread and three others.
            assert all(lock.came.acquire(timeout=20) for _ in range(4))
        return len(looks)

    remembered = Remembered(look_up, seconds=3600)
    remembered._looking = cast(Any, lock)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: remembered.now(), range(4))) == [1] * 4


def test_a_look_that_fails_is_tried_again():
    outcomes = iter([1, 0, 2])

    def look_up(_: int | None) -> int:
        value = next(outcomes)
        if value == 0:
            raise ConnectionError
        return value

    remembered = Remembered(look_up, seconds=0)
    assert remembered.now() == 1
    with pytest.raises(ConnectionError):
        remembered.now()
    assert remembered.now() == 2
