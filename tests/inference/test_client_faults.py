"""Servers that fail in every way: each ends in its typed error in time, and nothing is held."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import socket
import time

import psutil
import pytest

from inference import errors
from inference.client import ModelClient, TextDelta
from inference.dialects import ChatMessage
from inference.exchange import models_served
from inference.network_guard import http_client
from tests.inference.asking import LOOPBACK, address, answer
from tests.inference.raw_endpoint import EVENTS, FOREVER, WHOLE, Step, event, raw_endpoint
from tests.inference.tiny_model import inference_server_process, write_model_file, write_tiny_llama

LIMITS = {"first_token_timeout": 0.6, "between_tokens_timeout": 0.3}
# Far above every limit above; a fault that runs into it defeated them.
SURELY_SECONDS = 30
CHUNKED = EVENTS.replace(b"connection: close", b"transfer-encoding: chunked")
JSON_200 = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"


def status(line: str, body: bytes = b"no", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {line}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{headers}\r\n"
    return head.encode() + body


def drip(*first: bytes, of: bytes) -> list[Step]:
    """`first`, then `of` for longer and faster than any limit."""
    steps: list[Step] = [*first]
    for _ in range(500):
        steps += [0.02, of]
    return steps


UNAVAILABLE = errors.EndpointUnavailableError
PROTOCOL = errors.ProtocolError
TIMEOUT = errors.EndpointTimeoutError
FAULTS: dict[str, tuple[list[Step], type[errors.GenerationError]]] = {
    "says nothing": ([FOREVER], TIMEOUT),
    "hangs up at once": ([], UNAVAILABLE),
    "half a header": ([b"HTTP/1.1 200 OK\r\ncontent-ty", FOREVER], TIMEOUT),
    "headers that drip": (drip(b"HTTP/1.1 200 OK\r\n", of=b"x-a: b\r\n"), TIMEOUT),
    "no HTTP": ([b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], PROTOCOL),
    "huge header": ([b"HTTP/1.1 200 OK\r\nx: " + b"a" * 300_000], PROTOCOL),
    "many headers": ([b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 30_000], PROTOCOL),
    "headers and then nothing": ([EVENTS, FOREVER], TIMEOUT),
    "closes without an event": ([EVENTS], UNAVAILABLE),
    "comments for ever": (drip(EVENTS, of=b": ping\n\n"), TIMEOUT),
    "empty deltas for ever": (drip(EVENTS, of=event()), TIMEOUT),
    "comments after a token": (drip(EVENTS, event("a"), of=b": ping\n\n"), TIMEOUT),
    "empty deltas after a token": (drip(EVENTS, event("a"), of=event()), TIMEOUT),
    "bytes without a line": (drip(EVENTS, of=b"d"), TIMEOUT),
    "a token too late": ([EVENTS, event("a"), FOREVER], TIMEOUT),
    "tokens without end": (drip(EVENTS, of=event("a")), TIMEOUT),
    "text without end": ([EVENTS, *[event("again " * 1000)] * 100], errors.EndlessAnswerError),
    "a line without end": ([EVENTS, *[b"data: " + b"x" * 65536] * 40], PROTOCOL),
    "an event without end": ([EVENTS, *[b"data: " + b"x" * 65000 + b"\n"] * 40], PROTOCOL),
    "half a character": ([EVENTS, event("a"), 'data: {"choices": "ö'.encode()[:-1]], UNAVAILABLE),
    "half a character in an event": ([EVENTS, b'data: {"a": "\xc3"}\n\n', FOREVER], PROTOCOL),
    "garbage": ([EVENTS, b"data: {nonsense\n\n", FOREVER], PROTOCOL),
    "JSON of another kind": ([EVENTS, b"data: [1, 2]\n\n", FOREVER], PROTOCOL),
    "deep JSON": ([EVENTS, b"data: " + b"[" * 100_000 + b"\n\n", FOREVER], PROTOCOL),
    "cut after a token": ([EVENTS, event("a")], UNAVAILABLE),
    "done without a reason": ([EVENTS, event("a"), b"data: [DONE]\n\n"], UNAVAILABLE),
    "HTML": ([status("200 OK", b"<html>", "content-type: text/html\r\n")], PROTOCOL),
    "no content type": ([status("200 OK", b"data: {}\n\n")], PROTOCOL),
    "JSON in place of a stream": ([JSON_200 + b'{"choices": [{"message": {}}]}'], PROTOCOL),
    "an error with status 200": (
        [JSON_200 + b'{"error": {"message": "over quota", "code": 429}}'],
        errors.EndpointBusyError,
    ),
    "JSON that never ends": ([JSON_200, b'{"choices": [', FOREVER], PROTOCOL),
    "wrong encoding": (
        [EVENTS.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n"), event("a")],
        PROTOCOL,
    ),
    "broken chunks": ([CHUNKED, b"zz\r\n", event("a")], PROTOCOL),
    "chunks cut short": ([CHUNKED, b"ff\r\n", event("a")], UNAVAILABLE),
    "an error in mid-stream": (
        [EVENTS, event("a"), b'data: {"error": {"message": "boom"}}\n\n', FOREVER],
        errors.RequestRefusedError,
    ),
    "a server error in mid-stream": (
        [EVENTS, event("a"), b'data: {"error": {"type": "server_error"}}\n\n', FOREVER],
        UNAVAILABLE,
    ),
    "vLLM's error event": (
        [EVENTS, b'data: {"object": "error", "message": "x", "code": 400}\n\n', FOREVER],
        errors.RequestRefusedError,
    ),
    "an error page that never ends": (
        [b"HTTP/1.1 500 Oops\r\n\r\n", b"oh", FOREVER],
        UNAVAILABLE,
    ),
    "500": ([status("500 Oops")], UNAVAILABLE),
    "429": ([status("429 Slow down")], errors.EndpointBusyError),
    "429 with a long wait": (
        [status("429 Slow down", headers="retry-after: 3600\r\n")],
        errors.EndpointBusyError,
    ),
    "529": ([status("529 Overloaded")], errors.EndpointBusyError),
    "401": ([status("401 Who")], errors.EndpointRefusesUsError),
    "404": ([status("404 Where")], errors.EndpointRefusesUsError),
    "302": ([status("302 There", headers="location: http://x/\r\n")], errors.RedirectError),
    # It says that it closes, as the others do, or the client may keep the connection for the next.
    "204": ([b"HTTP/1.1 204 Nothing\r\nconnection: close\r\n\r\n"], PROTOCOL),
    "400": ([status("400 What")], errors.RequestRefusedError),
    "413": ([status("413 Big")], errors.RequestRefusedError),
    "context": (
        [status("400 What", b'{"error": {"code": "context_length_exceeded"}}')],
        errors.ContextOverflowError,
    ),
}


def held() -> tuple[int, int]:
    """What the client could leak: tasks of this loop, and sockets of this process."""
    gc.collect()
    connections = psutil.Process().net_connections(kind="tcp")
    return len(asyncio.all_tasks()), sum(c.status != psutil.CONN_TIME_WAIT for c in connections)


async def nothing_more_held_than(before: tuple[int, int]) -> None:
    """The server's own half of a connection needs a moment to be closed."""
    deadline = time.monotonic() + SURELY_SECONDS
    while time.monotonic() < deadline:
        if held() <= before:
            return
        await asyncio.sleep(0.01)
    assert held() <= before


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_ends_in_its_error_within_its_limit_and_leaks_nothing(name):
    steps, kind = FAULTS[name]
    # Where the error is not the limit itself, a slow machine must not make it that.
    limits = LIMITS if kind is TIMEOUT or name.endswith("never ends") else {}
    if name == "tokens without end":
        limits = limits | {"total_timeout": 1.0}
    with raw_endpoint(steps) as broken, raw_endpoint(WHOLE) as sound:
        async with ModelClient(guard=LOOPBACK) as client:
            await answer(client, address(sound.url))
            before = held()
            async with asyncio.timeout(SURELY_SECONDS):
                with pytest.raises(errors.GenerationError) as caught:
                    await answer(client, address(broken.url, **limits))

            assert isinstance(caught.value, kind), repr(caught.value)
            assert caught.value.endpoint is None or caught.value.endpoint.base_url == broken.url
            assert (client.pool.outstanding, client.pool.waiting) == (0, 0)
            await nothing_more_held_than(before)
            # The next request works, at another endpoint and at this one.
            assert (await answer(client, address(sound.url)))[0] == "Hello"


ODD_BUT_WHOLE: dict[str, list[Step]] = {
    "CR LF": [EVENTS, event("Hello").replace(b"\n", b"\r\n"), event(finish="stop")],
    "CR alone": [EVENTS, event("Hello").replace(b"\n", b"\r"), event(finish="stop")],
    "no blank after the colon": [
        EVENTS,
        event("Hello").replace(b"data: ", b"data:"),
        event(finish="stop"),
    ],
    "data in several lines": [
        EVENTS,
        event("Hello").replace(b'"delta"', b'\ndata: "delta"'),
        event(finish="stop"),
    ],
    "byte order mark": [EVENTS, b"\xef\xbb\xbf" + event("Hello"), event(finish="stop")],
    "a byte at a time": [EVENTS, *[bytes([b]) for b in event("Hello") + event(finish="stop")]],
    "other fields": [EVENTS, b"id: 1\nevent: x\nretry: 5\n", event("Hello"), event(finish="stop")],
    "no [DONE]": [EVENTS, event("Hello"), event(finish="stop")],
    "the last line unfinished": [EVENTS, event("Hello"), event(finish="stop").rstrip(b"\n")],
    "cut after the reason": [
        CHUNKED,
        b"%x\r\n%s\r\n" % (len(event("Hello")), event("Hello")),
        b"%x\r\n%s\r\n" % (len(event(finish="stop")), event(finish="stop")),
    ],
    "garbage after the reason": [EVENTS, event("Hello"), event(finish="stop"), b"data: {\n\n"],
    "silence after [DONE]": [*WHOLE, FOREVER],
    "HTTP/1.0 without length": [EVENTS.replace(b"1.1", b"1.0"), *WHOLE[1:]],
    "a type with a charset": [EVENTS.replace(b"stream", b"stream; charset=utf-8"), *WHOLE[1:]],
}


@pytest.mark.parametrize("name", ODD_BUT_WHOLE)
async def test_an_answer_that_is_whole_is_taken_however_odd_its_form(name):
    with raw_endpoint(ODD_BUT_WHOLE[name]) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            text, _, finish = await answer(client, address(server.url))

    assert (text, finish.reason) == ("Hello", "stop")


async def test_a_character_is_joined_wherever_its_bytes_are_cut():
    body = json.dumps({"choices": [{"delta": {"content": "wörld 👋"}}]}, ensure_ascii=False)
    data = b"data: " + body.encode() + b"\n\n" + event(finish="stop")
    scripts: list[list[Step]] = [
        [EVENTS, data[:cut], 0.001, data[cut:]] for cut in range(len(data))
    ]
    with raw_endpoint(*scripts) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            for _ in scripts:
                assert (await answer(client, address(server.url)))[0] == "wörld 👋"


NAMES = b'{"data": [{"id": "m"}, {"id": "n"}]}'
LISTS: dict[str, tuple[list[Step], type[errors.GenerationError]]] = {
    "says nothing": ([FOREVER], TIMEOUT),
    "drips": (drip(JSON_200, of=b" "), PROTOCOL),
    "is endless": ([JSON_200, *[b" " * 65536] * 80], PROTOCOL),
    "is no list": ([JSON_200, b'{"data": 5}'], PROTOCOL),
    "is deep": ([JSON_200, b"[" * 100_000], PROTOCOL),
    "is elsewhere": ([status("301 There", headers="location: /\r\n")], errors.RedirectError),
    "is not for us": ([status("401 Who")], errors.EndpointRefusesUsError),
    "is broken": ([status("500 Oops", NAMES)], UNAVAILABLE),
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_of_models_that_does_not_come_is_an_error_in_its_time(name):
    steps, kind = LISTS[name]
    async with http_client(LOOPBACK) as http:
        with raw_endpoint(steps) as server:
            async with asyncio.timeout(SURELY_SECONDS):
                with pytest.raises(kind):
                    await models_served(http, address(server.url), seconds=0.5)


async def test_a_server_may_list_its_models_or_keep_no_list():
    with raw_endpoint([status("200 OK", NAMES)], [status("404 Where")]) as server:
        async with http_client(LOOPBACK) as http:
            assert await models_served(http, address(server.url), seconds=10) == {"m", "n"}
            assert await models_served(http, address(server.url), seconds=10) is None


async def test_a_list_of_anthropic_does_not_speak_against_an_alias():
    with raw_endpoint([status("200 OK", NAMES)], [status("401 Who")]) as server:
        endpoint = address(server.url, dialect="anthropic", name="alias")
        async with http_client(LOOPBACK) as http:
            assert await models_served(http, endpoint, seconds=10) is None
            with pytest.raises(errors.EndpointRefusesUsError):
                await models_served(http, endpoint, seconds=10)


async def test_a_host_that_is_gone_is_refused_at_once_and_works_when_it_is_back():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with ModelClient(guard=LOOPBACK) as client:
        endpoint = address(f"http://127.0.0.1:{port}/v1")
        before = held()
        with pytest.raises(errors.EndpointUnavailableError):
            await answer(client, endpoint)
        await nothing_more_held_than(before)
        assert client.pool.outstanding == 0
        with raw_endpoint(WHOLE, port=port):
            assert (await answer(client, endpoint))[0] == "Hello"


async def test_a_full_backlog_ends_at_the_limit_for_connecting():
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        # A server that never accepts: when its backlog is full, nobody gets a connection.
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        async with ModelClient(guard=LOOPBACK) as client:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
            endpoint = address(url, connect_timeout=0.2, first_token_timeout=1.0)
            async with asyncio.timeout(SURELY_SECONDS):
                with pytest.raises(errors.ConnectTimeoutError):
                    await answer(client, endpoint)


async def test_a_server_that_never_shakes_hands_over_tls_ends_at_that_limit_too():
    with raw_endpoint([FOREVER]) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            endpoint = address(server.url.replace("http:", "https:"), connect_timeout=0.3)
            before = held()
            async with asyncio.timeout(SURELY_SECONDS):
                with pytest.raises(errors.ConnectTimeoutError):
                    await answer(client, endpoint)
            await nothing_more_held_than(before)


async def test_a_caller_that_leaves_ends_the_request_and_gives_the_place_back():
    with raw_endpoint([EVENTS, event("Hello"), FOREVER]) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            before = held()
            stream = client.stream(endpoints=[address(server.url)], messages=[], sampling={})
            assert isinstance(await anext(stream), TextDelta)
            assert client.pool.outstanding == 1
            await stream.aclose()
            assert client.pool.outstanding == 0
            await nothing_more_held_than(before)


@pytest.mark.parametrize("steps", [[FOREVER], [EVENTS, event("Hello"), FOREVER]])
async def test_a_cancelled_request_leaves_nothing(steps):
    with raw_endpoint(steps) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            before = held()
            task = asyncio.create_task(answer(client, address(server.url)))
            while not server.requests:  # noqa: ASYNC110 - a thread fills it
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert client.pool.outstanding == 0
            await nothing_more_held_than(before)


async def test_the_service_killed_in_mid_stream(tmp_path):
    weights = write_tiny_llama(tmp_path / "m", seed=1)
    file = write_model_file(tmp_path / "models.toml", {"m": weights})
    async with ModelClient(guard=LOOPBACK) as client:
        before = held()
        with inference_server_process(file, cache=tmp_path / "cache") as (process, url):
            stream = client.stream(
                endpoints=[address(f"{url}/v1")],
                messages=[ChatMessage("user", "Hi")],
                sampling={"max_tokens": 200},
            )
            assert isinstance(await anext(stream), TextDelta)
            process.send_signal(signal.SIGKILL)
            with pytest.raises(errors.EndpointUnavailableError):
                async for _ in stream:
                    pass
            with pytest.raises(errors.EndpointUnavailableError):
                await answer(client, address(f"{url}/v1"))
        assert client.pool.outstanding == 0
        await nothing_more_held_than(before)
