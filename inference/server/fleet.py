"""All models of one service: loaded in the background, then served side by side.

It knows model files, and which model may be used when; it knows no HTTP. Its state belongs to the
event loop: whatever takes time is done in threads that change none of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.model_file import ModelFileError, ModelSpec, read_model_file
from inference.server.background import in_background
from inference.server.chat import ChatFormat
from inference.server.checkpoint import (
    CheckpointError,
    check_architecture,
    fingerprint,
    load_tokenizer,
    weight_bytes,
)
from inference.server.device import cache_limit, memory_limit
from inference.server.memory import DeviceMemory, Footprint, gib
from inference.server.restarts import watch_engines
from inference.server.runtime import Runtime, Workshop
from inference.server.served_model import DIED, ModelUnavailableError, ServedModel, reason_of
from inference.server.settings import FleetSettings
from inference.server.telemetry import Telemetry
from inference.server.wake_line import WakeLine
from inference.server.weights import WeightsError, fetch_weights

__all__ = ["Fleet", "FleetError", "ModelUnavailableError", "ServedModel"]

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.02


class FleetError(ValueError):
    """Something that cannot be done to a model; one line that says why."""


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    folder: Path
    weight_bytes: int
    tokenizer: Any
    chat: ChatFormat
    fingerprint: str


class Fleet:
    """The models with `[models.weights]` of a model file, by slug."""

    def __init__(
        self,
        specs: Sequence[ModelSpec],
        settings: FleetSettings,
        telemetry: Telemetry,
        *,
        model_file: Path | None = None,
    ) -> None:
        self.settings = settings
        self.telemetry = telemetry
        self.model_file = model_file
        """Read again when a model is loaded on request."""
        self.models = {
            spec.slug: ServedModel(spec, spec.weights)
            for spec in specs
            if spec.weights is not None and spec.status != "retired"
        }
        limit = memory_limit(settings.device, settings.memory_gib)
        self.memory = DeviceMemory(
            limit=limit, cache_limit=cache_limit(settings.device, settings.kv_gib, limit)
        )
        self._workshop = Workshop(settings, telemetry)
        self._line = WakeLine(self.models, self.memory, self._workshop)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start_loading(self) -> None:
        """Load every model in the background, in order; the states tell how far it is.

        Called on the event loop.
        """
        self._loop = asyncio.get_running_loop()
        self.telemetry.memory_limit.set(self.memory.limit)
        logger.info(
            "%s: %s for weights and caches, of it %s for caches",
            self.settings.device,
            gib(self.memory.limit),
            gib(self.memory.cache_limit),
        )
        self._spawn(self._load_all())
        self._spawn(watch_engines(self.models, self._workshop))

    def stop(self) -> None:
        """End all models; requests under way fail. Blocks: never on the event loop."""
        if self._loop is not None and not self._loop.is_closed():
            for task in list(self._tasks):
                self._loop.call_soon_threadsafe(task.cancel)
        self._workshop.close()
        for entry in self.models.values():
            if entry.runtime is not None:
                entry.runtime.isolated.stop()

    async def wake(self, entry: ServedModel) -> Runtime:
        """What computes the model: at once when it is awake, else as soon as it is.

        Admit to it without awaiting anything between, or it may be asleep again.
        Raises ModelUnavailableError.
        """
        if entry.state == "asleep" or (entry.state == "ready" and entry.yielding):
            if entry.waking is None or entry.waking.done():
                entry.waking = self._spawn(self._line.wake(entry))
            entry.callers += 1
            try:
                # A client that gives up must not take the model from the others who wait.
                await asyncio.shield(entry.waking)
            finally:
                entry.callers -= 1
        if entry.state != "ready" or entry.runtime is None or entry.is_dead:
            raise entry.unavailable(2 if entry.is_dead else 5)
        entry.last_used = time.monotonic()
        return entry.runtime

    async def load(self, slug: str) -> None:
        """Load a model of the model file, which is read again, or wake it; until it can answer.

        Idle models make room for it; beside busy ones it stays asleep, to be woken on demand.
        Raises FleetError when it cannot be loaded, ModelUnavailableError when it cannot be woken.
        """
        spec = await in_background(self._read_spec, slug)
        entry = self.models.get(slug)
        if entry is None or entry.state in ("failed", "unloaded"):
            assert spec.weights is not None  # noqa: S101 - checked by _read_spec
            self.models[slug] = entry = ServedModel(spec, spec.weights)
            # It goes on when whoever asked for it is gone.
            await asyncio.shield(self._spawn(self._load(entry, displace=True)))
        elif entry.state == "unloading":
            raise FleetError(f"{slug} is being unloaded ({entry.reason}): try again")
        elif spec != entry.spec:
            raise FleetError(f"{slug} has changed in {self.model_file}: unload it first")
        elif entry.state == "asleep":
            await self.wake(entry)
        while entry.state in ("waiting", "loading"):  # noqa: ASYNC110 - by whoever asked before
            await asyncio.sleep(_POLL_SECONDS)
        if entry.state == "failed":
            raise FleetError(f"{slug}: {entry.reason}")

    async def sleep(self, slug: str) -> None:
        """Give the room of an idle model to others, until a request wakes it. Raises FleetError."""
        entry = self._known(slug)
        if entry.state == "asleep":
            return
        if not entry.idle:
            under_way = entry.runtime.busy if entry.runtime else 0
            raise FleetError(f"{slug} is {entry.state}, with {under_way} requests under way")
        await asyncio.shield(self._spawn(self._line.sleep(entry)))

    async def unload(self, slug: str, *, force: bool = False) -> None:
        """Begin to take a model off the device: new requests are refused from now on.

        Those under way may finish within `unload_seconds`, or are ended at once with `force`. The
        state is `unloading` until the memory is free. Raises FleetError for an unknown model.
        """
        entry = self._known(slug)
        if entry.state in ("ready", "unloading"):
            first = entry.state != "unloading"
            entry.advance("unloading", "requests under way finish")
            entry.force_unload = entry.force_unload or force
            if first:
                self._spawn(self._unload(entry))
            return
        entry.forget()
        entry.advance("unloaded", "unloaded on request")

    def not_ready(self) -> dict[str, str]:
        """By slug, why a model that should answer cannot; one that is asleep can."""
        return {
            slug: DIED if entry.is_dead else entry.reason
            for slug, entry in self.models.items()
            if entry.is_dead or entry.state in ("waiting", "loading", "failed")
        }

    def dead(self) -> list[str]:
        """Slugs of the models whose batching thread died, until another one runs."""
        return [slug for slug, entry in self.models.items() if entry.is_dead]

    def overview(self) -> list[dict[str, Any]]:
        """One row a model, sizes in bytes."""
        return [self._row(slug, entry) for slug, entry in self.models.items()]

    def memory_overview(self) -> dict[str, int]:
        """What weights and caches may take together and what they take, in bytes."""
        return {
            "limit_bytes": self.memory.limit,
            "used_bytes": self.memory.used,
            "cache_limit_bytes": self.memory.cache_limit,
            "cache_used_bytes": self.memory.cache_used,
        }

    def _known(self, slug: str) -> ServedModel:
        entry = self.models.get(slug)
        if entry is None:
            raise FleetError(f"the model {slug!r} is not served here")
        return entry

    def _row(self, slug: str, entry: ServedModel) -> dict[str, Any]:
        held = self.memory.held.get(slug, Footprint(weights=0, cache=0))
        row: dict[str, Any] = {
            "id": slug,
            "state": entry.state,
            "reason": entry.reason,
            "weights_bytes": held.weights,
            "cache_bytes": held.cache,
            "restarts": entry.restarts,
            "idle_seconds": (
                round(time.monotonic() - entry.last_used, 1) if entry.last_used else None
            ),
        }
        if (runtime := entry.runtime) is not None:
            row |= {
                "running": runtime.engine.running,
                "waiting": runtime.engine.waiting,
                "isolated": runtime.isolated.busy,
                "context_length": runtime.engine.limits.context_length,
                "cache_tokens": runtime.engine.limits.cache_tokens,
                "dtype": str(runtime.model.dtype).removeprefix("torch."),
            }
        return row

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ModelUnavailableError):
            logger.error("a task of the fleet failed", exc_info=error)

    async def _load_all(self) -> None:
        began = time.monotonic()
        entries = list(self.models.values())
        for entry in entries:
            if entry.state == "waiting":
                await self._load(entry, displace=False)
        able = sum(entry.state in ("ready", "asleep") for entry in entries)
        seconds = time.monotonic() - began
        logger.info("%d of %d models can answer after %.0f s", able, len(entries), seconds)

    async def _load(self, entry: ServedModel, *, displace: bool) -> None:
        slug, began = entry.spec.slug, time.monotonic()
        entry.advance("loading", "preparing weights")
        try:
            prepared = await in_background(self._prepare, entry)
        except (WeightsError, CheckpointError) as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - one broken checkpoint must not stop the others
            problem = f"cannot be loaded: {reason_of(error)}"
        else:
            problem = ""
        if entry.state != "loading":  # unloaded meanwhile
            return
        if problem:
            entry.advance("failed", problem)
            return
        entry.folder, entry.weight_bytes = prepared.folder, prepared.weight_bytes
        entry.tokenizer, entry.chat = prepared.tokenizer, prepared.chat
        entry.fingerprint = prepared.fingerprint
        try:
            await self._line.load(entry, displace=displace)
        except ModelUnavailableError:
            return  # its state says why
        entry.created = int(time.time())
        if entry.state == "ready":
            self.telemetry.load_seconds.labels(slug).set(time.monotonic() - began)

    def _prepare(self, entry: ServedModel) -> _Prepared:
        """What can be known of a model before it is on the device. In a thread."""
        settings, spec = self.settings, entry.weights
        folder = fetch_weights(spec, cache=settings.cache, name=entry.spec.slug)
        check_architecture(folder)
        size = weight_bytes(folder, spec, device=settings.device, dtype=settings.dtype)
        tokenizer = load_tokenizer(folder)
        return _Prepared(
            folder=folder,
            weight_bytes=size,
            tokenizer=tokenizer,
            chat=ChatFormat(tokenizer, spec.chat_template),
            fingerprint=fingerprint(folder, spec, device=settings.device, dtype=settings.dtype),
        )

    def _read_spec(self, slug: str) -> ModelSpec:
        """The model's table as the file has it now. Raises FleetError. In a thread."""
        if self.model_file is None:
            raise FleetError("this service has no model file to load from")
        try:
            specs = {spec.slug: spec for spec in read_model_file(self.model_file).models}
        except ModelFileError as error:
            raise FleetError(str(error)) from error
        spec = specs.get(slug)
        if spec is None:
            raise FleetError(f"{self.model_file.name} has no model {slug!r}")
        if spec.weights is None:
            raise FleetError(f"{slug} has no [models.weights] in {self.model_file.name}")
        if spec.status == "retired":
            raise FleetError(f"{slug} is retired in {self.model_file.name}")
        return spec

    async def _unload(self, entry: ServedModel) -> None:
        deadline = time.monotonic() + self.settings.unload_seconds
        while entry.restarting:  # noqa: ASYNC110 - rare, and short
            await asyncio.sleep(_POLL_SECONDS)
        while (runtime := entry.runtime) is not None and not entry.force_unload:
            if not runtime.busy or time.monotonic() > deadline:
                break
            entry.reason = f"{runtime.busy} requests under way finish"
            del runtime
            await asyncio.sleep(_POLL_SECONDS)
        entry.reason = "giving back memory"
        runtime = entry.runtime
        entry.forget()
        if runtime is not None:
            await in_background(runtime.stop)
        del runtime
        await self._line.release(entry)
        entry.advance("unloaded", "unloaded on request")
