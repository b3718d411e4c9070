"""The client against a real server on loopback that misbehaves in every way."""

from __future__ import annotations

import pytest

from inference import client
from inference.client import ChatMessage, EndpointAddress, Finish, auth_headers, stream_chat
from tests.scripted_endpoint import Fault, scripted_endpoint


async def ask(script, **limits):
    with scripted_endpoint({"m": script}) as server:
        endpoint = EndpointAddress(base_url=server.url, name="m", **limits)
        async with client.chat_client() as http:
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
        (Fault.STATUS_500, client.EndpointUnavailableError),
        (Fault.STATUS_429, client.EndpointBusyError),
        (Fault.CONTEXT, client.ContextOverflowError),
        (Fault.HTML, client.ProtocolError),
        (Fault.GARBAGE, client.ProtocolError),
        (Fault.ERROR_EVENT, client.EndpointUnavailableError),
        (Fault.CUT, client.EndpointUnavailableError),
        (Fault.ENDLESS, client.EndlessAnswerError),
    ],
)
async def test_each_fault_is_a_typed_error(fault, error):
    with pytest.raises(error):
        await ask([fault])


@pytest.mark.parametrize("script", [[Fault.HANG], ["Hello", Fault.HANG]])
async def test_silence_ends_at_its_limit(script):
    with pytest.raises(client.EndpointTimeoutError):
        await ask(script, first_token_timeout=0.2, between_tokens_timeout=0.2)


async def test_the_whole_answer_has_a_limit_too():
    with pytest.raises((client.EndpointTimeoutError, client.EndlessAnswerError)):
        await ask(["a", Fault.HANG], total_timeout=0.3)


async def test_a_server_that_is_not_there():
    endpoint = EndpointAddress(base_url="http://127.0.0.1:1/v1", name="m")
    async with client.chat_client() as http:
        with pytest.raises(client.EndpointUnavailableError):
            await anext(stream_chat(client=http, endpoint=endpoint, messages=[], sampling={}))


def test_keys_come_from_the_environment_by_name(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "s3cret")

    assert auth_headers(dialect="openai", api_key_env="SOME_KEY") == {
        "Authorization": "Bearer s3cret"
    }
    assert auth_headers(dialect="anthropic", api_key_env="SOME_KEY")["x-api-key"] == "s3cret"
    assert auth_headers(dialect="openai", api_key_env="NO_SUCH_KEY") == {}
