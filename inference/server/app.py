"""The HTTP service: routes, streams and their ends.

It knows the protocol and the fleet; it knows neither torch nor how a model is loaded.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from inference.server.chat import ChatFormat, ChatFormatError
from inference.server.engine import ContextOverflowError, EngineFullError, ModelEngine
from inference.server.fleet import Fleet, ServedModel
from inference.server.generation import Delta, EngineError, Generation, GenerationRequest
from inference.server.protocol import (
    ApiError,
    CompletionCall,
    Reply,
    model_of,
    read_body,
    read_call,
)

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 4 * 2**20
_CLIENT_GONE = 499


def make_app(fleet: Fleet) -> Starlette:
    """The ASGI application. Loading begins when it starts and the engines end when it stops."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        fleet.start_loading()
        yield
        await asyncio.to_thread(fleet.stop)

    app = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/v1/models", list_models),
            Route("/v1/models/{model}", show_model),
            Route("/v1/chat/completions", chat_completions, methods=["POST"]),
            Route("/v1/completions", completions, methods=["POST"]),
            Route("/health", health),
            Route("/ready", ready),
            Route("/metrics", metrics),
        ],
        exception_handlers={ApiError: _answer_error, HTTPException: _answer_http_error},
    )
    app.state.fleet = fleet
    return app


async def list_models(request: Request) -> Response:
    """`GET /v1/models`: the models that can answer now."""
    entries = [entry for entry in _fleet(request).models.values() if entry.state == "ready"]
    return JSONResponse({"object": "list", "data": [_model_card(entry) for entry in entries]})


async def show_model(request: Request) -> Response:
    """`GET /v1/models/<id>`."""
    return JSONResponse(_model_card(_find(_fleet(request), request.path_params["model"])))


async def chat_completions(request: Request) -> Response:
    """`POST /v1/chat/completions`."""
    return await _complete(request, chat=True)


async def completions(request: Request) -> Response:
    """`POST /v1/completions`."""
    return await _complete(request, chat=False)


async def health(request: Request) -> Response:
    """`GET /health`: 503 once a batching thread died; the process should then be started anew."""
    dead = _fleet(request).dead()
    if dead:
        return JSONResponse({"status": "dead", "models": dead}, status_code=503)
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """`GET /ready`: 503 with the reasons until every model can answer."""
    reasons = _fleet(request).not_ready()
    if reasons:
        return JSONResponse({"status": "not ready", "models": reasons}, status_code=503)
    return JSONResponse({"status": "ready", "models": sorted(_fleet(request).models)})


async def metrics(request: Request) -> Response:
    """`GET /metrics` for Prometheus."""
    registry = _fleet(request).telemetry.registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _complete(request: Request, *, chat: bool) -> Response:
    body = read_body(await _read_limited(request))
    entry = _find(_fleet(request), model_of(body))
    call = read_call(body, entry.spec.sampling, chat=chat)
    if entry.engine is None or entry.chat is None:
        message = f"{call.model} is not ready: {entry.reason}"
        raise ApiError(503, message, code="model_not_ready", retry_after=5)
    # A long prompt takes tens of milliseconds to tokenise, in which no stream could go on.
    prompt = await asyncio.to_thread(_encode, call, entry.chat, chat=chat)
    generation = _admit(entry.engine, entry.chat, call, prompt, chat=chat)
    reply = Reply(
        id=f"{'chatcmpl' if chat else 'cmpl'}-{uuid.uuid4().hex}",
        created=int(time.time()),
        call=call,
        chat=chat,
        prompt_tokens=len(prompt),
    )
    watch = asyncio.create_task(_close_when_gone(request, generation))
    deltas = aiter(generation)
    try:
        # The first token decides between an error status and a stream.
        first = await anext(deltas, None)
        if call.stream and first is not None:
            return _EventStream(generation, deltas, first, reply, watch)
        return await _whole(deltas, first, reply)
    except EngineError as error:
        raise ApiError(503, str(error), code="engine_failed", retry_after=5) from error
    finally:
        if not call.stream or generation.ended:
            generation.close()
            watch.cancel()


async def _whole(deltas: AsyncIterator[Delta], first: Delta | None, reply: Reply) -> Response:
    pieces: list[Delta] = [first] if first else []
    pieces.extend([delta async for delta in deltas])
    if not pieces or pieces[-1].finish_reason is None:
        return Response(status_code=_CLIENT_GONE)
    last = pieces[-1]
    text = "".join(piece.text for piece in pieces)
    return JSONResponse(
        reply.whole(text, last.completion_tokens, last.finish_reason or "stop"),
    )


class _EventStream(Response):
    """Server-Sent Events, one write per delta and nothing held back."""

    def __init__(
        self,
        generation: Generation,
        deltas: AsyncIterator[Delta],
        first: Delta,
        reply: Reply,
        watch: asyncio.Task[None],
    ) -> None:
        super().__init__(media_type="text/event-stream", headers={"cache-control": "no-store"})
        # The length is not known and proxies must not collect.
        del self.headers["content-length"]
        self.headers["x-accel-buffering"] = "no"
        self.generation = generation
        self.deltas = deltas
        self.first = first
        self.reply = reply
        self.watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive  # whoever watches for the client's end reads `receive`

        async def write(text: str, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": more})

        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            async for event in self._events():
                await write(event)
            await write("", more=False)
        except (OSError, ClientDisconnect):
            logger.info("%s: the reader went away", self.generation.id)
        finally:
            self.generation.close()
            self.watch.cancel()

    async def _events(self) -> AsyncIterator[str]:
        delta: Delta | None = self.first
        tokens, begun = 0, False
        try:
            while delta is not None:
                tokens = delta.completion_tokens
                yield _event(self.reply.chunk(delta.text, delta.finish_reason, first=not begun))
                begun = True
                delta = await anext(self.deltas, None)
        except EngineError as error:
            yield _event(ApiError(503, str(error), code="engine_failed").body)
            return
        if self.reply.call.include_usage:
            yield _event(self.reply.usage_chunk(tokens))
        yield "data: [DONE]\n\n"


def _event(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body, separators=(',', ':'))}\n\n"


async def _close_when_gone(request: Request, generation: Generation) -> None:
    """Free the slot when the client hangs up, even while no token is being written."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    generation.close()


def _encode(call: CompletionCall, format_: ChatFormat, *, chat: bool) -> list[int]:
    if not chat:
        text = isinstance(call.prompt, str)
        return format_.encode_text(str(call.prompt)) if text else [int(t) for t in call.prompt]
    try:
        return format_.encode_chat(call.messages)
    except ChatFormatError as error:
        raise ApiError(400, str(error), param="messages") from error


def _admit(
    engine: ModelEngine, format_: ChatFormat, call: CompletionCall, prompt: list[int], *, chat: bool
) -> Generation:
    if not prompt:
        raise ApiError(400, "the prompt is empty", param="prompt")
    beyond = [token for token in prompt if not 0 <= token < engine.vocabulary]
    if beyond:
        raise ApiError(400, f"{beyond[0]} is no token id of this model", param="prompt")
    wanted = GenerationRequest(
        prompt=prompt,
        max_tokens=call.max_tokens,
        temperature=call.temperature,
        top_p=call.top_p,
        top_k=call.top_k,
        stop=call.stop + (format_.stops if chat else ()),
    )
    try:
        return engine.admit(wanted)
    except ContextOverflowError as error:
        raise ApiError(400, str(error), code="context_length_exceeded") from error
    except EngineFullError as error:
        raise ApiError(
            429, str(error), code="rate_limit_exceeded", retry_after=error.retry_after
        ) from error
    except EngineError as error:
        raise ApiError(503, str(error), code="engine_failed", retry_after=5) from error


async def _read_limited(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_BODY_BYTES:
            raise ApiError(413, f"the body is above {MAX_BODY_BYTES // 2**20} MiB")
        pieces.append(piece)
    return b"".join(pieces)


def _fleet(request: Request) -> Fleet:
    fleet: Fleet = request.app.state.fleet
    return fleet


def _find(fleet: Fleet, model: str) -> ServedModel:
    entry = fleet.models.get(model)
    if entry is None:
        served = ", ".join(fleet.models) or "none"
        message = f"the model {model[:100]!r} is not served here; served are: {served}"
        raise ApiError(404, message, code="model_not_found", param="model")
    return entry


def _model_card(entry: ServedModel) -> dict[str, Any]:
    card = {"id": entry.spec.slug, "object": "model", "created": entry.created}
    card["owned_by"] = entry.spec.organization
    if entry.engine is not None:
        # The name under which vLLM gives it, so that clients of either find it.
        card["max_model_len"] = entry.engine.limits.context_length
    return card


async def _answer_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class only
    headers = {"retry-after": str(error.retry_after)} if error.retry_after else None
    return JSONResponse(error.body, status_code=error.status, headers=headers)


async def _answer_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    body = ApiError(error.status_code, error.detail).body
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)
