"""One answer under way: from the manager's outputs to deltas of text.

It knows when an answer ends and how its slot is given back; it knows no batch and no HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.generation.continuous_batching.requests import GenerationOutput, RequestStatus

from inference.server.text import StopFilter, TokenText

if TYPE_CHECKING:
    from inference.server.engine import ModelEngine

_WATCH_SECONDS = 1.0


class EngineError(RuntimeError):
    """The engine cannot serve: its batching thread died, or it is being shut down."""


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """Token ids and how to go on from them. `temperature` 0 is greedy, `top_k` 0 is off."""

    prompt: list[int]
    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Delta:
    """New text, the number of tokens so far, and in the last one why the answer ended."""

    text: str
    completion_tokens: int
    finish_reason: str | None = None


class Generation:
    """One answer under way: an asynchronous iterator of deltas, iterated once.

    It ends after a delta with a finish reason, or without one when it was closed. Several tokens
    that come while the reader is busy make one delta.
    """

    def __init__(
        self, engine: ModelEngine, identity: str, request: GenerationRequest, pages: int
    ) -> None:
        self.id = identity
        self.request = request
        self.pages = pages
        self.arrived = time.monotonic()
        self._engine = engine
        self._output: GenerationOutput | None = None
        self._changed = asyncio.Event()
        self._ended = False

    def receive(self, output: GenerationOutput) -> None:
        """The manager's callback, on the event loop: the tokens so far."""
        self._output = output
        self._changed.set()

    @property
    def ended(self) -> bool:
        """Whether the slot was given back."""
        return self._ended

    def close(self, outcome: str = "cancelled") -> None:
        """Give the slot back. Safe to call at any time, and twice; a reader that waits is woken."""
        if self._ended:
            return
        self._ended = True
        if outcome == "cancelled":
            self._engine.cancel(self)
        self._engine.release(self)
        self._engine.telemetry.requests.labels(self._engine.name, outcome).inc()
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[Delta]:
        name, telemetry = self._engine.name, self._engine.telemetry
        telemetry.tokens.labels(name, "prompt").inc(len(self.request.prompt))
        text, stops = TokenText(self._engine.decode), StopFilter(self.request.stop)
        seen, last = 0, self.arrived
        try:
            while not self._ended:
                output = await self._next_output()
                if output is None:
                    return
                now = time.monotonic()
                fresh = output.generated_tokens[seen:]
                if fresh:
                    if seen == 0:
                        telemetry.first_token.labels(name).observe(now - last)
                    else:
                        telemetry.between_tokens.labels(name).observe((now - last) / len(fresh))
                    telemetry.tokens.labels(name, "completion").inc(len(fresh))
                seen, last = seen + len(fresh), now
                shown = stops.push(text.push(fresh))
                reason = self._finish_reason(output, stopped=stops.stopped)
                if reason and not stops.stopped:
                    shown += stops.push(text.finish())
                    reason = "stop" if stops.stopped else reason
                    shown += stops.finish()
                if reason:
                    # A stop string ends the answer before the model does.
                    if not output.is_finished():
                        self._engine.cancel(self)
                    self.close(reason)
                if shown or reason:
                    yield Delta(text=shown, completion_tokens=seen, finish_reason=reason)
        finally:
            self.close()

    async def _next_output(self) -> GenerationOutput | None:
        """The next state of the answer; None once closed. Raises EngineError if none will come."""
        while not self._changed.is_set():
            try:
                await asyncio.wait_for(self._changed.wait(), _WATCH_SECONDS)
            except TimeoutError:
                # A thread killed from outside reports nothing, so it is looked after here.
                if not self._engine.alive:
                    self.close("failed")
                    raise EngineError(f"{self._engine.name} stopped working") from None
        self._changed.clear()
        if self._ended or self._output is None:
            return None
        if self._output.status == RequestStatus.FAILED:
            self.close("failed")
            raise EngineError(f"{self._engine.name} failed: {self._output.error}")
        return self._output

    def _finish_reason(self, output: GenerationOutput, *, stopped: bool) -> str | None:
        if stopped:
            return "stop"
        if not output.is_finished():
            return None
        ended = bool(output.generated_tokens) and (
            output.generated_tokens[-1] in self._engine.eos_token_ids
        )
        return "stop" if ended else "length"
