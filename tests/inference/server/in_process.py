"""The service's application inside the test's own process, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import torch

from inference.model_file import read_model_file
from inference.server.app import make_app
from inference.server.fleet import Fleet
from inference.server.settings import FleetSettings
from inference.server.telemetry import Telemetry


async def until(held: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not held():  # noqa: ASYNC110 - set by threads that know no event of ours
            await asyncio.sleep(0.01)


def on_their_way(fleet: Fleet) -> list[str]:
    states = ("waiting", "loading", "unloading")
    return [slug for slug, entry in fleet.models.items() if entry.state in states]


@asynccontextmanager
async def serving(
    model_file: Path, cache: Path, **choices: Any
) -> AsyncIterator[tuple[Fleet, httpx.AsyncClient]]:
    """The application in this process, when no model is on its way any more.

    `choices` are fields of `FleetSettings`.
    """
    defaults: dict[str, Any] = {"cache": cache, "device": torch.device("cpu"), "kv_gib": 0.05}
    settings = FleetSettings(**(defaults | choices))
    models = read_model_file(model_file).models
    fleet = Fleet(models, settings, Telemetry(), model_file=model_file)
    app = make_app(fleet)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", timeout=60) as client,
    ):
        await until(lambda: not on_their_way(fleet))
        yield fleet, client
