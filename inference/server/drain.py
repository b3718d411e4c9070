"""The life of the listening process: serve, and at SIGTERM or SIGINT drain and end.

It knows signals and uvicorn; it knows requests only as traffic that comes to rest.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from inference.server.settings import ServiceSettings
from inference.server.traffic import LAST_WORDS_SECONDS, Traffic

logger = logging.getLogger(__name__)


def serve(app: Starlette, *, host: str, port: int, settings: ServiceSettings) -> None:
    """Listen until a signal comes, and return when all is done.

    The first signal drains: the address goes on listening, new requests get 503, and those under
    way may last `settings.drain_seconds`. A second one breaks these off at once.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        workers=1,  # else WEB_CONCURRENCY, which is meant for the web server, would apply
        proxy_headers=False,  # who may administer is judged by the address that really asks
        timeout_graceful_shutdown=1,
    )
    # What is imported stays for ever. A full collection that looks through all of it holds every
    # stream up for half a second, and one of the rest takes a tenth of that.
    gc.collect()
    gc.freeze()
    _DrainingServer(config, app.state.traffic, settings.drain_seconds).run()


class _DrainingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, traffic: Traffic, seconds: float) -> None:
        super().__init__(config)
        self._traffic = traffic
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hurry: asyncio.Event | None = None
        self._drain_task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._hurry = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                logger.info("listening on %s port %d", *listening.getsockname()[:2])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal arrived. Uvicorn's own way closes the address before the streams have ended."""
        del sig, frame
        if self._loop is None or not self.started:
            self.should_exit = True
        else:
            self._loop.call_soon_threadsafe(self._begin_drain)

    def _begin_drain(self) -> None:
        if self._drain_task is None:
            self._drain_task = asyncio.create_task(self._drain())
        elif self._hurry is not None:
            self._hurry.set()

    async def _drain(self) -> None:
        logger.info("shutting down: requests under way have %g s", self._seconds)
        self._traffic.draining = True
        try:
            if not await self._came_to_rest():
                logger.warning("shutting down: what is still under way is broken off")
                self._traffic.break_off()
                await self._traffic.wait_idle(LAST_WORDS_SECONDS)
        finally:
            self.should_exit = True

    async def _came_to_rest(self) -> bool:
        assert self._hurry is not None  # noqa: S101 - made before signals are listened to
        rest = asyncio.create_task(self._traffic.wait_idle(self._seconds))
        hurry = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({rest, hurry}, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not rest.done():
            rest.cancel()
            return False
        return rest.result()
