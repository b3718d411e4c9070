"""One model of the file and how far it has come.

It holds what is known of the model; what is done with it stands in `fleet` and `wake_line`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

from inference.model_file import ModelSpec
from inference.server.chat import ChatFormat
from inference.server.runtime import Runtime
from inference.weights_spec import WeightsSpec

logger = logging.getLogger(__name__)

DIED = "its batching thread died and is being restarted"
_GIVEN_SECONDS = 0.05
"""Within so long, whoever was given a runtime has admitted a request to it."""


def reason_of(error: BaseException) -> str:
    """An error that nobody foresaw, as the one line of a model's `reason`."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


class ModelUnavailableError(RuntimeError):
    """The model cannot answer now; `retry_after` is in whole seconds."""

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class ServedModel:
    """A model with `[models.weights]`.

    Its `state` is `waiting` or `loading` on the way to its first answer, then `ready`, or `asleep`
    without a place on the device; `failed` with the reason; `unloading` and `unloaded` on request.
    """

    def __init__(self, spec: ModelSpec, weights: WeightsSpec) -> None:
        self.spec = spec
        self.weights = weights
        self.state = "waiting"
        self.reason = "waiting to be loaded"
        self.created = int(time.time())
        self.chat: ChatFormat | None = None
        """Kept while asleep."""
        self.runtime: Runtime | None = None
        """While it is on the device, and no batching thread is being restarted."""
        self.fingerprint = ""
        """Of weights, number format and libraries; empty until they are known."""
        self.restarts = 0
        self.last_used = 0.0
        """When a request was last given its runtime, by `time.monotonic`; 0: never."""
        # What follows belongs to the fleet.
        self.folder: Path | None = None
        self.tokenizer: Any = None
        self.weight_bytes = 0
        self.parked: Any = None
        """The model in the host's memory, while it is asleep beside an accelerator."""
        self.waking: asyncio.Task[None] | None = None
        self.callers = 0
        """Requests that wait for `waking`."""
        self.yielding = False
        """Whether new requests stand in line, since another model has waited long for room."""
        self.restarting = False
        self.started = time.monotonic()
        """When the batching thread was started."""
        self.pause = 0.0
        """Seconds before it was started the last time."""
        self.force_unload = False

    def advance(self, state: str, reason: str = "") -> None:
        """Go to `state`, with a line in the log."""
        self.state, self.reason = state, reason
        level = logging.ERROR if state == "failed" else logging.INFO
        logger.log(level, "%s: %s%s", self.spec.slug, state, f": {reason}" if reason else "")

    def forget(self) -> None:
        """Let go of everything that takes memory."""
        self.runtime = self.parked = self.chat = self.tokenizer = None

    @property
    def idle(self) -> bool:
        """Whether it can be put to sleep: it is on the device, and nobody is about to use it."""
        if self.state != "ready" or self.runtime is None or self.restarting:
            return False
        awaited = self.callers > 0 and (self.waking is None or self.waking.done())
        just_given = time.monotonic() - self.last_used < _GIVEN_SECONDS
        return self.runtime.idle and not awaited and not just_given

    @property
    def is_dead(self) -> bool:
        """Whether its batching thread died and no other one runs yet."""
        return self.state == "ready" and (self.runtime is None or not self.runtime.engine.alive)

    def unavailable(self, retry_after: int = 5) -> ModelUnavailableError:
        """The error of a request that comes in this state."""
        slug = self.spec.slug
        if self.is_dead:
            return ModelUnavailableError(f"{slug}: {DIED}", retry_after)
        return ModelUnavailableError(
            f"{slug} is not ready: {self.reason or self.state}", retry_after
        )
