"""A real OpenAI-compatible server on loopback that says what a test tells it to, faults included.

It stands in for models only: HTTP, sockets and timing are real. A script is a list of steps: text
to send, a `Gate` to wait at, or a `Fault` to end with; without one the answer ends as it should.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


class Fault(Enum):
    """Ways for an answer to go wrong."""

    STATUS_500 = "status 500"
    STATUS_400 = "status 400"
    STATUS_429 = "status 429"
    CONTEXT = "context overflow"
    HTML = "an HTML page with status 200"
    GARBAGE = "garbage in place of JSON"
    CUT = "the connection closes in mid-stream"
    HANG = "nothing more ever comes"
    ENDLESS = "text without end"
    ERROR_EVENT = "an error in the stream"


class Gate:
    """A point that the answer waits at until the test opens it."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.reached = threading.Event()

    def open(self) -> None:
        self._open.set()

    async def wait(self) -> None:
        self.reached.set()
        while not self._open.is_set():  # noqa: ASYNC110 - another thread opens it
            await asyncio.sleep(0.005)


Step = str | Gate | Fault
SECRET_WORDS = "provider-internal-detail of scripted-provider"


@dataclass
class ScriptedEndpoint:
    """`url` is the base URL; `scripts` maps a model's name to what it says next, and ever after."""

    scripts: dict[str, Sequence[Step]]
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    open_streams: int = 0
    # Laid over the last chunk: metadata that no sane server sends.
    odd: dict[str, Any] = field(default_factory=dict)

    async def models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": name} for name in self.scripts]})

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        script = self.scripts[body["model"]]
        if script and isinstance(script[0], Fault):
            match script[0]:
                case Fault.STATUS_500:
                    return JSONResponse({"error": {"message": SECRET_WORDS}}, 500)
                case Fault.STATUS_400:
                    return JSONResponse({"error": {"message": SECRET_WORDS}}, 400)
                case Fault.STATUS_429:
                    return JSONResponse({"error": {"message": SECRET_WORDS}}, 429)
                case Fault.CONTEXT:
                    return JSONResponse({"error": {"message": "context length exceeded"}}, 400)
                case Fault.HTML:
                    return Response(f"<html>{SECRET_WORDS}</html>", media_type="text/html")
        return StreamingResponse(
            self._events(body["model"], script), media_type="text/event-stream"
        )

    async def _events(self, name: str, script: Sequence[Step]) -> AsyncIterator[bytes]:
        self.open_streams += 1
        try:
            yield _chunk(name, {"role": "assistant", "content": ""})
            for step in script:
                if isinstance(step, Gate):
                    await step.wait()
                elif isinstance(step, Fault):
                    async for event in self._fault(name, step):
                        yield event
                    return
                else:
                    yield _chunk(name, {"content": step})
            yield _chunk(name, {}, finish=self.odd.get("finish_reason", "stop"))
            usage = {"prompt_tokens": 3, "completion_tokens": len(script)}
            yield _event({"choices": [], "usage": self.odd.get("usage", usage)})
            yield b"data: [DONE]\n\n"
        finally:
            self.open_streams -= 1

    async def _fault(self, name: str, fault: Fault) -> AsyncIterator[bytes]:
        match fault:
            case Fault.GARBAGE:
                yield f"data: {{{SECRET_WORDS}\n\n".encode()
            case Fault.ERROR_EVENT:
                yield _event({"error": {"message": SECRET_WORDS}})
            case Fault.HANG:
                await asyncio.Event().wait()
            case Fault.ENDLESS:
                while True:
                    yield _chunk(name, {"content": "again and " * 100})
                    await asyncio.sleep(0)  # so that the server can notice who has left
            case Fault.CUT:
                return


def _chunk(name: str, delta: dict[str, Any], finish: str | None = None) -> bytes:
    return _event(
        {"model": name, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    )


def _event(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


@contextmanager
def scripted_endpoint(scripts: dict[str, Sequence[Step]]) -> Iterator[ScriptedEndpoint]:
    """Serve `scripts` on a free port of loopback, in a thread, until the block ends."""
    endpoint = ScriptedEndpoint(scripts)
    app = Starlette(
        routes=[
            Route("/v1/models", endpoint.models),
            Route("/v1/chat/completions", endpoint.chat, methods=["POST"]),
        ]
    )
    with served(app) as address:
        endpoint.url = f"{address}/v1"
        yield endpoint


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Run an ASGI application with uvicorn in a thread; yield its address."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_level="warning",
            timeout_graceful_shutdown=1,
            proxy_headers=False,
            ws="websockets-sansio",
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.005)
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
