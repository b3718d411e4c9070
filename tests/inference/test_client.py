"""Answers from a real server on loopback: deltas, times, reasoning, counts, keys, both dialects."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from inference import errors
from inference.client import Finish, ModelClient, ReasoningDelta, TextDelta
from inference.dialects import DIALECTS, ChatMessage
from tests.inference.asking import LOOPBACK, address, answer, deltas, parts
from tests.inference.raw_endpoint import EVENTS, WHOLE, Step, event, raw_endpoint
from tests.scripted_endpoint import scripted_endpoint, served

DONE = [event(finish="stop"), b"data: [DONE]\n\n"]


async def test_text_comes_in_pieces_and_then_the_finish():
    with scripted_endpoint({"m": ["Hello ", "wörld 👋"]}) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            found = await deltas(client, address(server.url), temperature=0.5)

    first, second, finish = found
    assert isinstance(first, TextDelta)
    assert isinstance(second, TextDelta)
    assert isinstance(finish, Finish)
    assert (first.text, second.text) == ("Hello ", "wörld 👋")
    assert finish.first_token_seconds is not None
    assert 0 < finish.first_token_seconds <= first.at <= second.at <= finish.seconds
    assert (finish.reason, finish.prompt_tokens, finish.completion_tokens) == ("stop", 3, 2)
    assert finish.endpoint == address(server.url)
    assert server.requests[0]["temperature"] == 0.5
    assert server.requests[0]["messages"] == [{"role": "user", "content": "Hi"}]


async def test_a_connection_is_kept_for_the_next_request():
    seen = []

    async def chat(request):
        seen.append(request.client.port)
        body = b"".join([event("a"), *DONE])
        return Response(body, media_type="text/event-stream")

    with served(Starlette(routes=[Route("/chat/completions", chat, methods=["POST"])])) as url:
        async with ModelClient(guard=LOOPBACK) as client:
            for _ in range(3):
                await answer(client, address(url))

    assert len(set(seen)) == 1


@pytest.mark.parametrize(
    ("events", "reasoning", "text"),
    [
        ([event(reasoning_content="Hm. "), event("Yes")], "Hm. ", "Yes"),
        ([event(reasoning="Hm. "), event("Yes")], "Hm. ", "Yes"),
        ([event(reasoning="Hm.", reasoning_content="Hm."), event("Yes")], "Hm.", "Yes"),
        ([event("<think>Hm.</think>\n\nYes")], "Hm.", "Yes"),
        ([event(piece) for piece in "\n<think>Hm. </b></think>Yes"], "Hm. </b>", "Yes"),
        ([event("<think>Hm. </thi")], "Hm. </thi", ""),
        ([event("<th")], "", "<th"),
        ([event("Use <think>this</think>")], "", "Use <think>this</think>"),
        ([event("<think></think>Yes <think>no</think>")], "", "Yes <think>no</think>"),
        ([event(reasoning=7, content="Yes")], "", "Yes"),
    ],
)
async def test_reasoning_is_kept_apart_from_the_answer(events, reasoning, text):
    with raw_endpoint([EVENTS, *events, *DONE]) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            found = parts(await deltas(client, address(server.url)))

    assert (found[0], found[1]) == (text, reasoning)


async def test_reasoning_is_the_first_token_and_its_count_is_kept():
    usage = {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}
    last = b"data: %s\n\n" % json.dumps({"choices": [], "usage": usage}).encode()
    steps: list[Step] = [
        EVENTS,
        event(reasoning="Hm."),
        0.1,
        event("Yes"),
        event(finish="stop"),
        last,
    ]
    with raw_endpoint(steps) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            thought, said, finish = await deltas(client, address(server.url))

    assert isinstance(thought, ReasoningDelta)
    assert isinstance(said, TextDelta)
    assert isinstance(finish, Finish)
    assert finish.first_token_seconds is not None
    assert finish.first_token_seconds <= thought.at < said.at
    assert (finish.completion_tokens, finish.reasoning_tokens) == (9, 7)


async def test_halves_of_a_character_in_two_events_are_joined_and_lone_ones_replaced():
    halves = [rb'data: {"choices": [{"delta": {"content": "%s"}}]}' % half + b"\n\n"
              for half in (rb"a\ud83d", rb"\udc4b", rb"\udc4b", rb"b\ud83d")]  # fmt: skip
    with raw_endpoint([EVENTS, *halves, *DONE]) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            assert (await answer(client, address(server.url)))[0] == "a👋\ufffdb\ufffd"


async def test_what_no_json_can_hold_still_goes_out():
    with scripted_endpoint({"m": ["ok"]}) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            stream = client.stream(
                endpoints=[address(server.url)],
                messages=[ChatMessage("user", "half \ud83d")],
                sampling={},
            )
            assert isinstance([delta async for delta in stream][-1], Finish)


KEY = "sk-very-secret-0123456789"


async def test_a_key_is_read_at_each_use_and_sent_to_its_endpoint_alone(monkeypatch):
    with raw_endpoint(WHOLE) as other:
        redirect = f"HTTP/1.1 307 There\r\nlocation: {other.url}\r\nset-cookie: a=b\r\n\r\n"
        with raw_endpoint(WHOLE, [redirect.encode()], WHOLE) as server:
            async with ModelClient(guard=LOOPBACK) as client:
                endpoint = address(server.url, api_key_env="SOME_KEY")
                monkeypatch.setenv("SOME_KEY", KEY)
                await answer(client, endpoint)
                monkeypatch.setenv("SOME_KEY", "another-one")
                with pytest.raises(errors.RedirectError, match=r"not followed"):
                    await answer(client, endpoint)
                monkeypatch.delenv("SOME_KEY")
                await answer(client, endpoint)

    first, second, third = (request.lower() for request in server.requests)
    assert f"authorization: bearer {KEY}".encode() in first
    assert b"authorization: bearer another-one" in second
    assert b"authorization" not in third
    assert b"cookie" not in third
    assert other.requests == []


def _echo(head: str, body: str) -> list[bytes]:
    length = f"HTTP/1.1 {head}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
    return [f"{length}content-type: application/json\r\n\r\n{body}".encode()]


@pytest.mark.parametrize(
    "steps",
    [
        _echo("401 Who", f'{{"error": "no such key: {KEY}"}}'),
        _echo("400 What", "x" * 990 + KEY),
        _echo("500 Oops", KEY * 1000),
        _echo("200 OK", f'{{"error": {{"message": "{KEY}"}}}}'),
        [EVENTS, f"data: {'x' * 190}{KEY}\n\n".encode()],
        [EVENTS, f'data: {{"error": {{"message": "Bearer {KEY}"}}}}\n\n'.encode()],
        [f"HTTP/1.1 307 There\r\nlocation: http://{KEY}@h/?k={KEY}\r\n\r\n".encode()],
        [f"{KEY}\r\n\r\n".encode()],
        [EVENTS.replace(b"text/event-stream", KEY.encode())],
        [EVENTS.replace(b"\r\n\r\n", f"\r\ncontent-encoding: {KEY}\r\n\r\n".encode())],
    ],
)
async def test_a_key_that_the_provider_repeats_is_in_no_error(monkeypatch, caplog, steps):
    monkeypatch.setenv("SOME_KEY", KEY)
    with caplog.at_level("INFO"), raw_endpoint(steps) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            with pytest.raises(errors.GenerationError) as caught:
                await answer(client, address(server.url, api_key_env="SOME_KEY"))

    every = [caught.value, *caught.value.setbacks, caught.value.__cause__]
    told = " ".join(f"{error} {error!r}" for error in every)
    assert KEY[:8] not in told
    assert KEY not in caplog.text


async def test_a_key_that_no_header_can_carry_is_named_and_not_shown(monkeypatch):
    async with ModelClient(guard=LOOPBACK) as client:
        for value in ("schlüssel-0123", "two\nlines-0123"):
            monkeypatch.setenv("SOME_KEY", value)
            with pytest.raises(errors.EndpointUnavailableError, match="SOME_KEY") as caught:
                await answer(client, address("http://127.0.0.1:1/v1", api_key_env="SOME_KEY"))
            assert "0123" not in str(caught.value)


async def test_a_missing_key_is_named_where_the_server_asks_for_one():
    with raw_endpoint(_echo("401 Who", "no key")) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            with pytest.raises(errors.EndpointRefusesUsError, match="NO_SUCH_KEY is not set"):
                await answer(client, address(server.url, api_key_env="NO_SUCH_KEY"))


async def test_proxies_and_passwords_of_the_environment_are_not_used(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hidden\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with raw_endpoint(WHOLE) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            assert (await answer(client, address(server.url)))[0] == "Hello"

    assert b"authorization" not in server.requests[0].lower()


async def anthropic(events: list[dict[str, Any]], **fields: Any) -> tuple[Any, list[Any]]:
    asked: list[Any] = []

    async def messages(request):
        asked.append((await request.json(), dict(request.headers)))
        body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
        return Response(body, media_type="text/event-stream")

    with served(Starlette(routes=[Route("/v1/messages", messages, methods=["POST"])])) as url:
        async with ModelClient(guard=LOOPBACK) as client:
            stream = client.stream(
                endpoints=[address(f"{url}/v1", dialect="anthropic", **fields)],
                messages=[ChatMessage("system", "Be brief."), ChatMessage("user", "Hi")],
                sampling={"temperature": 0.5, "stop": "END"},
            )
            return parts([delta async for delta in stream]), asked


START = {"type": "message_start", "message": {"usage": {"input_tokens": 9}}}
TEXT = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello "}}


async def test_the_anthropic_dialect_from_request_to_finish(monkeypatch):
    monkeypatch.setenv("SOME_KEY", KEY)
    thinking = {"type": "thinking_delta", "thinking": "Hm."}
    (text, reasoning, finish), asked = await anthropic(
        [
            {
                "type": "message_start",
                "message": {"usage": {"input_tokens": 9, "cache_read_input_tokens": 4}},
            },
            {"type": "content_block_start", "content_block": {"type": "thinking"}},
            {"type": "content_block_delta", "delta": thinking},
            {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": ""}},
            {"type": "content_block_stop"},
            {"type": "ping"},
            TEXT,
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "there"}},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 4},
            },
            {"type": "message_stop"},
        ],
        api_key_env="SOME_KEY",
    )

    assert (text, reasoning) == ("Hello there", "Hm.")
    assert (finish.reason, finish.prompt_tokens, finish.completion_tokens) == ("stop", 13, 4)
    body, headers = asked[0]
    assert (headers["anthropic-version"], headers["x-api-key"]) == ("2023-06-01", KEY)
    assert (body["system"], body["stop_sequences"], body["max_tokens"]) == (
        "Be brief.",
        ["END"],
        1024,
    )
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("overloaded_error", errors.EndpointBusyError),
        ("rate_limit_error", errors.EndpointBusyError),
        ("api_error", errors.EndpointUnavailableError),
        ("invalid_request_error", errors.RequestRefusedError),
    ],
)
async def test_an_error_event_of_anthropic_is_typed(kind, error):
    with pytest.raises(error):
        await anthropic([START, TEXT, {"type": "error", "error": {"type": kind, "message": ""}}])


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://mine.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.openai.com.example/v1", "max_tokens"),
        ("http://127.0.0.1:8000/v1", "max_tokens"),
    ],
)
def test_the_limit_of_tokens_goes_out_under_the_name_that_the_server_takes(base_url, name):
    body = DIALECTS["openai"].body(base_url, "m", [], {"max_tokens": 5, "top_p": 0.5})

    assert (body[name], body["top_p"]) == (5, 0.5)
    assert len({"max_tokens", "max_completion_tokens"} & set(body)) == 1


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"5", b"[" * 100_000, b'{"choices": 5}', b'{"type": "content_block_delta"}'],
)
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_what_is_no_event_is_a_protocol_error_or_nothing(dialect, payload):
    with contextlib.suppress(errors.ProtocolError):
        assert DIALECTS[dialect].read(payload).text == ""
