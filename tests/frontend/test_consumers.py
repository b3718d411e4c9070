"""The socket of a battle, over a real database and real (scripted) endpoints."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.http import HttpResponse
from uvicorn.protocols.utils import ClientDisconnected

import arena.live
from arena.database import in_database
from arena.runner import runner
from arena.services.battles import battle_regenerate, turn_add
from arena.voters import COOKIE, voter_id_keep
from frontend.consumers import (
    MAX_CLIENT_MESSAGES,
    POLICY_VIOLATION,
    TRY_AGAIN_LATER,
    BattleConsumer,
)
from frontend.routing import websocket_urlpatterns
from inference.models import Endpoint
from tests.arena.voter import TestVoter, wait_until
from tests.scripted_endpoint import Fault, Gate, ScriptedEndpoint

HOST = "arena.test"
NAMES = ("alpha", "beta", "Alpha Seven", "Beta Nine", "Acme")
SECONDS = 20


def cookie_of(voter: TestVoter) -> str:
    response = HttpResponse()
    voter_id_keep(response, voter.id)
    return f"{COOKIE}={response.cookies[COOKIE].value}"


def socket(
    battle_id: uuid.UUID,
    *,
    query: str = "",
    cookie: str | None = None,
    origin: str | None = f"http://{HOST}",
) -> WebsocketCommunicator:
    headers = [(b"host", HOST.encode())]
    if cookie is not None:
        headers.append((b"cookie", cookie.encode()))
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    application = URLRouter(websocket_urlpatterns)
    return WebsocketCommunicator(application, f"/ws/battles/{battle_id}/{query}", headers)


async def opened(communicator: WebsocketCommunicator) -> WebsocketCommunicator:
    connected, _ = await communicator.connect(timeout=SECONDS)
    assert connected
    return communicator


async def event_of(communicator: WebsocketCommunicator) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(await communicator.receive_from(timeout=SECONDS))
    return event


async def events_until(communicator: WebsocketCommunicator, kind: str) -> list[dict[str, Any]]:
    events = [await event_of(communicator)]
    while events[-1]["type"] != kind:
        events.append(await event_of(communicator))
    return events


async def html_until(communicator: WebsocketCommunicator, piece: str) -> str:
    html = ""
    while piece not in html:
        html += await communicator.receive_from(timeout=SECONDS)
    return html


def go_on(voter: TestVoter, battle_id: uuid.UUID) -> None:
    turn_add(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id, prompt="And then?")


@pytest.fixture
def voter() -> TestVoter:
    return TestVoter()


async def test_a_program_follows_a_battle_from_snapshot_to_names(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    battle_id = await in_database(voter.start)
    client = await opened(socket(battle_id, query="?format=json", cookie=cookie_of(voter)))

    text, events = {"a": "", "b": ""}, [await event_of(client)]
    while sum(event["type"] == "answer_done" for event in events) < 2:
        events.append(await event_of(client))
    for event in events:
        for side in text:
            if side in event:
                assert event[side]["offset"] == (
                    0 if event["type"] == "snapshot" else len(text[side])
                )
                text[side] = text[side][: event[side]["offset"]] + event[side]["text"]
    await in_database(voter.vote, battle_id, "b")
    voted = (await events_until(client, "voted"))[-1]

    assert events[0]["type"] == "snapshot"
    assert events[-1]["state"] == "votable"
    assert sorted(text.values()) == ["Hello from side one.", "Hi."]
    assert not any(name in json.dumps(events) for name in NAMES)
    assert voted["turn"] == 0
    assert voted["seq"] > events[-1]["seq"]
    assert voted["vote"]["choice"] == "b"
    assert voted["vote"]["counted"] is True
    assert {voted["models"][side]["slug"] for side in "ab"} == {"alpha-7b", "beta-9b"}
    await client.disconnect()


async def test_an_already_voted_battle_tells_the_names_after_its_snapshot(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    battle_id = await in_database(voter.start)
    await in_database(voter.ended, battle_id)
    await in_database(voter.vote, battle_id)

    client = await opened(socket(battle_id, query="?format=json", cookie=cookie_of(voter)))
    events = await events_until(client, "voted")

    assert events[0]["type"] == "snapshot"
    assert events[-1]["models"]["a"]["organization"] == "Acme Intelligence"
    await client.disconnect()


async def test_a_second_connection_begins_with_all_the_text_there_is(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["first half, ", gate, "second half"]
    battle_id = await in_database(voter.start)
    first = await opened(socket(battle_id, query="?format=json", cookie=cookie_of(voter)))
    seen = ""
    while "first half, " not in seen:
        event = await event_of(first)
        seen += "".join(event[side]["text"] for side in "ab" if side in event)
    await first.disconnect()

    second = await opened(socket(battle_id, query="?format=json", cookie=cookie_of(voter)))
    snapshot = await event_of(second)

    assert snapshot["type"] == "snapshot"
    assert "first half, " in (snapshot["a"]["text"], snapshot["b"]["text"])
    gate.open()
    assert await events_until(second, "answer_done")
    await second.disconnect()


@pytest.mark.parametrize(
    "origin", [None, f"http://{HOST}", f"https://{HOST}", "http://localhost:8000"]
)
async def test_own_and_absent_origins_are_let_in(
    two_models: ScriptedEndpoint, voter: TestVoter, origin: str | None
) -> None:
    battle_id = await in_database(voter.start)

    client = await opened(socket(battle_id, cookie=cookie_of(voter), origin=origin))

    await client.disconnect()


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", f"http://{HOST}.evil.example", f"http://{HOST}:81", "null", ""],
)
async def test_a_foreign_origin_is_refused_in_the_handshake(
    two_models: ScriptedEndpoint, voter: TestVoter, origin: str
) -> None:
    battle_id = await in_database(voter.start)

    connected, _ = await socket(battle_id, cookie=cookie_of(voter), origin=origin).connect()

    assert not connected


async def test_only_the_voter_who_owns_the_battle_is_let_in(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    battle_id = await in_database(voter.start)
    cookies = [None, cookie_of(TestVoter()), f"{COOKIE}=forged", f"{COOKIE}={voter.id}"]

    refused = [not (await socket(battle_id, cookie=cookie).connect())[0] for cookie in cookies]
    unknown, _ = await socket(uuid.uuid4(), cookie=cookie_of(voter)).connect()
    nowhere = WebsocketCommunicator(URLRouter(websocket_urlpatterns), "/ws/elsewhere/")

    assert all(refused)
    assert not unknown
    assert not (await nowhere.connect())[0]


async def test_an_open_page_gets_the_ballot_and_then_the_names(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    battle_id = await in_database(voter.start)
    page = await opened(socket(battle_id, cookie=cookie_of(voter)))

    before = await html_until(page, 'id="ballot"')
    await in_database(voter.vote, battle_id, "tie")
    after = await html_until(page, 'id="reveal-title"')

    assert not any(name in before for name in NAMES)
    assert "Alpha Seven" in after
    assert "You called it a tie." in after
    await page.disconnect()


async def test_an_open_page_is_told_of_a_broken_answer_and_offered_a_retry(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    two_models.scripts["beta-9b"] = ["I begin", Fault.CUT]
    battle_id = await in_database(voter.start)
    page = await opened(socket(battle_id, cookie=cookie_of(voter)))

    html = await html_until(page, f"/battles/{battle_id}/retry/")

    assert "This assistant could not be reached." in html
    assert 'id="ballot"' not in html
    await page.disconnect()


async def test_a_page_left_open_during_a_retry_elsewhere_shows_the_new_answers(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    two_models.scripts["beta-9b"] = ["a broken ", Fault.CUT]
    battle_id = await in_database(voter.start)
    page = await opened(socket(battle_id, cookie=cookie_of(voter)))
    await html_until(page, "/retry/")

    two_models.scripts["beta-9b"] = ["a mended answer"]
    await in_database(Endpoint.objects.update, is_up=True)
    await in_database(
        battle_regenerate, voter_id=voter.id, address="192.0.2.1", battle_id=battle_id
    )

    assert "a mended answer" in await html_until(page, 'id="ballot"')
    await in_database(voter.vote, battle_id)
    await html_until(page, 'id="reveal-title"')
    await page.disconnect()


async def test_a_program_follows_the_conversation_past_the_names(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    battle_id = await in_database(voter.start)
    client = await opened(socket(battle_id, query="?format=json", cookie=cookie_of(voter)))
    await in_database(voter.ended, battle_id)
    await in_database(voter.vote, battle_id)
    first = await events_until(client, "voted")

    await in_database(go_on, voter, battle_id)
    await in_database(voter.ended, battle_id)
    second = await events_until(client, "answer_done")
    await in_database(voter.vote, battle_id, "tie", turn_index=1)
    second += await events_until(client, "voted")

    assert {event["turn"] for event in first} == {0}
    assert {event["turn"] for event in second} == {1}
    assert second[0]["type"] == "snapshot"
    assert second[-1]["vote"]["exclusion"] == "revealed"
    numbers = [event["seq"] for event in (*first, *second)]
    assert numbers == sorted(numbers)
    await client.disconnect()


async def test_an_open_page_gets_a_turn_that_was_added_elsewhere(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    battle_id = await in_database(voter.start)
    page = await opened(socket(battle_id, query="?turns=1", cookie=cookie_of(voter)))
    await html_until(page, 'id="ballot"')

    await in_database(go_on, voter, battle_id)
    html = await html_until(page, 'id="ballot"')

    assert html.count('id="turns" hx-swap-oob="beforeend"') == 1
    assert html.count('id="turn-1"') == 1
    assert 'id="turn-0"' not in html
    await page.disconnect()


async def test_a_page_that_knows_how_many_turns_there_are_gets_none_of_them_twice(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    battle_id = await in_database(voter.start)
    await in_database(voter.ended, battle_id)
    await in_database(go_on, voter, battle_id)

    for turns in ("2", "", "x", "99999999999", "\u00b2"):
        query = f"?turns={quote(turns)}"
        page = await opened(socket(battle_id, query=query, cookie=cookie_of(voter)))
        html = await html_until(page, 'id="ballot"')
        assert 'id="turns"' not in html, turns
        assert 'id="answer-1-a"' in html
        await page.disconnect()


async def test_a_reader_that_is_too_slow_is_told_to_come_again(
    two_models: ScriptedEndpoint, voter: TestVoter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arena.live, "READER_BACKLOG", 0)
    gate = Gate()
    two_models.scripts["alpha-7b"] = [gate, "text"]
    two_models.scripts["beta-9b"] = [gate, "text"]
    battle_id = await in_database(voter.start)
    client = await opened(socket(battle_id, query="?format=json", cookie=cookie_of(voter)))

    assert (await event_of(client))["type"] == "snapshot"
    gate.open()
    closed = await client.receive_output(timeout=SECONDS)

    assert (closed["type"], closed["code"]) == ("websocket.close", TRY_AGAIN_LATER)


async def test_a_client_that_talks_too_much_is_closed(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["x", gate]
    battle_id = await in_database(voter.start)
    client = await opened(socket(battle_id, query="?format=json", cookie=cookie_of(voter)))

    for _ in range(MAX_CLIENT_MESSAGES + 1):
        await client.send_to(text_data="x")
    output = await client.receive_output(timeout=SECONDS)
    while output["type"] == "websocket.send":
        output = await client.receive_output(timeout=SECONDS)

    assert (output["type"], output["code"]) == ("websocket.close", POLICY_VIOLATION)
    gate.open()


async def test_nobody_is_left_reading_after_a_disconnect(
    two_models: ScriptedEndpoint, voter: TestVoter
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["x", gate]
    battle_id = await in_database(voter.start)
    client = await opened(socket(battle_id, cookie=cookie_of(voter)))
    await html_until(client, "stream-0-a")
    live = runner.live(battle_id)
    assert live is not None
    assert live.readers

    await client.disconnect()

    await asyncio.to_thread(wait_until, lambda: not live.readers, "the reader is gone")
    gate.open()


@pytest.mark.django_db(transaction=True)
async def test_who_leaves_in_the_middle_of_a_frame_is_no_error_of_ours(
    two_models: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    voter = TestVoter()
    battle_id = await in_database(voter.start)
    told = asyncio.Event()

    async def gone(*_: Any, **__: Any) -> None:  # as uvicorn's send does then
        told.set()
        raise ClientDisconnected

    monkeypatch.setattr(BattleConsumer, "send", gone)
    reader = await opened(socket(battle_id, cookie=cookie_of(voter)))
    async with asyncio.timeout(SECONDS):
        await told.wait()
    assert await reader.receive_nothing()
    await reader.disconnect()

    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
