"""What tests do with a service that listens: ask, watch its metrics, hang up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

USER = [{"role": "user", "content": "Who won?"}]


def ask(client: Any, model: str, question: str = "Who won?", **more: Any) -> Any:
    """A chat completion of the `openai` package."""
    messages: Any = [{"role": "user", "content": question}]
    return client.chat.completions.create(model=model, messages=messages, **more)


def wait_until(held: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def metric(service: str, name: str, model: str, **labels: str) -> float:
    """The value of a metric; 0 where it has not been counted yet."""
    text = httpx.get(f"{service}/metrics").text
    pairs = ",".join(f'{label}="{value}"' for label, value in {"model": model, **labels}.items())
    wanted = f"preferendum_inference_{name}{{{pairs}}} "
    found = [line for line in text.splitlines() if line.startswith(wanted)]
    return float(found[0].split()[-1]) if found else 0.0


def events(lines: Iterator[str]) -> list[str]:
    """The data of each event of a stream."""
    return [line.removeprefix("data: ") for line in lines if line]


def chunks(response: httpx.Response) -> list[dict[str, Any]]:
    """The chunks of a whole stream, which has to end with `[DONE]`."""
    found = events(iter(response.text.splitlines()))
    assert found[-1] == "[DONE]"
    return [json.loads(event) for event in found[:-1]]


@contextmanager
def endless_stream(service: str, model: str) -> Iterator[None]:
    """A client that has read the first bytes of a long answer, and hangs up at the end."""
    body = {"model": model, "messages": USER, "stream": True, "max_tokens": 8000}
    url = f"{service}/v1/chat/completions"
    with httpx.stream("POST", url, json=body, timeout=30) as response:
        pieces = response.iter_bytes()
        next(pieces)
        yield


@asynccontextmanager
async def listening(app: Starlette) -> AsyncIterator[str]:
    """The base URL of an application that listens in the test's own process."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 - uvicorn sets it and tells nobody
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving
