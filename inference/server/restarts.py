"""Batching threads that died are started anew, with growing pauses when they die again at once.

It knows when a thread is dead; it does not know why, and it loads no weights.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

from inference.server.background import in_background
from inference.server.engine import ModelEngine
from inference.server.runtime import Runtime, Workshop, give_back, start_engine
from inference.server.served_model import DIED, ServedModel, reason_of

logger = logging.getLogger(__name__)

_WATCH_SECONDS = 0.5
_POLL_SECONDS = 0.02
_LASTING_SECONDS = 30.0
"""A batching thread that lived so long did not die at once."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_FAILING_SECONDS = 3.0
"""Within so long the requests of a dead engine have noticed."""


async def watch_engines(models: Mapping[str, ServedModel], workshop: Workshop) -> None:
    """See to the models whose batching thread died, for ever."""
    tasks: set[asyncio.Task[None]] = set()
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        for entry in models.values():
            if entry.is_dead and not entry.restarting:
                entry.restarting = True
                task = asyncio.create_task(_restart(entry, workshop))
                tasks.add(task)
                task.add_done_callback(tasks.discard)


async def _restart(entry: ServedModel, workshop: Workshop) -> None:
    slug = entry.spec.slug
    try:
        while (dead := entry.runtime) is not None and entry.is_dead:
            await _pause(entry)
            if entry.runtime is not dead or entry.state != "ready":
                return
            # Let go of before its successor comes, or there would be two caches on the device.
            entry.runtime = None
            rest = _Rest(dead)
            await in_background(dead.engine.stop)
            del dead
            await in_background(give_back, workshop)
            engine = await _started(entry, rest, workshop)
            if engine is None:
                await in_background(rest.isolated.stop)
                return
            entry.runtime = rest.with_engine(engine)
            logger.info("%s: its batching thread runs again", slug)
    finally:
        entry.restarting = False


async def _started(entry: ServedModel, rest: _Rest, workshop: Workshop) -> ModelEngine | None:
    """A new engine, however often it takes; None if the model was unloaded meanwhile."""
    slug = entry.spec.slug
    while entry.state == "ready":
        entry.restarts += 1
        workshop.telemetry.restarts.labels(slug).inc()
        entry.started = time.monotonic()
        try:
            engine = await in_background(rest.start, slug, workshop)
        except Exception as error:  # noqa: BLE001 - tried again after a longer pause
            logger.error("%s: its batching thread does not start: %s", slug, reason_of(error))
            await _pause(entry)
            continue
        if entry.state == "ready":
            return engine
        await in_background(engine.stop)
    return None


class _Rest:
    """What is kept of a runtime whose batch died."""

    def __init__(self, dead: Runtime) -> None:
        self.model, self.isolated, self.footprint = dead.model, dead.isolated, dead.footprint
        self.limits, self.decode = dead.engine.limits, dead.engine.decode
        self.eos_token_ids = sorted(dead.engine.eos_token_ids)

    def start(self, slug: str, workshop: Workshop) -> ModelEngine:
        return start_engine(
            slug, self.model, self.decode, self.eos_token_ids, self.limits, workshop
        )

    def with_engine(self, engine: ModelEngine) -> Runtime:
        return Runtime(
            engine=engine, isolated=self.isolated, model=self.model, footprint=self.footprint
        )


async def _pause(entry: ServedModel) -> None:
    """Until it is time, and until the requests of the dead engine have ended and let go of it."""
    began = time.monotonic()
    lasted = began - entry.started > _LASTING_SECONDS
    entry.pause = 0.0 if lasted else min(max(2 * entry.pause, _SHORTEST_PAUSE), _LONGEST_PAUSE)
    logger.error("%s: %s in %.1f s", entry.spec.slug, DIED, entry.pause)
    while entry.state == "ready":
        waited = time.monotonic() - began
        engine = entry.runtime.engine if entry.runtime else None
        left = engine is not None and (engine.running or engine.waiting)
        if waited >= entry.pause and (not left or waited > _FAILING_SECONDS):
            return
        del engine
        await asyncio.sleep(_POLL_SECONDS)
