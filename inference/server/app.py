"""The HTTP service: routes, request bodies and errors.

It knows the protocol and the fleet; it knows neither torch nor how a model is loaded or computed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inference.server.admin_routes import admin_routes
from inference.server.api_error import ApiError
from inference.server.completion import Completion
from inference.server.failures import api_error
from inference.server.fleet import Fleet, ServedModel
from inference.server.protocol import CompletionCall, model_of, read_body, read_call
from inference.server.request_body import read_limited
from inference.server.settings import ServiceSettings
from inference.server.traffic import Traffic

logger = logging.getLogger(__name__)

_CLIENT_GONE = 499
_LARGE_BODY = 32 * 2**10
"""Bytes that take longer to read than the event loop may wait."""
_DEFAULTS = ServiceSettings()


def make_app(fleet: Fleet, settings: ServiceSettings = _DEFAULTS) -> Starlette:
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
            Route("/v1/models/{model:path}", show_model),
            Route("/v1/chat/completions", chat_completions, methods=["POST"]),
            Route("/v1/completions", completions, methods=["POST"]),
            *admin_routes(),
            Route("/health", health),
            Route("/ready", ready),
            Route("/metrics", metrics),
        ],
        exception_handlers={
            ApiError: _answer_error,
            HTTPException: _answer_http_error,
            ClientDisconnect: _answer_nobody,
            Exception: _answer_mistake,
        },
    )
    app.router.redirect_slashes = False
    app.state.fleet = fleet
    app.state.settings = settings
    app.state.traffic = Traffic()
    app.state.loading = set()
    return app


async def list_models(request: Request) -> Response:
    """`GET /v1/models`: the models that can answer, those included that have to be woken first."""
    entries = [entry for entry in _fleet(request).models.values() if _answers(entry)]
    return JSONResponse({"object": "list", "data": [_model_card(entry) for entry in entries]})


async def show_model(request: Request) -> Response:
    """`GET /v1/models/<id>`: 503 with the reason for one that cannot answer."""
    entry = _find(_fleet(request), request.path_params["model"])
    if not _answers(entry):
        raise api_error(entry.unavailable())
    return JSONResponse(_model_card(entry))


async def chat_completions(request: Request) -> Response:
    """`POST /v1/chat/completions`."""
    return await _complete(request, chat=True)


async def completions(request: Request) -> Response:
    """`POST /v1/completions`."""
    return await _complete(request, chat=False)


async def health(request: Request) -> Response:
    """`GET /health`: 503 while a batching thread is dead; the service restarts it."""
    dead = _fleet(request).dead()
    if dead:
        return JSONResponse({"status": "dead", "models": dead}, status_code=503)
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """`GET /ready`: 503 with the reasons until every model can answer, and while draining."""
    if _traffic(request).draining:
        return JSONResponse({"status": "shutting down", "models": {}}, status_code=503)
    reasons = _fleet(request).not_ready()
    if reasons:
        return JSONResponse({"status": "not ready", "models": reasons}, status_code=503)
    return JSONResponse({"status": "ready", "models": sorted(_fleet(request).models)})


async def metrics(request: Request) -> Response:
    """`GET /metrics` for Prometheus."""
    registry = _fleet(request).telemetry.registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _complete(request: Request, *, chat: bool) -> Response:
    traffic, fleet = _traffic(request), _fleet(request)
    traffic.check_open()
    raw = await read_limited(request)

    def read() -> tuple[ServedModel, CompletionCall]:
        body = read_body(raw)
        entry = _find(fleet, model_of(body))
        return entry, read_call(body, entry.spec.sampling, chat=chat)

    entry, call = await asyncio.to_thread(read) if len(raw) > _LARGE_BODY else read()
    traffic.check_open()
    settings: ServiceSettings = request.app.state.settings
    return Completion(call, entry, fleet=fleet, settings=settings, traffic=traffic)


def _fleet(request: Request) -> Fleet:
    fleet: Fleet = request.app.state.fleet
    return fleet


def _traffic(request: Request) -> Traffic:
    traffic: Traffic = request.app.state.traffic
    return traffic


def _find(fleet: Fleet, model: str) -> ServedModel:
    entry = fleet.models.get(model)
    if entry is None:
        served = ", ".join(fleet.models) or "none"
        message = f"the model {model[:100]!r} is not served here; served are: {served}"
        raise ApiError(404, message, code="model_not_found", param="model")
    return entry


def _answers(entry: ServedModel) -> bool:
    return entry.state in ("ready", "asleep")


def _model_card(entry: ServedModel) -> dict[str, Any]:
    card = {"id": entry.spec.slug, "object": "model", "created": entry.created}
    card["owned_by"] = entry.spec.organization
    if entry.runtime is not None:
        # The name under which vLLM gives it, so that clients of either find it.
        card["max_model_len"] = entry.runtime.engine.limits.context_length
    return card


async def _answer_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class only
    return error.response()


async def _answer_http_error(request: Request, error: Exception) -> Response:
    """404 and 405 of the routes."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    message = f"{request.method} {request.url.path}: {error.detail}"
    return ApiError(error.status_code, message).response(dict(error.headers or {}))


async def _answer_nobody(_: Request, __: Exception) -> Response:
    """The client left before its request was whole."""
    return Response(status_code=_CLIENT_GONE)


async def _answer_mistake(_: Request, __: Exception) -> Response:
    """What nobody foresaw. The server logs it with its traceback."""
    return ApiError(500, "the service made a mistake", code="internal_error").response()
