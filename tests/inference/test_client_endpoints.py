"""Several endpoints of a model, and several tries: who is asked, when, and who is left alone."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, ExitStack
from email.utils import formatdate

import pytest

from inference import client as client_module
from inference import endpoint_pool, errors
from inference.client import ModelClient
from tests.inference.asking import LOOPBACK, address, answer
from tests.inference.raw_endpoint import EVENTS, FOREVER, WHOLE, Step, event, raw_endpoint
from tests.scripted_endpoint import Fault, Gate, scripted_endpoint

SURELY_SECONDS = 30


def status(line: str, headers: str = "") -> list[bytes]:
    return [f"HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n{headers}\r\n".encode()]


@pytest.mark.parametrize(
    "first", [status("500 Oops"), status("503 Later"), status("429 Slow"), status("408 Late"), []]
)
async def test_a_failure_before_the_first_token_is_tried_again(first):
    with raw_endpoint(first, [EVENTS], WHOLE) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            text, _, finish = await answer(client, address(server.url))

    assert text == "Hello"
    assert len(server.requests) == 3
    assert [error.endpoint for error in finish.setbacks] == [finish.endpoint] * 2


@pytest.mark.parametrize(
    "first",
    [
        status("400 What"),
        status("401 Who"),
        status("404 Where"),
        status("302 There", "location: /v1\r\n"),
        [EVENTS, b"data: {\n\n"],
        [EVENTS, event("Hel")],
        [EVENTS, event(reasoning="Hm")],
    ],
)
async def test_what_another_try_cannot_mend_is_asked_once(first):
    with raw_endpoint(first, WHOLE) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            with pytest.raises(errors.GenerationError):
                await answer(client, address(server.url))

    assert len(server.requests) == 1


async def test_tries_are_few_and_further_and_further_apart(monkeypatch):
    monkeypatch.setattr(client_module, "FIRST_BACKOFF_SECONDS", 0.1)
    with raw_endpoint(status("500 Oops")) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            began = time.monotonic()
            with pytest.raises(errors.EndpointUnavailableError) as caught:
                await answer(client, address(server.url))

    assert len(server.requests) == 1 + client_module.RETRIES
    assert len(caught.value.setbacks) == client_module.RETRIES
    assert time.monotonic() - began >= 0.05 + 0.1


@pytest.mark.parametrize("as_date", [False, True])
async def test_retry_after_is_waited_for(as_date):
    not_before = int(time.time()) + 2 if as_date else time.time() + 1
    value = formatdate(not_before, usegmt=True) if as_date else "1"
    with raw_endpoint(status("429 Slow", f"retry-after: {value}\r\n"), WHOLE) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            await answer(client, address(server.url))

    assert time.time() >= not_before


async def test_a_retry_after_beyond_the_first_tokens_limit_is_an_answer_at_once():
    with raw_endpoint(status("503 Down", "retry-after: 50\r\n"), WHOLE) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            endpoint = address(server.url, first_token_timeout=40.0)
            async with asyncio.timeout(SURELY_SECONDS):
                with pytest.raises(errors.EndpointUnavailableError, match="503"):
                    await answer(client, endpoint)
                # Nor is anybody else sent there before that.
                with pytest.raises(errors.EndpointRestingError):
                    await answer(client, endpoint)

    assert len(server.requests) == 1


async def test_retries_end_with_the_limit_of_the_first_token(monkeypatch):
    monkeypatch.setattr(client_module, "FIRST_BACKOFF_SECONDS", 60)
    with raw_endpoint(status("500 Oops")) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            async with asyncio.timeout(SURELY_SECONDS):
                with pytest.raises(errors.EndpointUnavailableError):
                    await answer(client, address(server.url, first_token_timeout=5.0))

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "broken", [[], status("500 Oops"), status("401 Who"), [EVENTS, b"data: {\n\n"]]
)
async def test_another_endpoint_is_tried_at_once(monkeypatch, broken):
    monkeypatch.setattr(client_module, "FIRST_BACKOFF_SECONDS", 60)
    with raw_endpoint(broken) as first, raw_endpoint(WHOLE) as second:
        async with ModelClient(guard=LOOPBACK) as client:
            async with asyncio.timeout(SURELY_SECONDS):
                _, _, finish = await answer(client, address(first.url), address(second.url))

    assert finish.endpoint == address(second.url)
    assert [error.endpoint for error in finish.setbacks] == [address(first.url)]


async def test_a_refused_prompt_is_not_carried_to_the_next_endpoint():
    with raw_endpoint(status("400 What")) as first, raw_endpoint(WHOLE) as second:
        async with ModelClient(guard=LOOPBACK) as client:
            with pytest.raises(errors.RequestRefusedError):
                await answer(client, address(first.url), address(second.url))

    assert second.requests == []


async def test_an_endpoint_that_is_up_is_asked_before_one_that_is_down():
    with raw_endpoint(WHOLE) as down, raw_endpoint(WHOLE) as up:
        async with ModelClient(guard=LOOPBACK) as client:
            for _ in range(3):
                await answer(client, address(down.url, is_up=False), address(up.url))

    assert (len(down.requests), len(up.requests)) == (0, 3)


async def test_requests_go_where_the_fewest_are_under_way():
    gates = [Gate() for _ in range(2)]
    with ExitStack() as stack:
        servers = [stack.enter_context(scripted_endpoint({"m": [gate, "Hello"]})) for gate in gates]
        endpoints = [address(server.url, concurrency=3) for server in servers]
        async with ModelClient(guard=LOOPBACK) as client:
            tasks = []
            for number in range(1, 9):
                tasks.append(asyncio.create_task(answer(client, *endpoints)))
                await until(lambda: client.pool.outstanding + client.pool.waiting == len(tasks))
                if number == 4:
                    await until(lambda: [server.open_streams for server in servers] == [2, 2])
            await until(lambda: sum(server.open_streams for server in servers) == 6)

            assert [server.open_streams for server in servers] == [3, 3]
            assert (client.pool.outstanding, client.pool.waiting) == (6, 2)

            gates[0].open()
            await until(lambda: client.pool.waiting == 0)
            gates[1].open()
            await asyncio.gather(*tasks)
            assert (client.pool.outstanding, client.pool.waiting) == (0, 0)


async def test_who_waits_too_long_for_a_place_is_told_that_the_model_is_busy():
    gate = Gate()
    with scripted_endpoint({"m": ["Hello", gate]}) as server:
        endpoint = address(server.url, concurrency=1)
        hurried = address(server.url, concurrency=1, first_token_timeout=0.2)
        async with ModelClient(guard=LOOPBACK) as client:
            first = asyncio.create_task(answer(client, endpoint))
            await until(lambda: server.open_streams == 1)
            with pytest.raises(errors.EndpointBusyError):
                await answer(client, hurried)
            gate.open()
            await first

            assert len(server.requests) == 1
            assert (await answer(client, endpoint))[0] == "Hello"


async def test_those_in_line_are_served_in_turn_and_may_leave():
    gate = Gate()
    with scripted_endpoint({"m": ["Hello", gate]}) as server:
        endpoint = address(server.url, concurrency=1)
        order: list[int] = []

        async def ask(number: int) -> None:
            await answer(client, endpoint)
            order.append(number)

        async with ModelClient(guard=LOOPBACK) as client:
            tasks = []
            for number in range(4):
                tasks.append(asyncio.create_task(ask(number)))
                await until(lambda: client.pool.outstanding + client.pool.waiting == len(tasks))
            tasks[2].cancel()
            await until(lambda: client.pool.waiting == 2)
            gate.open()
            await asyncio.gather(*tasks, return_exceptions=True)

            assert order == [0, 1, 3]
            assert (client.pool.outstanding, client.pool.waiting) == (0, 0)


async def test_an_endpoint_that_fails_again_and_again_rests_and_is_tried_by_one(monkeypatch):
    monkeypatch.setattr(client_module, "RETRIES", 0)
    monkeypatch.setattr(endpoint_pool, "FIRST_REST_SECONDS", 2.0)
    gate, end = Gate(), Gate()
    with scripted_endpoint({"m": [Fault.STATUS_500]}) as server:
        endpoint = address(server.url)
        hurried = address(server.url, first_token_timeout=0.1)
        async with ModelClient(guard=LOOPBACK) as client:
            for _ in range(endpoint_pool.FAILURES_BEFORE_REST):
                with pytest.raises(errors.EndpointUnavailableError):
                    await answer(client, endpoint)
            asked = len(server.requests)
            with pytest.raises(errors.EndpointRestingError):
                await answer(client, hurried)
            assert len(server.requests) == asked

            # After its rest one request goes there; the others wait for what becomes of it.
            server.scripts["m"] = [gate, "Hello", end]
            tasks = [asyncio.create_task(answer(client, endpoint)) for _ in range(3)]
            await until(lambda: server.open_streams == 1)
            assert client.pool.waiting == 2
            gate.open()
            # Its first token shows that it is back.
            await until(lambda: server.open_streams == 3)
            end.open()
            assert [found[0] for found in await asyncio.gather(*tasks)] == ["Hello"] * 3


async def test_a_probe_that_fails_ends_the_waiting_and_lengthens_the_rest(monkeypatch):
    monkeypatch.setattr(client_module, "RETRIES", 0)
    monkeypatch.setattr(endpoint_pool, "FIRST_REST_SECONDS", 0.3)
    with scripted_endpoint({"m": [Fault.STATUS_500]}) as server:
        endpoint = address(server.url)
        async with ModelClient(guard=LOOPBACK) as client:
            for _ in range(endpoint_pool.FAILURES_BEFORE_REST):
                before = time.monotonic()
                with pytest.raises(errors.EndpointUnavailableError):
                    await answer(client, endpoint)
            asked = len(server.requests)
            found = await asyncio.gather(
                *(answer(client, endpoint) for _ in range(4)), return_exceptions=True
            )
            assert len(server.requests) == asked + 1
            assert {type(error) for error in found} == {
                errors.EndpointUnavailableError,
                errors.EndpointRestingError,
            }

            server.scripts["m"] = ["Hello"]
            assert (await answer(client, endpoint))[0] == "Hello"
            assert time.monotonic() - before >= 0.3 + 0.6


async def test_a_resting_endpoint_is_passed_over_while_another_works():
    with raw_endpoint([]) as dead, raw_endpoint(WHOLE) as alive:
        endpoints = [address(dead.url), address(alive.url)]
        async with ModelClient(guard=LOOPBACK) as client:
            for _ in range(3 * endpoint_pool.FAILURES_BEFORE_REST):
                assert (await answer(client, *endpoints))[0] == "Hello"

    assert len(dead.requests) < 2 * endpoint_pool.FAILURES_BEFORE_REST


@pytest.mark.parametrize("failure", ["429 Slow", "500 Oops"])
async def test_tries_are_few_also_while_another_endpoint_rests(failure):
    resting = status("429 Slow", "retry-after: 30\r\n")
    with raw_endpoint(resting) as first, raw_endpoint(status(failure)) as second:
        endpoints = [address(url, first_token_timeout=20) for url in (first.url, second.url)]
        async with ModelClient(guard=LOOPBACK) as client:
            with pytest.raises(errors.EndpointBusyError):
                await answer(client, endpoints[0])
            with pytest.raises(errors.GenerationError, match=failure[:3]):
                await answer(client, *endpoints)

    assert (len(first.requests), len(second.requests)) == (1, 1 + client_module.RETRIES)


async def test_an_answer_that_is_only_long_speaks_against_no_endpoint():
    many = endpoint_pool.FAILURES_BEFORE_REST + 1
    tokens: list[Step] = [event("a"), 0.05]
    with raw_endpoint([EVENTS, *tokens * 100]) as server:
        async with ModelClient(guard=LOOPBACK) as client:
            endpoint = address(server.url, total_timeout=0.3)
            for _ in range(many):
                with pytest.raises(errors.EndpointTimeoutError):
                    await answer(client, endpoint)

    assert len(server.requests) == many


async def test_two_rows_of_the_registry_have_places_of_their_own():
    with raw_endpoint([EVENTS, event("Hello"), FOREVER]) as server:
        async with ModelClient(guard=LOOPBACK) as client, AsyncExitStack() as stack:
            for number in (1, 2):
                stream = client.stream(
                    endpoints=[address(server.url, id=number, concurrency=1)],
                    messages=[],
                    sampling={},
                )
                stack.push_async_callback(stream.aclose)
                await anext(stream)
            assert client.pool.outstanding == 2


async def test_a_model_without_an_endpoint_is_unavailable():
    async with ModelClient(guard=LOOPBACK) as client:
        with pytest.raises(errors.EndpointUnavailableError, match="no endpoint"):
            await answer(client)


async def until(condition) -> None:
    deadline = time.monotonic() + SURELY_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
