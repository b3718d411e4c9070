"""An OpenAI-compatible server whose every token is the moment at which it was sent.

`time.monotonic_ns()` is one clock for all processes of a machine, so a client reads the latency off
the text. Served as the models `stamp-a` and `stamp-b`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

FIRST_TOKEN_AFTER_SECONDS = 1.0
TOKENS = 120
TOKENS_PER_SECOND = 30


async def models(_: Request) -> Response:
    return JSONResponse({"data": [{"id": "stamp-a"}, {"id": "stamp-b"}]})


async def chat(_: Request) -> Response:
    return StreamingResponse(_tokens(), media_type="text/event-stream")


async def _tokens() -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    start = loop.time() + FIRST_TOKEN_AFTER_SECONDS
    for number in range(TOKENS):
        await asyncio.sleep(start + number / TOKENS_PER_SECOND - loop.time())
        yield _event({"delta": {"content": f"{time.monotonic_ns()} "}, "finish_reason": None})
    yield _event({"delta": {}, "finish_reason": "stop"})
    yield b"data: [DONE]\n\n"


def _event(choice: dict[str, object]) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, **choice}]})}\n\n".encode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    routes = [Route("/v1/models", models), Route("/v1/chat/completions", chat, methods=["POST"])]
    uvicorn.run(
        Starlette(routes=routes),
        host="127.0.0.1",
        port=parser.parse_args().port,
        log_level="warning",
    )
