"""`/admin/models`: which models are loaded, and changing that while the service runs.

It knows the fleet's commands and who may give them; it knows nothing of completions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inference.server.admin_access import check_access
from inference.server.api_error import ApiError
from inference.server.failures import api_error
from inference.server.fleet import Fleet, FleetError, ModelUnavailableError
from inference.server.protocol import read_body
from inference.server.request_body import read_limited
from inference.server.settings import ServiceSettings
from inference.server.traffic import Traffic

logger = logging.getLogger(__name__)

_SOON_SECONDS = 0.3
"""What goes wrong at once, such as a model file with a mistake, is told in the answer."""


def admin_routes() -> list[Route]:
    """The routes, for the application whose state holds fleet, settings and traffic."""
    return [
        Route("/admin/models", models, methods=["GET", "POST"]),
        Route("/admin/models/{model}", unload_model, methods=["DELETE"]),
        Route("/admin/models/{model}/sleep", sleep_model, methods=["POST"]),
    ]


async def models(request: Request) -> Response:
    """`GET /admin/models`: all models with their state and memory. `POST`: load one."""
    fleet = _permitted(request)
    if request.method != "POST":
        body = {"object": "list", "data": fleet.overview(), "memory": fleet.memory_overview()}
        return JSONResponse(body)
    return await _load(request, fleet)


async def unload_model(request: Request) -> Response:
    """`DELETE /admin/models/<id>`: take no requests, and give its memory back after the last one.

    `?force=true` ends those under way. It answers 202, and 200 when there was nothing to end.
    """
    fleet = _permitted(request)
    force = request.query_params.get("force", "false").lower()
    if force not in ("true", "false"):
        raise ApiError(400, "force must be true or false", param="force")
    return await _commanded(request, lambda slug: fleet.unload(slug, force=force == "true"))


async def sleep_model(request: Request) -> Response:
    """`POST /admin/models/<id>/sleep`: give its room on the device to others until it is asked."""
    fleet = _permitted(request)
    return await _commanded(request, fleet.sleep)


async def _load(request: Request, fleet: Fleet) -> Response:
    """`{"id": slug}` answers 202 and goes on loading; with `"wait": true` 200 when it is ready."""
    body = read_body(await read_limited(request))
    slug, wait = body.get("id"), body.get("wait", False)
    if not isinstance(slug, str) or not slug:
        raise ApiError(400, "id must be the slug of a model of the model file", param="id")
    if not isinstance(wait, bool):
        raise ApiError(400, "wait must be true or false", param="wait")
    loading = asyncio.create_task(_loaded(fleet, slug))
    under_way: set[asyncio.Task[None]] = request.app.state.loading
    under_way.add(loading)  # the event loop itself would forget it
    loading.add_done_callback(under_way.discard)
    await asyncio.wait({loading}, timeout=None if wait else _SOON_SECONDS)
    if loading.done():
        loading.result()
    row = _row(fleet, slug)
    return JSONResponse(row, status_code=200 if row["state"] == "ready" else 202)


async def _loaded(fleet: Fleet, slug: str) -> None:
    try:
        await fleet.load(slug)
    except (FleetError, ModelUnavailableError) as error:
        logger.warning("loading on request: %s", error)
        raise api_error(error) from error


async def _commanded(request: Request, command: Callable[[str], Awaitable[Any]]) -> Response:
    """Run a command of the fleet on the model of the path, and answer with how it is then."""
    fleet: Fleet = request.app.state.fleet
    slug: str = request.path_params["model"]
    if slug not in fleet.models:
        raise ApiError(404, f"there is no model {slug[:100]!r}", code="model_not_found")
    try:
        await command(slug)
    except (FleetError, ModelUnavailableError) as error:
        raise api_error(error) from error
    row = _row(fleet, slug)
    return JSONResponse(row, status_code=202 if row["state"] == "unloading" else 200)


def _permitted(request: Request) -> Fleet:
    settings: ServiceSettings = request.app.state.settings
    check_access(request, settings.admin_token)
    if request.method != "GET":
        _traffic(request).check_open()
    fleet: Fleet = request.app.state.fleet
    return fleet


def _traffic(request: Request) -> Traffic:
    traffic: Traffic = request.app.state.traffic
    return traffic


def _row(fleet: Fleet, slug: str) -> dict[str, Any]:
    return next((row for row in fleet.overview() if row["id"] == slug), {"id": slug})
