"""What computes a model that is awake: its weights, the batch and the isolated path.

It knows how the room on a device is divided within one model; it knows no other model and no files.
"""

from __future__ import annotations

import gc
import logging
import math
import threading
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import torch

from inference.model_file import ModelSpec
from inference.server import cpu
from inference.server.checkpoint import CheckpointError, held_bytes, leave_files
from inference.server.device_thread import DeviceThread
from inference.server.engine import EngineLimits, ModelEngine, cache_tokens_for
from inference.server.generation import EngineError
from inference.server.isolated import IsolatedPath
from inference.server.memory import Footprint, gib
from inference.server.settings import FleetSettings
from inference.server.telemetry import Telemetry
from inference.server.text import Decode

logger = logging.getLogger(__name__)

_ISOLATED_SHARE = 4
"""One part in so many of a model's cache is for the isolated path."""


class Workshop:
    """What all models of a service are computed with, and the list of what computes."""

    def __init__(self, settings: FleetSettings, telemetry: Telemetry) -> None:
        self.settings = settings
        self.telemetry = telemetry
        self.device_thread = DeviceThread(settings.device)
        self._engines: WeakSet[ModelEngine] = WeakSet()
        self._lock = threading.Lock()
        self.closed = False

    def enter(self, engine: ModelEngine) -> None:
        """Note an engine that is about to start. Raises EngineError after `close`."""
        with self._lock:
            if self.closed:
                raise EngineError("the service is being shut down")
            self._engines.add(engine)

    def close(self) -> None:
        """End every engine there is; requests under way fail. Blocks for a step of each model."""
        with self._lock:
            self.closed = True
            engines = list(self._engines)
        for engine in engines:
            engine.stop()
        self.device_thread.close()


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A model that is awake."""

    engine: ModelEngine
    isolated: IsolatedPath
    model: Any
    footprint: Footprint

    @property
    def idle(self) -> bool:
        """Whether no request runs or waits here."""
        return not (self.engine.running or self.engine.waiting or self.isolated.busy)

    @property
    def busy(self) -> int:
        """Requests that run or wait here."""
        return self.engine.running + self.engine.waiting + self.isolated.busy

    def stop(self) -> None:
        """End both; requests under way fail. Blocks for a step of the model."""
        self.engine.stop()
        self.isolated.stop()


def start_runtime(
    spec: ModelSpec,
    model: Any,
    decode: Decode,
    *,
    eos_token_ids: list[int],
    room: Footprint,
    workshop: Workshop,
) -> Runtime:
    """Wake `model`, which is on the device, with a cache that keeps it within `room`. Blocks.

    Raises CheckpointError when the cache would be too small to be of use, EngineError when the
    first token fails.
    """
    if model.device.type == "cpu":
        cpu.pack_linears(model)
        leave_files(model)
    weights = held_bytes(model)
    budget = min(room.cache, room.total - weights)
    limits, isolated_tokens = _divide(spec, model, budget, workshop.settings)
    share = (limits.cache_tokens + isolated_tokens) / cache_tokens_for(
        model, budget=budget, page_size=1
    )
    footprint = Footprint(weights=weights, cache=min(budget, math.ceil(budget * share)))
    engine = start_engine(spec.slug, model, decode, eos_token_ids, limits, workshop)
    try:
        isolated = IsolatedPath(
            spec.slug,
            model,
            decode,
            eos_token_ids=eos_token_ids,
            limits=limits,
            cache_tokens=isolated_tokens,
            telemetry=workshop.telemetry,
            device_thread=workshop.device_thread,
        )
    except BaseException:
        engine.stop()
        raise
    logger.info(
        "%s: %s on %s, %s of weights, %s of cache (%d tokens for the batch, %d for the isolated "
        "path), context %d",
        spec.slug,
        str(model.dtype).removeprefix("torch."),
        model.device,
        gib(footprint.weights),
        gib(footprint.cache),
        limits.cache_tokens,
        isolated_tokens,
        limits.context_length,
    )
    return Runtime(engine=engine, isolated=isolated, model=model, footprint=footprint)


def give_back(workshop: Workshop) -> None:
    """Return to the system what is no longer used. Blocks."""
    # The device's thread remembers its last piece of work, and with it a model, until the next.
    workshop.device_thread.run(gc.collect)
    if workshop.settings.device.type == "cuda":
        torch.cuda.empty_cache()
    elif workshop.settings.device.type == "mps":
        torch.mps.empty_cache()


def start_engine(
    slug: str,
    model: Any,
    decode: Decode,
    eos_token_ids: list[int],
    limits: EngineLimits,
    workshop: Workshop,
) -> ModelEngine:
    """A batch for a model that is on the device. Blocks. Raises EngineError."""
    engine = ModelEngine(
        slug,
        model,
        decode,
        eos_token_ids=eos_token_ids,
        limits=limits,
        telemetry=workshop.telemetry,
        device_thread=workshop.device_thread,
    )
    workshop.enter(engine)
    try:
        engine.start()
        if workshop.closed:
            raise EngineError("the service is being shut down")
    except BaseException:
        engine.stop()
        raise
    return engine


def _divide(
    spec: ModelSpec, model: Any, budget: int, settings: FleetSettings
) -> tuple[EngineLimits, int]:
    """The limits of the batch, and the tokens of cache of the isolated path."""
    cuda = settings.device.type == "cuda"
    # Flash attention's block tables want 256; smaller pages waste less and share more prefixes.
    page_size = 256 if cuda else 64
    own = int(model.config.get_text_config().max_position_embeddings)
    context = min(own, spec.context_length or own)
    tokens = cache_tokens_for(model, budget=budget, page_size=1) if budget > 0 else 0
    isolated = min(context, tokens // _ISOLATED_SHARE)
    # More than every place of the batch can use would only be taken from other models.
    most = math.ceil(context / page_size) * settings.max_running
    batch = min((tokens - isolated) // page_size, most) * page_size
    if batch < page_size:
        raise CheckpointError(
            f"{gib(max(0, budget))} are left for its key-value cache, which is room for {tokens} "
            f"tokens, and {2 * page_size} are needed: raise --kv-memory or --memory, or kv_gib of "
            "this model"
        )
    return EngineLimits(
        context_length=context,
        cache_tokens=batch,
        page_size=page_size,
        max_running=settings.max_running,
        max_waiting=settings.max_waiting,
        batch_tokens=4096 if cuda else 128,
    ), isolated
