"""The client against a real server on loopback that misbehaves in every way."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from inference import errors
from inference.client import EndpointAddress, Finish, auth_headers, chat_client, stream_chat
from inference.dialects import DIALECTS, ChatMessage
from tests.scripted_endpoint import Fault, scripted_endpoint, served


async def ask(script, **limits):
    with scripted_endpoint({"m": script}) as server:
        endpoint = EndpointAddress(base_url=server.url, name="m", **limits)
        async with chat_client() as http:
            pieces = [
                piece
                async for piece in stream_chat(
                    client=http,
                    endpoint=endpoint,
                    messages=[ChatMessage("user", "Hi")],
                    sampling={"temperature": 0.5},
                )
            ]
    return pieces, server


async def test_text_comes_in_pieces_and_then_the_finish():
    pieces, server = await ask(["Hello ", "wörld 👋"])

    assert pieces == ["Hello ", "wörld 👋", Finish("stop", 3, 2)]
    assert server.requests[0]["temperature"] == 0.5
    assert server.requests[0]["messages"] == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.STATUS_500, errors.EndpointUnavailableError),
        (Fault.STATUS_429, errors.EndpointBusyError),
        (Fault.CONTEXT, errors.ContextOverflowError),
        (Fault.HTML, errors.ProtocolError),
        (Fault.GARBAGE, errors.ProtocolError),
        (Fault.ERROR_EVENT, errors.RequestRefusedError),
        (Fault.STATUS_400, errors.RequestRefusedError),
        (Fault.CUT, errors.EndpointUnavailableError),
        (Fault.ENDLESS, errors.EndlessAnswerError),
    ],
)
async def test_each_fault_is_a_typed_error(fault, error):
    with pytest.raises(error):
        await ask([fault])


@pytest.mark.parametrize("script", [[Fault.HANG], ["Hello", Fault.HANG]])
async def test_silence_ends_at_its_limit(script):
    with pytest.raises(errors.EndpointTimeoutError):
        await ask(script, first_token_timeout=0.2, between_tokens_timeout=0.2)


async def test_the_whole_answer_has_a_limit_too():
    with pytest.raises((errors.EndpointTimeoutError, errors.EndlessAnswerError)):
        await ask(["a", Fault.HANG], total_timeout=0.3)


async def test_a_server_that_is_not_there():
    endpoint = EndpointAddress(base_url="http://127.0.0.1:1/v1", name="m")
    async with chat_client() as http:
        with pytest.raises(errors.EndpointUnavailableError):
            await anext(stream_chat(client=http, endpoint=endpoint, messages=[], sampling={}))


def test_keys_come_from_the_environment_by_name(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "s3cret")

    assert auth_headers(dialect="openai", api_key_env="SOME_KEY") == {
        "Authorization": "Bearer s3cret"
    }
    assert auth_headers(dialect="anthropic", api_key_env="SOME_KEY")["x-api-key"] == "s3cret"
    assert auth_headers(dialect="openai", api_key_env="NO_SUCH_KEY") == {}


async def test_the_anthropic_dialect_from_request_to_finish():
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 9}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "Hm."}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello "}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "there"}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 4},
        },
        {"type": "message_stop"},
    ]
    asked = []

    async def messages(request):
        asked.append((await request.json(), request.headers["anthropic-version"]))
        body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
        return Response(body, media_type="text/event-stream")

    with served(Starlette(routes=[Route("/v1/messages", messages, methods=["POST"])])) as url:
        endpoint = EndpointAddress(base_url=f"{url}/v1", name="m", dialect="anthropic")
        async with chat_client() as http:
            stream = stream_chat(
                client=http,
                endpoint=endpoint,
                messages=[ChatMessage("system", "Be brief."), ChatMessage("user", "Hi")],
                sampling={"temperature": 0.5, "stop": "END"},
            )
            pieces = [piece async for piece in stream]

    assert pieces == ["Hello ", "there", Finish("stop", 9, 4)]
    body, version = asked[0]
    assert version == "2023-06-01"
    assert (body["system"], body["stop_sequences"], body["max_tokens"]) == (
        "Be brief.",
        ["END"],
        1024,
    )
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"5", b"[" * 100_000, b'{"choices": 5}'])
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_what_is_no_event_is_a_protocol_error_or_nothing(dialect, payload):
    with contextlib.suppress(errors.ProtocolError):
        assert DIALECTS[dialect].read(payload).text == ""
