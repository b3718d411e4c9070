"""A client that leaves gives everything back within a second, whatever its request waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from inference.server.app import make_app
from inference.server.fleet import Fleet
from tests.inference.server.in_process import serving, until
from tests.inference.server.running_service import USER, listening
from tests.inference.tiny_model import write_model_file

pytestmark = pytest.mark.weights

CHAT, PLAIN = "/v1/chat/completions", "/v1/completions"
LONG: dict[str, Any] = {"model": "one", "max_tokens": 8000}
REQUESTS = {
    "chat": (CHAT, LONG | {"messages": USER}),
    "streamed chat": (CHAT, LONG | {"messages": USER, "stream": True}),
    "three choices": (CHAT, LONG | {"messages": USER, "n": 3, "max_tokens": 2000}),
    "three streamed choices": (
        CHAT,
        LONG | {"messages": USER, "n": 3, "max_tokens": 2000, "stream": True},
    ),
    "seeded": (CHAT, LONG | {"messages": USER, "seed": 1, "temperature": 1}),
    "two streamed seeded choices": (
        CHAT,
        LONG | {"messages": USER, "seed": 1, "temperature": 1, "n": 2, "stream": True},
    ),
    "several prompts": (PLAIN, LONG | {"prompt": ["a", "b", "c"], "max_tokens": 2000}),
    "log-likelihood": (
        PLAIN,
        LONG | {"prompt": [[5] * 8000] * 16, "echo": True, "max_tokens": 1, "logprobs": 1},
    ),
    "echo and an answer": (PLAIN, LONG | {"prompt": "a", "echo": True, "logprobs": 1}),
}


def busy(fleet: Fleet) -> int:
    runtime = fleet.models["one"].runtime
    assert runtime is not None
    return runtime.busy


async def left_behind(url: str) -> dict[str, float]:
    """Gauges of requests and cache that are not zero."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{url}/metrics")).text
    gauges = (
        "requests_running",
        "requests_waiting",
        "isolated_requests",
        "kv_cache_reserved_ratio",
    )
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    values = {name: float(value) for name, _, value in lines}
    return {
        name: value for name, value in values.items() if value and any(g in name for g in gauges)
    }


@pytest.mark.parametrize("kind", REQUESTS)
async def test_whoever_hangs_up_frees_the_place(
    kind: str, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    path, body = REQUESTS[kind]
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})

    async with serving(model_file, tmp_path) as (fleet, _), listening(make_app(fleet)) as url:
        tasks = len(asyncio.all_tasks())
        async with httpx.AsyncClient(timeout=60) as client:
            asking = asyncio.create_task(client.post(url + path, json=body))
            await until(lambda: busy(fleet) > 0)
            asking.cancel()
            await asyncio.wait({asking})

        async with asyncio.timeout(1):
            while busy(fleet) or await left_behind(url):  # noqa: ASYNC110 - read from outside
                await asyncio.sleep(0.02)
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        async with httpx.AsyncClient(timeout=60) as client:
            after = await client.post(url + PLAIN, json={"model": "one", "prompt": "x"})
        assert after.status_code == 200


async def test_a_client_that_leaves_the_queue_is_not_waited_for(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})
    body = LONG | {"messages": USER}

    async with (
        serving(model_file, tmp_path, max_running=1) as (fleet, _),
        listening(make_app(fleet)) as url,
        httpx.AsyncClient(timeout=60) as client,
    ):
        asking = [asyncio.create_task(client.post(url + CHAT, json=body)) for _ in range(3)]
        await until(lambda: busy(fleet) == 3)
        for task in asking[1:]:
            task.cancel()
        await until(lambda: busy(fleet) == 1)

        runtime = fleet.models["one"].runtime
        assert runtime is not None
        assert (runtime.engine.running, runtime.engine.waiting) == (1, 0)
        asking[0].cancel()
        await until(lambda: busy(fleet) == 0)
        await asyncio.wait(asking)


async def test_a_client_that_leaves_while_a_model_wakes_is_forgotten(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})

    async with (
        serving(model_file, tmp_path) as (fleet, _),
        listening(make_app(fleet)) as url,
        httpx.AsyncClient(timeout=60) as client,
    ):
        await fleet.sleep("one")
        entry = fleet.models["one"]
        await until(lambda: entry.runtime is None)
        asking = asyncio.create_task(client.post(url + CHAT, json=LONG | {"messages": USER}))
        await until(lambda: entry.callers > 0)
        asking.cancel()
        await asyncio.wait({asking})
        await until(lambda: entry.callers == 0)
        await until(lambda: entry.runtime is not None)

        assert busy(fleet) == 0
