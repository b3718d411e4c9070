"""Limits of one request: how many tokens it may ask for, and how long it may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message, Send

from inference.server import traffic as traffic_module
from inference.server.api_error import ApiError
from inference.server.app import make_app
from inference.server.settings import ServiceSettings
from inference.server.traffic import Exchange, Traffic
from tests.inference.server.in_process import serving, until
from tests.inference.server.running_service import USER
from tests.inference.tiny_model import write_model_file

BODY: dict[str, Any] = {"model": "one", "messages": USER}


@asynccontextmanager
async def limited(
    tiny_folders: dict[str, Path], folder: Path, settings: ServiceSettings
) -> AsyncIterator[httpx.AsyncClient]:
    model_file = write_model_file(folder / "m.toml", {"one": tiny_folders["one"]})
    async with serving(model_file, folder) as (fleet, _):
        transport = httpx.ASGITransport(make_app(fleet, settings))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service", timeout=60
        ) as client:
            yield client


@pytest.mark.weights
async def test_more_tokens_than_allowed_are_refused_and_a_default_shrinks(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    async with limited(tiny_folders, tmp_path, ServiceSettings(max_tokens=5)) as client:
        beyond = await client.post("/v1/chat/completions", json=BODY | {"max_tokens": 6})
        left_out = await client.post("/v1/chat/completions", json=BODY)

    error = beyond.json()["error"]
    assert (beyond.status_code, error["param"]) == (400, "max_tokens")
    assert "max_tokens is 6; at most 5" in error["message"]
    assert left_out.json()["usage"]["completion_tokens"] == 5


@pytest.mark.weights
@pytest.mark.parametrize("more", [{}, {"seed": 1, "temperature": 1}])
async def test_an_answer_that_takes_too_long_ends_where_it_is(
    tiny_folders: dict[str, Path], tmp_path: Path, more: dict[str, Any]
) -> None:
    async with limited(tiny_folders, tmp_path, ServiceSettings(request_seconds=0.5)) as client:
        answer = await client.post("/v1/chat/completions", json=BODY | {"max_tokens": 8000, **more})

    assert answer.status_code == 200
    assert answer.json()["choices"][0]["finish_reason"] == "length"
    assert answer.json()["usage"]["completion_tokens"] < 8000


@pytest.mark.weights
@pytest.mark.parametrize("stream", [False, True])
async def test_a_request_whose_turn_never_comes_is_told_so(
    tiny_folders: dict[str, Path], tmp_path: Path, stream: bool
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})
    async with serving(model_file, tmp_path, max_running=1) as (fleet, first):
        transport = httpx.ASGITransport(make_app(fleet, ServiceSettings(request_seconds=0.3)))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as hurried:
            long = asyncio.create_task(
                first.post("/v1/chat/completions", json=BODY | {"max_tokens": 8000})
            )
            runtime = await fleet.wake(fleet.models["one"])
            await until(lambda: runtime.engine.running == 1)
            answer = await hurried.post("/v1/chat/completions", json=BODY | {"stream": stream})
        long.cancel()
        await asyncio.wait({long})
        await until(lambda: runtime.busy == 0)

    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "time_limit")


class _Endless(Exchange):
    def __init__(self, traffic: Traffic, *, seconds: float, begin: bool) -> None:
        super().__init__(traffic, seconds=seconds)
        self.begin = begin

    async def answer(self, send: Send) -> None:
        if self.begin:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()


async def exchanged(exchange: Exchange, hang_up: asyncio.Event) -> list[str]:
    """The types of the messages that were sent."""
    sent: list[str] = []

    async def receive() -> Message:
        await hang_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await exchange({"type": "http"}, receive, send)
    return sent


async def test_an_exchange_has_a_last_moment() -> None:
    traffic = Traffic()

    with pytest.raises(ApiError, match=r"no answer within 0\.01 s") as caught:
        await exchanged(_Endless(traffic, seconds=0.01, begin=False), asyncio.Event())
    begun = await exchanged(_Endless(traffic, seconds=0.01, begin=True), asyncio.Event())

    assert (caught.value.status, caught.value.body["error"]["code"]) == (504, "time_limit")
    assert begun == ["http.response.start"]
    assert await traffic.wait_idle(0)


async def test_nothing_is_said_to_whoever_has_left() -> None:
    traffic, hang_up = Traffic(), asyncio.Event()
    exchange = asyncio.create_task(exchanged(_Endless(traffic, seconds=60, begin=False), hang_up))
    await asyncio.sleep(0)
    assert not await traffic.wait_idle(0.01)

    hang_up.set()

    assert await exchange == []
    assert await traffic.wait_idle(0)


async def test_what_is_broken_off_is_told_why() -> None:
    traffic = Traffic()
    exchange = asyncio.create_task(
        exchanged(_Endless(traffic, seconds=60, begin=False), asyncio.Event())
    )
    assert not await traffic.wait_idle(0.01)

    traffic.draining = True
    traffic.break_off()

    with pytest.raises(ApiError, match="shutting down"):
        await exchange
    with pytest.raises(ApiError, match="shutting down"):
        traffic.check_open()


class _Unread(Exchange):
    """Writes last words to a client that does not read."""

    async def answer(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()


async def test_whoever_does_not_read_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_module, "LAST_WORDS_SECONDS", 0.01)
    traffic = Traffic()

    async with asyncio.timeout(10):
        sent = await exchanged(_Unread(traffic, seconds=0.01), asyncio.Event())

    assert sent == ["http.response.start"]
    assert await traffic.wait_idle(0)
