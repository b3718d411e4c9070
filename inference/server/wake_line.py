"""Whose turn it is on the device: models are woken in line, and idle ones make room for them.

It knows how much each model takes; it knows no requests and no model file. All of it runs on the
event loop, but for the work that it gives to threads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from inference.server.background import in_background
from inference.server.checkpoint import CheckpointError, eos_tokens, load_model
from inference.server.generation import EngineError
from inference.server.memory import DeviceMemory, Footprint, gib
from inference.server.runtime import Runtime, Workshop, give_back, start_runtime
from inference.server.served_model import ModelUnavailableError, ServedModel, reason_of
from inference.server.weights import WeightsError

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.02
_PATIENCE = 0.25
"""After this share of its limit, whoever waits for room stops new requests of busy models."""


class WakeLine:
    """First come, first served: one model at a time gets what room it needs, and is loaded."""

    def __init__(
        self, models: Mapping[str, ServedModel], memory: DeviceMemory, workshop: Workshop
    ) -> None:
        self.models = models
        self.memory = memory
        self.workshop = workshop
        self._turn = asyncio.Lock()

    async def wake(self, entry: ServedModel) -> None:
        """Put a sleeping model on the device.

        Raises ModelUnavailableError when there was no room within the limit, or when it failed.
        """
        began, limit = time.monotonic(), self.workshop.settings.wake_seconds
        try:
            async with asyncio.timeout(limit):
                await self._turn.acquire()
        except TimeoutError:
            raise self._no_room(entry, began) from None
        try:
            if entry.state == "asleep":
                await self._make_room(entry, began, limit)
                await self._bring_up(entry)
                seconds = time.monotonic() - began
                self.workshop.telemetry.wake_seconds.labels(entry.spec.slug).observe(seconds)
                logger.info("%s: woken in %.2f s", entry.spec.slug, seconds)
            # Otherwise it never went, or was unloaded meanwhile.
        finally:
            self._turn.release()

    async def load(self, entry: ServedModel, *, displace: bool) -> None:
        """Put a model that has been prepared on the device for the first time, or let it sleep.

        With `displace`, idle models make room for it. Raises ModelUnavailableError when it failed.
        """
        async with self._turn:
            if entry.state != "loading":
                return
            try:
                await self._make_room(entry, time.monotonic(), limit=0, displace=displace)
            except ModelUnavailableError:
                if entry.state == "loading":
                    entry.advance("asleep", "no room beside the others; it wakes on demand")
                return
            entry.advance("loading", "loading into memory")
            await self._bring_up(entry)

    async def sleep(self, entry: ServedModel) -> None:
        """Take an idle model off the device; one that is not idle any more stays."""
        async with self._turn:
            if entry.idle:
                await self._put_to_sleep(entry)

    def wanted(self, entry: ServedModel) -> Footprint:
        """What the model takes on the device: its weights and its part of the caches."""
        others = [
            other.weights.kv_gib
            for other in self.models.values()
            if other.state not in ("failed", "unloading", "unloaded")
        ]
        if entry.weights.kv_gib is not None:
            cache = int(entry.weights.kv_gib * 2**30)
        else:
            taken = sum(int(own * 2**30) for own in others if own is not None)
            left = max(0, self.memory.cache_limit - taken)
            cache = left // max(1, others.count(None))
        return Footprint(weights=entry.weight_bytes, cache=cache)

    async def _make_room(
        self, entry: ServedModel, began: float, limit: float, *, displace: bool = True
    ) -> None:
        """Wait until the model fits, up to `limit` seconds after `began`."""
        if why := self.memory.why_never(self.wanted(entry)):
            entry.advance("failed", why)
            raise entry.unavailable()
        try:
            while not self.memory.fits(wanted := self.wanted(entry)):
                awake = sorted(
                    (other for other in self.models.values() if other.runtime is not None),
                    key=lambda other: other.last_used,
                )
                idle = [other for other in awake if other.idle] if displace else []
                leaving = self._enough(wanted, idle)
                waited = time.monotonic() - began
                if not leaving and waited >= limit * _PATIENCE > 0:
                    # Requests that overlap for ever would else keep this model out for ever.
                    leaving = idle
                    busy = [other for other in awake if not other.idle and other.state == "ready"]
                    for other in self._enough(wanted, idle + busy):
                        other.yielding = True
                for other in leaving:
                    await self._put_to_sleep(other)
                if leaving:
                    continue
                if waited >= limit:
                    raise self._no_room(entry, began)
                # Engines tell nobody when they become idle.
                await asyncio.sleep(_POLL_SECONDS)
                if entry.state not in ("asleep", "loading"):
                    raise entry.unavailable()
        finally:
            for other in self.models.values():
                other.yielding = False

    def _enough(self, wanted: Footprint, leaving: Sequence[ServedModel]) -> list[ServedModel]:
        """As few of `leaving` as make room, rather the first ones; empty when all are too few."""

        def enough(gone: Sequence[ServedModel]) -> bool:
            return self.memory.fits(wanted, without=[other.spec.slug for other in gone])

        if not enough(leaving):
            return []
        gone = list(leaving)
        # The last to be used is the first to stay, and then whatever its going would not help.
        for other in reversed(leaving):
            rest = [one for one in gone if one is not other]
            if enough(rest):
                gone = rest
        return gone

    async def _put_to_sleep(self, entry: ServedModel) -> None:
        if not entry.idle:  # a request came while others were put to sleep
            return
        runtime, entry.runtime = entry.runtime, None
        assert runtime is not None  # noqa: S101 - idle models have one
        entry.advance("asleep", "gave its room to others; it wakes on demand")
        parked = await in_background(_park, runtime)
        if entry.state == "asleep":
            entry.parked = parked
        del runtime, parked
        await self.release(entry)

    async def release(self, entry: ServedModel) -> None:
        """Give back what a model held, when nothing refers to its runtime any more."""
        await in_background(give_back, self.workshop)
        self.memory.release(entry.spec.slug)
        self._show(entry)

    async def _bring_up(self, entry: ServedModel) -> None:
        """Load the model into the room that it has. Raises ModelUnavailableError."""
        slug, before = entry.spec.slug, entry.state
        wanted = self.wanted(entry)
        self.memory.hold(slug, wanted)
        problem, passing = "", False
        try:
            runtime = await in_background(_build, entry, wanted, self.workshop)
        except (WeightsError, CheckpointError, EngineError) as error:
            problem = str(error)
        except (torch.OutOfMemoryError, MemoryError) as error:
            problem = f"the device has too little free memory, lower --memory: {reason_of(error)}"
            passing = before == "asleep"  # it fitted before, and may again
        except Exception as error:  # noqa: BLE001 - one broken checkpoint must not stop the others
            problem = f"cannot be loaded: {reason_of(error)}"
        if problem:
            await self.release(entry)
            if passing:
                logger.error("%s: %s", slug, problem)
                raise ModelUnavailableError(f"{slug}: {problem}", 30)
            if entry.state == before:
                entry.advance("failed", problem)
            raise entry.unavailable()
        if entry.state != before:  # unloaded meanwhile
            await in_background(runtime.stop)
            del runtime
            await self.release(entry)
            raise entry.unavailable()
        self.memory.hold(slug, runtime.footprint)
        entry.runtime, entry.parked = runtime, None
        entry.started = time.monotonic()
        entry.advance("ready")
        self._show(entry)

    def _no_room(self, entry: ServedModel, began: float) -> ModelUnavailableError:
        busy = sorted(
            other.spec.slug
            for other in self.models.values()
            if other.runtime is not None and not other.idle
        )
        waited = time.monotonic() - began
        return ModelUnavailableError(
            f"{entry.spec.slug} is asleep, and {waited:.0f} s were not enough to make room for its "
            f"{gib(self.wanted(entry).total)}: {gib(self.memory.used)} of {gib(self.memory.limit)} "
            f"are taken, busy are: {', '.join(busy) or 'none'}",
            retry_after=5,
        )

    def _show(self, entry: ServedModel) -> None:
        telemetry, slug = self.workshop.telemetry, entry.spec.slug
        runtime = entry.runtime
        telemetry.awake.labels(slug).set(0 if runtime is None else 1)
        tokens = 0 if runtime is None else runtime.engine.limits.cache_tokens
        telemetry.cache_tokens.labels(slug).set(tokens)
        telemetry.memory_used.set(self.memory.used)


def _build(entry: ServedModel, wanted: Footprint, workshop: Workshop) -> Runtime:
    """In a thread, with the model's line held: nobody else changes what is read of `entry`."""
    settings = workshop.settings
    assert entry.folder is not None  # noqa: S101 - it was prepared
    assert entry.chat is not None  # noqa: S101
    if entry.parked is not None:
        model = entry.parked.to(settings.device)
    else:
        model = load_model(
            entry.folder, entry.weights, device=settings.device, dtype=settings.dtype
        )
    return start_runtime(
        entry.spec,
        model,
        entry.chat.decode,
        eos_token_ids=eos_tokens(model, entry.tokenizer),
        room=wanted,
        workshop=workshop,
    )


def _park(runtime: Runtime) -> Any:
    """End what computes the model; beside an accelerator, the model moved to the host's memory."""
    runtime.stop()
    return runtime.model.to("cpu") if _parks(runtime.model.device) else None


def _parks(device: torch.device) -> bool:
    """Whether weights wait in the host's memory. On a CPU they would stay where they are, so there
    they are read again: the file is in the system's cache as long as there is memory for it."""
    return device.type != "cpu"
