"""The service's application inside the test's own process, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import torch

from inference.model_file import read_model_file
from inference.server.app import make_app
from inference.server.fleet import Fleet, FleetSettings
from inference.server.telemetry import Telemetry


async def until(held: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not held():  # noqa: ASYNC110 - set by threads that know no event of ours
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(model_file: Path, cache: Path) -> AsyncIterator[tuple[Fleet, httpx.AsyncClient]]:
    """The application in this process, when every model is either ready or failed."""
    settings = FleetSettings(cache=cache, device=torch.device("cpu"), kv_gib=0.05)
    fleet = Fleet(read_model_file(model_file).models, settings, Telemetry())
    app = make_app(fleet)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", timeout=60) as client,
    ):
        await until(lambda: {entry.state for entry in fleet.models.values()} <= {"ready", "failed"})
        yield fleet, client
