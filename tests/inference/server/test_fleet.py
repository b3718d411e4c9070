"""Many models on one device: they take turns, make room, come and go, and disturb no other."""

from __future__ import annotations

import asyncio
import shutil
import weakref
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from inference.server.fleet import Fleet, FleetError, ModelUnavailableError
from inference.server.generation import Delta, GenerationRequest
from tests.inference.server.in_process import serving, until
from tests.inference.tiny_model import write_model_file

pytestmark = pytest.mark.weights

# Room for the weights and the cache of one of the tiny models, not of two.
ONE_AT_A_TIME = {"memory_gib": 0.03, "kv_gib": 0.03}
OWN_CACHE = "kv_gib = 0.02"


async def ask(client: httpx.AsyncClient, model: str, **more: Any) -> httpx.Response:
    body = {"model": model, "prompt": "People vote", "max_tokens": 8} | more
    return await client.post("/v1/completions", json=body)


def text(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["text"])


def running(fleet: Fleet, model: str) -> int:
    runtime = fleet.models[model].runtime
    return runtime.engine.running if runtime else 0


async def long_answer(fleet: Fleet, model: str, tokens: int = 8000) -> AsyncGenerator[Delta]:
    """An answer under way, after its first token."""
    runtime = await fleet.wake(fleet.models[model])
    generation = runtime.engine.admit(
        GenerationRequest(prompt=[20, 21], max_tokens=tokens, temperature=0)
    )
    deltas = aiter(generation)
    await anext(deltas)
    assert isinstance(deltas, AsyncGenerator)
    return deltas


@pytest.fixture
async def pair(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> AsyncIterator[tuple[Fleet, httpx.AsyncClient]]:
    """Two models of which one fits: one is awake, two is asleep."""
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders, extra=OWN_CACHE)
    # Patience ends after a quarter of the limit.
    async with serving(model_file, tmp_path, **ONE_AT_A_TIME, wake_seconds=20) as served:
        yield served


async def test_models_that_do_not_fit_together_take_turns_and_answer_the_same(
    tiny_folders: dict[str, Path], tmp_path: Path, pair: tuple[Fleet, httpx.AsyncClient]
) -> None:
    model_file = write_model_file(tmp_path / "both.toml", tiny_folders)
    async with serving(model_file, tmp_path) as (_, client):
        expected = {slug: text(await ask(client, slug)) for slug in tiny_folders}
    fleet, client = pair
    assert [row["state"] for row in fleet.overview()] == ["ready", "asleep"]
    assert (await client.get("/ready")).status_code == 200

    for slug in ("two", "one", "two", "one"):
        assert text(await ask(client, slug)) == expected[slug]
        assert fleet.memory.used <= fleet.memory.limit
        assert sum(row["state"] == "ready" for row in fleet.overview()) == 1

    metrics = (await client.get("/metrics")).text
    assert 'preferendum_inference_model_wake_seconds_count{model="one"} 2.0' in metrics
    assert 'preferendum_inference_model_wake_seconds_count{model="two"} 2.0' in metrics
    assert 'preferendum_inference_model_awake{model="two"} 0.0' in metrics


async def test_both_sides_of_battles_are_answered_though_one_model_fits(
    pair: tuple[Fleet, httpx.AsyncClient],
) -> None:
    fleet, client = pair

    answers = await asyncio.gather(*(ask(client, slug) for slug in ("one", "two") * 4))

    assert [answer.status_code for answer in answers] == [200] * 8
    assert text(answers[0]) == text(answers[2]) != text(answers[1])
    assert fleet.memory.used <= fleet.memory.limit


async def test_a_model_that_goes_to_sleep_gives_its_memory_back(
    pair: tuple[Fleet, httpx.AsyncClient],
) -> None:
    fleet, client = pair
    runtime = fleet.models["one"].runtime
    assert runtime is not None
    model = weakref.ref(runtime.model)
    weight = weakref.ref(runtime.model.get_input_embeddings().weight)
    del runtime

    await ask(client, "one")
    await ask(client, "two")

    assert model() is None
    assert weight() is None


async def test_weights_that_wait_in_the_host_s_memory_answer_as_before(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[Fleet, httpx.AsyncClient]
) -> None:
    """What an accelerator does, here on the CPU."""
    fleet, client = pair
    monkeypatch.setattr("inference.server.wake_line._parks", lambda _: True)
    before = text(await ask(client, "one"))
    await ask(client, "two")
    parked = fleet.models["one"].parked
    monkeypatch.setattr("inference.server.wake_line.load_model", None)

    after = text(await ask(client, "one"))

    assert parked is not None
    assert after == before
    assert fleet.models["one"].parked is None


async def test_a_busy_model_is_not_displaced_and_who_waits_too_long_is_told_why(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders, extra=OWN_CACHE)

    async with serving(model_file, tmp_path, **ONE_AT_A_TIME, wake_seconds=0.1) as (fleet, client):
        under_way = await long_answer(fleet, "one", tokens=600)
        refused = await ask(client, "two")
        deltas = [delta async for delta in under_way]
        later = await ask(client, "two")

    assert refused.status_code == 503
    assert "retry-after" in refused.headers
    message = refused.json()["error"]["message"]
    assert "busy are: one" in message
    assert "MiB are taken" in message
    assert deltas[-1].finish_reason == "length"
    assert later.status_code == 200


async def test_requests_that_overlap_for_ever_do_not_keep_another_model_out(
    pair: tuple[Fleet, httpx.AsyncClient],
) -> None:
    fleet, client = pair
    over = asyncio.Event()

    async def keep_busy() -> int:
        answered = 0
        while not over.is_set():
            text(await ask(client, "one", max_tokens=40))
            answered += 1
        return answered

    users = [asyncio.create_task(keep_busy()) for _ in range(3)]
    await until(lambda: running(fleet, "one") > 1)
    answer = await ask(client, "two")
    over.set()
    answered = await asyncio.gather(*users)

    assert answer.status_code == 200
    assert all(answered)


async def test_a_client_that_gives_up_does_not_take_the_model_from_the_others(
    pair: tuple[Fleet, httpx.AsyncClient],
) -> None:
    fleet, _ = pair
    entry = fleet.models["two"]
    first = asyncio.create_task(fleet.wake(entry))
    second = asyncio.create_task(fleet.wake(entry))
    await asyncio.sleep(0)
    first.cancel()

    runtime = await second

    assert runtime.engine.alive
    assert first.cancelled() or first.done()


async def test_a_model_that_never_fits_is_named_with_the_numbers(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders, extra="kv_gib = 0.04")

    async with serving(model_file, tmp_path, memory_gib=0.03, kv_gib=0.03) as (fleet, _):
        reasons = fleet.not_ready()

    assert set(reasons) == {"one", "two"}
    assert "wants 41.0 MiB of key-value cache" in reasons["one"]
    assert "--kv-memory allows 30.7 MiB" in reasons["one"]


async def test_caches_are_divided_as_the_operator_and_the_model_file_say(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)
    content = model_file.read_text()
    place = content.rindex("[models.weights]") + len("[models.weights]\n")
    model_file.write_text(content[:place] + "kv_gib = 0.01\n" + content[place:])

    async with serving(model_file, tmp_path, kv_gib=0.03) as (fleet, client):
        rows = {row["id"]: row for row in fleet.overview()}
        admin = await client.get("/admin/models")

    assert rows["two"]["cache_bytes"] == pytest.approx(0.01 * 2**30, rel=0.01)
    assert rows["one"]["cache_bytes"] == pytest.approx(0.02 * 2**30, rel=0.01)
    assert fleet.memory.cache_used <= 0.03 * 2**30
    assert admin.status_code in (200, 403)


async def test_a_model_is_loaded_while_the_service_runs_and_disturbs_no_stream(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})

    async with serving(model_file, tmp_path) as (fleet, client):
        alone = text(await ask(client, "one", max_tokens=400))
        with pytest.raises(FleetError, match=r"m\.toml has no model 'two'"):
            await fleet.load("two")
        write_model_file(model_file, tiny_folders)
        stream = asyncio.create_task(ask(client, "one", max_tokens=400))
        await fleet.load("two")
        answer = await ask(client, "two")
        beside = text(await stream)

    assert beside == alone
    assert answer.status_code == 200
    assert torch.get_default_dtype() == torch.float32


async def test_a_broken_model_file_changes_nothing(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)

    async with serving(model_file, tmp_path) as (fleet, client):
        model_file.write_text(model_file.read_text() + "[[models]]\n")
        with pytest.raises(FleetError, match=r"m\.toml: .*slug: is missing"):
            await fleet.load("three")
        model_file.write_text("[[[")
        with pytest.raises(FleetError, match="is not TOML"):
            await fleet.load("one")
        answers = [await ask(client, slug) for slug in tiny_folders]

    assert sorted(fleet.models) == ["one", "two"]
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_a_retired_or_changed_model_is_not_loaded(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)
    retired = 'status = "retired"\nretired_on = 2026-01-31\nretired_reason = "old"\n'

    async with serving(model_file, tmp_path) as (fleet, _):
        await fleet.unload("two")
        await until(lambda: fleet.models["two"].state == "unloaded")
        content = model_file.read_text().replace('name = "Tiny two"', f'name = "Two"\n{retired}')
        model_file.write_text(content.replace('name = "Tiny one"', 'name = "One"'))
        with pytest.raises(FleetError, match="two is retired"):
            await fleet.load("two")
        with pytest.raises(FleetError, match=r"one has changed in .*: unload it first"):
            await fleet.load("one")

    async with serving(model_file, tmp_path) as (fleet, _):
        assert list(fleet.models) == ["one"]


async def test_unloading_lets_requests_finish_and_then_frees_the_memory(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)

    async with serving(model_file, tmp_path) as (fleet, client):
        runtime = fleet.models["one"].runtime
        assert runtime is not None
        model = weakref.ref(runtime.model)
        del runtime
        under_way = await long_answer(fleet, "one", tokens=300)
        await fleet.unload("one")
        refused = await ask(client, "one")
        unloading = fleet.models["one"].state
        with pytest.raises(FleetError, match="is being unloaded"):
            await fleet.load("one")
        deltas = [delta async for delta in under_way]
        await until(lambda: fleet.models["one"].state == "unloaded")
        collected = model() is None
        other = await ask(client, "two")
        ready = await client.get("/ready")
        await fleet.load("one")
        again = await ask(client, "one")

    assert (refused.status_code, unloading) == (503, "unloading")
    assert deltas[-1].finish_reason == "length"
    assert collected
    assert "one" not in fleet.memory.held or again.status_code == 200
    assert (other.status_code, ready.status_code, again.status_code) == (200, 200, 200)


async def test_unloading_by_force_ends_requests(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)

    async with serving(model_file, tmp_path) as (fleet, client):
        under_way = asyncio.create_task(ask(client, "one", max_tokens=8000))
        await until(lambda: running(fleet, "one") > 0)
        await fleet.unload("one", force=True)
        ended = await under_way
        await until(lambda: fleet.models["one"].state == "unloaded")

    assert ended.status_code == 503
    assert not fleet.memory.held.get("one")


async def test_an_idle_model_is_put_to_sleep_on_request_and_wakes_when_it_is_asked(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)

    async with serving(model_file, tmp_path) as (fleet, client):
        before = text(await ask(client, "one"))
        under_way = await long_answer(fleet, "one")
        with pytest.raises(FleetError, match="1 requests under way"):
            await fleet.sleep("one")
        await under_way.aclose()
        await until(lambda: fleet.models["one"].idle)
        await fleet.sleep("one")
        used = fleet.memory.used
        after = text(await ask(client, "one"))

    assert used < fleet.memory.used
    assert after == before


async def test_weights_that_vanish_while_asleep_are_named_when_it_is_woken(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    copies = {}
    for slug, folder in tiny_folders.items():
        copies[slug] = tmp_path / slug
        copies[slug].mkdir()
        for path in folder.iterdir():
            (copies[slug] / path.name).write_bytes(path.read_bytes())
    model_file = write_model_file(tmp_path / "m.toml", copies, extra=OWN_CACHE)

    async with serving(model_file, tmp_path, **ONE_AT_A_TIME) as (fleet, client):
        (copies["two"] / "model.safetensors").unlink()
        failed = await ask(client, "two")
        with pytest.raises(ModelUnavailableError):
            await fleet.wake(fleet.models["two"])
        one = await ask(client, "one")

    assert failed.status_code == 503
    assert "model.safetensors" in failed.json()["error"]["message"]
    assert one.status_code == 200
    assert "two" not in fleet.memory.held


async def test_a_weights_file_that_is_written_over_changes_no_running_model(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "one"
    shutil.copytree(tiny_folders["one"], folder)
    model_file = write_model_file(tmp_path / "m.toml", {"one": folder})
    other = (tiny_folders["two"] / "model.safetensors").read_bytes()

    async with serving(model_file, tmp_path) as (_, client):
        before = text(await ask(client, "one"))
        with (folder / "model.safetensors").open("r+b") as file:  # the same file, not a new one
            file.write(other)
        after = text(await ask(client, "one"))

    assert after == before
