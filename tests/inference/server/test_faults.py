"""What the service says when a model cannot be loaded, and when its batching thread dies."""

from __future__ import annotations

import asyncio
import ctypes
import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from inference.server.engine import ModelEngine
from inference.server.fleet import Fleet
from tests.inference.server.in_process import serving, until
from tests.inference.tiny_model import write_model_file

pytestmark = pytest.mark.weights

SHORT = {"prompt": "x", "max_tokens": 8, "temperature": 0}
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
async def test_a_batching_thread_that_vanishes_is_started_anew(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)

    async with serving(model_file, tmp_path) as (fleet, client):
        healthy = await client.get("/health")
        expected = await client.post("/v1/completions", json=SHORT | {"model": "one"})
        under_way = asyncio.create_task(
            client.post("/v1/chat/completions", json=BODY | {"model": "one"})
        )
        await until(lambda: engine_of(fleet, "one").running > 0)
        kill_thread(engine_of(fleet, "one"))
        await until(lambda: fleet.dead() == ["one"])
        health = await client.get("/health")
        meanwhile = await client.post("/v1/completions", json=SHORT | {"model": "one"})
        other = await client.post("/v1/completions", json=SHORT | {"model": "two"})
        ended = await under_way
        await until(lambda: not fleet.dead())
        again = await client.get("/health")
        after = await client.post("/v1/completions", json=SHORT | {"model": "one"})
        metrics = await client.get("/metrics")

    assert healthy.status_code == 200
    assert (health.status_code, health.json()["models"]) == (503, ["one"])
    assert (ended.status_code, ended.json()["error"]["code"]) == (503, "engine_failed")
    assert meanwhile.status_code == 503
    assert "is being restarted" in meanwhile.json()["error"]["message"]
    assert (other.status_code, again.status_code) == (200, 200)
    assert after.json()["choices"] == expected.json()["choices"]
    assert 'preferendum_inference_restarts_total{model="one"} 1.0' in metrics.text


async def test_a_step_that_raises_again_and_again_is_tried_with_growing_pauses(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)

    async with serving(model_file, tmp_path) as (fleet, client):
        entry = fleet.models["one"]
        assert entry.runtime is not None
        layer = entry.runtime.model.model.layers[0]
        broken = layer.register_forward_pre_hook(raise_error)
        ended = await client.post("/v1/completions", json=SHORT | {"model": "one"})
        await until(lambda: entry.restarts >= 2)
        health = await client.get("/health")
        pause = entry.pause
        broken.remove()
        await until(lambda: not fleet.dead())
        after = await client.post("/v1/completions", json=SHORT | {"model": "one"})

    assert ended.status_code == 503
    assert health.status_code == 503
    assert pause >= 1.0
    assert after.status_code == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_dead_model_can_be_unloaded(tiny_folders: dict[str, Path], tmp_path: Path) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)

    async with serving(model_file, tmp_path) as (fleet, client):
        kill_thread(engine_of(fleet, "one"))
        await until(lambda: fleet.dead() == ["one"])
        await fleet.unload("one")
        await until(lambda: fleet.models["one"].state == "unloaded")
        health = await client.get("/health")
        other = await client.post("/v1/completions", json=SHORT | {"model": "two"})

    assert (health.status_code, other.status_code) == (200, 200)
    assert "one" not in fleet.memory.held


def engine_of(fleet: Fleet, slug: str) -> ModelEngine:
    runtime = fleet.models[slug].runtime
    assert runtime is not None
    return runtime.engine


def kill_thread(engine: ModelEngine) -> None:
    thread = engine._manager._generation_thread
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
    )


def raise_error(*_: object) -> None:
    raise RuntimeError("this step fails")


async def test_damaged_weights_are_told_and_never_answered_with(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(tiny_folders["one"], folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][3] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    folders = {"good": tiny_folders["two"], "damaged": folder}

    async with serving(write_model_file(tmp_path / "m.toml", folders), tmp_path) as (_, client):
        ready = await client.get("/ready")
        good = await client.post("/v1/completions", json={"model": "good", "prompt": "x"})

    assert "not a number" in ready.json()["models"]["damaged"]
    assert good.status_code == 200
