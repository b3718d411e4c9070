"""Models never take more of a device than they may, and errors have the numbers."""

from __future__ import annotations

import pytest

from inference.server.memory import DeviceMemory, Footprint, gib

GIB = 2**30


def test_neither_the_whole_nor_the_caches_go_above_their_limits() -> None:
    memory = DeviceMemory(limit=10 * GIB, cache_limit=4 * GIB)
    memory.hold("a", Footprint(weights=4 * GIB, cache=2 * GIB))

    assert memory.fits(Footprint(weights=2 * GIB, cache=2 * GIB))
    assert not memory.fits(Footprint(weights=1 * GIB, cache=3 * GIB))
    assert not memory.fits(Footprint(weights=5 * GIB, cache=0))
    assert memory.fits(Footprint(weights=5 * GIB, cache=3 * GIB), without=["a"])
    with pytest.raises(ValueError, match=r"needs 5\.00 GiB, and 4\.00 GiB is left"):
        memory.hold("b", Footprint(weights=5 * GIB, cache=0))
    assert (memory.used, memory.cache_used) == (6 * GIB, 2 * GIB)

    memory.release("a")

    assert memory.used == 0


def test_holding_again_replaces_what_was_held() -> None:
    memory = DeviceMemory(limit=10 * GIB, cache_limit=10 * GIB)
    memory.hold("a", Footprint(weights=8 * GIB, cache=1 * GIB))

    memory.hold("a", Footprint(weights=8 * GIB, cache=2 * GIB))

    assert memory.used == 10 * GIB


def test_what_can_never_fit_is_told_with_numbers_and_a_way_out() -> None:
    memory = DeviceMemory(limit=10 * GIB, cache_limit=4 * GIB)

    weights = memory.why_never(Footprint(weights=8 * GIB, cache=3 * GIB))
    cache = memory.why_never(Footprint(weights=1, cache=5 * GIB))

    assert "needs 11.00 GiB (8.00 GiB of weights and 3.00 GiB" in weights
    assert "--memory allows 10.00 GiB" in weights
    assert "--kv-memory allows 4.00 GiB" in cache
    assert memory.why_never(Footprint(weights=6 * GIB, cache=4 * GIB)) == ""


def test_small_sizes_are_not_rounded_to_nothing() -> None:
    assert (gib(3 * 2**20), gib(3 * 2**30)) == ("3.0 MiB", "3.00 GiB")
