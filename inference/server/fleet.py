"""All models of one service: loaded in the background, then served side by side.

It knows model files, checkpoints and engines; it knows no HTTP.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from inference.model_file import ModelSpec, WeightsSpec
from inference.server.chat import ChatFormat
from inference.server.checkpoint import eos_tokens, load_model, load_tokenizer
from inference.server.engine import EngineLimits, ModelEngine, cache_tokens_for
from inference.server.telemetry import Telemetry
from inference.server.weights import WeightsError, fetch_weights

logger = logging.getLogger(__name__)

_CPU_CACHE_GIB = 0.75
_CUDA_CACHE_SHARE = 0.6


@dataclass(frozen=True, kw_only=True)
class FleetSettings:
    """What the operator chose for all models together."""

    cache: Path
    """Folder of downloaded and converted weights."""
    device: torch.device
    dtype: str = "auto"
    """`auto`: what each model's weights say."""
    kv_gib: float | None = None
    """GiB of key-value cache over all models; None: 0.75 on a CPU, 60 % of what is free on CUDA."""
    max_running: int = 16
    max_waiting: int = 64


class ServedModel:
    """One model of the file and how far it has come: `waiting`, `loading`, `ready` or `failed`."""

    def __init__(self, spec: ModelSpec, weights: WeightsSpec) -> None:
        self.spec = spec
        self.weights = weights
        self.state = "waiting"
        self.reason = "waiting to be loaded"
        self.created = int(time.time())
        self.engine: ModelEngine | None = None
        self.chat: ChatFormat | None = None

    def advance(self, state: str, reason: str = "") -> None:
        self.state, self.reason = state, reason
        level = logging.ERROR if state == "failed" else logging.INFO
        logger.log(level, "%s: %s", self.spec.slug, reason or state)


@dataclass
class _Loaded:
    """A model in memory that has no engine yet."""

    entry: ServedModel
    model: Any
    tokenizer: Any
    seconds: float


class Fleet:
    """The models with `[models.weights]` of a model file, by slug."""

    def __init__(
        self, specs: Sequence[ModelSpec], settings: FleetSettings, telemetry: Telemetry
    ) -> None:
        self.settings = settings
        self.telemetry = telemetry
        self.models = {
            spec.slug: ServedModel(spec, spec.weights)
            for spec in specs
            if spec.weights is not None and spec.status != "retired"
        }
        self._stopping = threading.Event()

    def start_loading(self) -> None:
        """Load every model in a thread of its own; the states tell how far it is."""
        # A daemon: a download under way must not keep the process from ending.
        threading.Thread(target=self._load_all, name="model-loader", daemon=True).start()

    def stop(self) -> None:
        """End all engines; requests under way fail."""
        self._stopping.set()
        for entry in self.models.values():
            if entry.engine is not None:
                entry.engine.stop()

    def not_ready(self) -> dict[str, str]:
        """By slug, why a model cannot answer now; empty when all can."""
        reasons = {}
        for slug, entry in self.models.items():
            if entry.state != "ready":
                reasons[slug] = entry.reason
            elif entry.engine is None or not entry.engine.alive:
                reasons[slug] = "its batching thread died"
        return reasons

    def dead(self) -> list[str]:
        """Slugs of the models that were ready and whose batching thread died."""
        engines = ((slug, entry.engine) for slug, entry in self.models.items())
        return [slug for slug, engine in engines if engine is not None and not engine.alive]

    def _load_all(self) -> None:
        started = time.monotonic()
        # All weights first, engines second: loading changes torch's global default dtype, which
        # would reach into the batches of a model that runs already.
        loaded = [model for entry in self.models.values() if (model := self._load(entry))]
        budget = self._cache_bytes() // max(1, len(loaded))
        for item in loaded:
            if not self._stopping.is_set():
                self._start(item, budget)
        ready = sum(entry.state == "ready" for entry in self.models.values())
        seconds = time.monotonic() - started
        logger.info("%d of %d models ready in %.0f s", ready, len(self.models), seconds)

    def _load(self, entry: ServedModel) -> _Loaded | None:
        if self._stopping.is_set():
            return None
        slug, began = entry.spec.slug, time.monotonic()
        entry.advance("loading", "preparing weights")
        try:
            folder = fetch_weights(entry.weights, cache=self.settings.cache, name=slug)
            entry.advance("loading", "loading into memory")
            model = load_model(
                folder, entry.weights, device=self.settings.device, dtype=self.settings.dtype
            )
            tokenizer = load_tokenizer(folder)
        except WeightsError as error:
            entry.advance("failed", str(error))
        except Exception as error:  # noqa: BLE001 - one broken checkpoint must not stop the others
            entry.advance("failed", f"cannot be loaded: {_one_line(error)}")
        else:
            return _Loaded(entry, model, tokenizer, time.monotonic() - began)
        return None

    def _start(self, item: _Loaded, budget: int) -> None:
        entry, model = item.entry, item.model
        began = time.monotonic()
        try:
            chat = ChatFormat(item.tokenizer, entry.weights.chat_template)
            engine = ModelEngine(
                entry.spec.slug,
                model,
                chat.decode,
                eos_token_ids=eos_tokens(model, item.tokenizer),
                limits=self._limits(entry.spec, model, budget),
                telemetry=self.telemetry,
            )
            engine.start()
        except Exception as error:  # noqa: BLE001 - as above
            entry.advance("failed", f"cannot be started: {_one_line(error)}")
            return
        seconds = item.seconds + time.monotonic() - began
        self.telemetry.load_seconds.labels(entry.spec.slug).set(seconds)
        entry.engine, entry.chat = engine, chat
        entry.created = int(time.time())
        layers = model.config.get_text_config().num_hidden_layers
        entry.advance("ready")
        logger.info(
            "%s: %s on %s, %d layers, context %d, cache %d tokens, loaded in %.1f s",
            entry.spec.slug,
            str(model.dtype).removeprefix("torch."),
            model.device,
            layers,
            engine.limits.context_length,
            engine.limits.cache_tokens,
            seconds,
        )

    def _limits(self, spec: ModelSpec, model: Any, budget: int) -> EngineLimits:
        cuda = self.settings.device.type == "cuda"
        # Flash attention's block tables want 256; smaller pages waste less and share more prefixes.
        page_size = 256 if cuda else 64
        own = int(model.config.get_text_config().max_position_embeddings)
        return EngineLimits(
            context_length=min(own, spec.context_length or own),
            cache_tokens=cache_tokens_for(model, budget=budget, page_size=page_size),
            page_size=page_size,
            max_running=self.settings.max_running,
            max_waiting=self.settings.max_waiting,
            batch_tokens=4096 if cuda else 256,
        )

    def _cache_bytes(self) -> int:
        if self.settings.kv_gib is not None:
            return int(self.settings.kv_gib * 2**30)
        if self.settings.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.settings.device)
            return int(free * _CUDA_CACHE_SHARE)
        return int(_CPU_CACHE_GIB * 2**30)


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
