"""Loading and unloading while the service runs, and who may do it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from inference.server.app import make_app
from inference.server.fleet import Fleet
from inference.server.settings import ServiceSettings
from tests.inference.server.in_process import serving, until
from tests.inference.tiny_model import write_model_file

pytestmark = pytest.mark.weights

LOCAL = {"host": "127.0.0.1:8100"}
TOKEN = "a token with ünïcode"


@asynccontextmanager
async def administered(
    model_file: Path, cache: Path
) -> AsyncIterator[tuple[Fleet, httpx.AsyncClient]]:
    """The service, and a client on the same machine."""
    async with serving(model_file, cache) as (fleet, client):
        client.headers.update(LOCAL)
        yield fleet, client


async def test_a_model_goes_and_comes_back_while_the_other_answers(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)
    prompt = {"prompt": "People", "max_tokens": 8}

    async with administered(model_file, tmp_path) as (fleet, client):
        before = await client.post("/v1/completions", json=prompt | {"model": "one"})
        gone = await client.delete("/admin/models/one")
        await until(lambda: fleet.models["one"].state == "unloaded")
        refused = await client.post("/v1/completions", json=prompt | {"model": "one"})
        other = await client.post("/v1/completions", json=prompt | {"model": "two"})
        listed = (await client.get("/v1/models")).json()["data"]
        rows = {row["id"]: row for row in (await client.get("/admin/models")).json()["data"]}
        back = await client.post("/admin/models", json={"id": "one", "wait": True})
        after = await client.post("/v1/completions", json=prompt | {"model": "one"})

    assert gone.status_code in (200, 202)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_not_ready")
    assert other.status_code == 200
    assert [card["id"] for card in listed] == ["two"]
    assert rows["one"]["state"] == "unloaded"
    assert rows["one"]["weights_bytes"] == rows["one"]["cache_bytes"] == 0
    assert rows["two"]["weights_bytes"] > 0
    assert (back.status_code, back.json()["state"]) == (200, "ready")
    assert after.json()["choices"] == before.json()["choices"]
    assert after.json()["system_fingerprint"] == before.json()["system_fingerprint"]


async def test_a_model_that_was_added_to_the_file_can_be_loaded(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})

    async with administered(model_file, tmp_path) as (fleet, client):
        write_model_file(model_file, tiny_folders)
        accepted = await client.post("/admin/models", json={"id": "two"})
        await until(lambda: "two" in fleet.models and fleet.models["two"].state == "ready")
        answer = await client.post("/v1/completions", json={"model": "two", "prompt": "x"})

    assert accepted.status_code in (200, 202)
    assert accepted.json()["id"] == "two"
    assert answer.status_code == 200


async def test_a_model_that_was_put_to_sleep_wakes_when_it_is_asked(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", tiny_folders)

    async with administered(model_file, tmp_path) as (_, client):
        slept = await client.post("/admin/models/one/sleep")
        listed = (await client.get("/v1/models")).json()["data"]
        ready = await client.get("/ready")
        answer = await client.post("/v1/completions", json={"model": "one", "prompt": "x"})

    assert (slept.status_code, slept.json()["state"]) == (200, "asleep")
    assert [card["id"] for card in listed] == ["one", "two"]
    assert ready.status_code == 200
    assert answer.status_code == 200


MISTAKES: list[tuple[str, str, Any, int]] = [
    ("POST", "/admin/models", {"id": "none"}, 409),
    ("POST", "/admin/models", {"id": 5}, 400),
    ("POST", "/admin/models", {"id": "one", "wait": 1}, 400),
    ("POST", "/admin/models", [], 400),
    ("DELETE", "/admin/models/none", None, 404),
    ("DELETE", "/admin/models/one?force=maybe", None, 400),
    ("POST", "/admin/models/none/sleep", None, 404),
    ("PUT", "/admin/models", None, 405),
]


async def test_what_cannot_be_done_is_said_in_one_line(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})

    async with administered(model_file, tmp_path) as (_, client):
        answers = [await client.request(call[0], call[1], json=call[2]) for call in MISTAKES]

    assert [answer.status_code for answer in answers] == [call[3] for call in MISTAKES]
    assert all("\n" not in answer.json()["error"]["message"] for answer in answers)


CALLERS: list[tuple[str, dict[str, str], bool]] = [
    ("127.0.0.1", LOCAL, True),
    ("127.0.0.1", {"host": "localhost"}, True),
    ("::1", {"host": "[::1]:8100"}, True),
    ("::ffff:127.0.0.1", LOCAL, True),
    ("10.0.0.7", LOCAL, False),
    ("127.0.0.1", {"host": "models.example"}, False),
    ("127.0.0.1", {"host": "127.0.0.1.example:8100"}, False),
    ("127.0.0.1", {"host": ""}, False),
    ("127.0.0.1", LOCAL | {"origin": "http://127.0.0.1:8100"}, False),
    ("127.0.0.1", LOCAL | {"x-forwarded-for": "127.0.0.1"}, False),
    ("127.0.0.1", LOCAL | {"forwarded": "for=127.0.0.1"}, False),
    ("127.0.0.1", LOCAL | {"x-real-ip": "127.0.0.1"}, False),
]


async def test_without_a_token_only_programs_on_this_machine_are_heard(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})

    async with serving(model_file, tmp_path) as (fleet, _):
        app, heard = make_app(fleet), []
        for address, headers, _ in CALLERS:
            transport = httpx.ASGITransport(app, client=(address, 5))
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                calls = [
                    ("GET", "/admin/models"),
                    ("DELETE", "/admin/models/none"),
                    ("GET", "/health"),
                ]
                heard.append(
                    [(await client.request(*call, headers=headers)).status_code for call in calls]
                )

    expected = [[200, 404, 200] if allowed else [403, 403, 200] for _, _, allowed in CALLERS]
    assert heard == expected


async def test_the_token_opens_it_from_anywhere_and_nothing_else_does(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})
    right = b"Bearer " + TOKEN.encode()
    wrong = [b"Bearer x", b"Bearer", b"Basic " + TOKEN.encode(), b"bearer " + TOKEN.encode()[:-1]]

    async with serving(model_file, tmp_path) as (fleet, _):
        transport = httpx.ASGITransport(
            make_app(fleet, ServiceSettings(admin_token=TOKEN)), client=("10.0.0.7", 5)
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:

            async def status(**headers: bytes) -> int:
                sent = [(name.encode(), value) for name, value in headers.items()]
                return (await client.get("/admin/models", headers=sent)).status_code

            with_it = await status(authorization=right, origin=b"http://elsewhere")
            without = await status()
            others = [await status(authorization=value) for value in wrong]

    assert with_it == 200
    assert {without, *others} == {401}


async def test_everybody_who_waits_for_a_model_hears_when_it_is_loaded(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "m.toml", {"one": tiny_folders["one"]})

    async with administered(model_file, tmp_path) as (fleet, client):
        await client.delete("/admin/models/one")
        await until(lambda: fleet.models["one"].state == "unloaded")
        load = {"id": "one", "wait": True}
        answers = await asyncio.gather(*(client.post("/admin/models", json=load) for _ in range(3)))

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {answer.json()["state"] for answer in answers} == {"ready"}
