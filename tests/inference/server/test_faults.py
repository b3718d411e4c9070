"""What the service says when a model cannot be loaded, and when its batching thread dies."""

from __future__ import annotations

import asyncio
import ctypes
from pathlib import Path

import pytest

from tests.inference.server.in_process import serving, until
from tests.inference.tiny_model import write_model_file

pytestmark = pytest.mark.weights

BODY = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8000}


async def test_a_model_that_cannot_be_loaded_is_named_and_the_other_serves(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    folders = {"good": tiny_folders["one"], "bad": tmp_path / "empty"}

    async with serving(write_model_file(tmp_path / "m.toml", folders), tmp_path) as (_, client):
        ready = await client.get("/ready")
        good = await client.post("/v1/completions", json={"model": "good", "prompt": "x"})
        bad = await client.post("/v1/completions", json={"model": "bad", "prompt": "x"})

    assert ready.status_code == 503
    assert list(ready.json()["models"]) == ["bad"]
    assert "config.json" in ready.json()["models"]["bad"]
    assert good.status_code == 200
    assert (bad.status_code, bad.json()["error"]["code"]) == (503, "model_not_ready")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_batching_thread_that_vanishes_ends_its_requests_and_the_health(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)

    async with serving(model_file, tmp_path) as (fleet, client):
        healthy = await client.get("/health")
        engine = fleet.models["one"].engine
        assert engine is not None
        under_way = asyncio.create_task(
            client.post("/v1/chat/completions", json=BODY | {"model": "one"})
        )
        await until(lambda: engine.running > 0)
        thread = engine._manager._generation_thread
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
        )
        ended = await under_way
        after = await client.post("/v1/chat/completions", json=BODY | {"model": "one"})
        other = await client.post("/v1/completions", json={"model": "two", "prompt": "x"})
        health = await client.get("/health")

    assert healthy.status_code == 200
    assert (ended.status_code, ended.json()["error"]["code"]) == (503, "engine_failed")
    assert after.status_code == 503
    assert other.status_code == 200
    assert (health.status_code, health.json()["models"]) == (503, ["one"])
