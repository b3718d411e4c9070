"""One answer under way: from tokens to deltas of text.

It knows when an answer ends and how its slot is given back; it knows no batch and no HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from inference.server.telemetry import Telemetry
from inference.server.text import Decode, StopFilter, TokenText

_WATCH_SECONDS = 1.0


class EngineError(RuntimeError):
    """What computes the answer cannot go on: its thread died, or it is being shut down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenLogprob:
    """A token of the answer, how likely it was, and which others were."""

    token: int
    logprob: float
    """Natural logarithm, by the model's own distribution: before temperature, top-p and top-k."""
    top: tuple[tuple[int, float], ...]
    """The likeliest tokens with their log-probabilities, best first."""


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """Token ids and how to go on from them. `temperature` 0 is greedy, `top_k` 0 is off."""

    prompt: list[int]
    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    stop: tuple[str, ...] = ()
    logprobs: bool = False
    """Whether deltas carry the log-probabilities of their tokens."""
    seed: int | None = None
    """Of the isolated path; the batch has one generator for all and must not be given one."""
    seconds: float | None = None
    """Limit of time from the arrival on; the answer then ends with the reason "length"."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a source tells of an answer: its tokens so far, and how it ended if it did."""

    tokens: Sequence[int]
    logprobs: Sequence[TokenLogprob] | None = None
    """One for each token, where the request asked for them."""
    done: bool = False
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Delta:
    """New text, the number of tokens so far, and in the last one why the answer ended."""

    text: str
    completion_tokens: int
    finish_reason: str | None = None
    tokens: tuple[TokenLogprob, ...] = ()
    """With log-probabilities: the tokens of this text; neither the end-of-text token nor one that a
    stop string cut away."""


class TokenSource(Protocol):
    """What computes an answer and calls `Generation.receive` on the event loop."""

    @property
    def name(self) -> str:
        """For metrics and errors."""

    @property
    def telemetry(self) -> Telemetry:
        """Where the answer is counted."""

    @property
    def decode(self) -> Decode:
        """Text of tokens, without special ones."""

    @property
    def eos_token_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""

    @property
    def alive(self) -> bool:
        """False once no token will ever come."""

    def cancel(self, generation: Generation) -> None:
        """Compute no further token of it."""

    def release(self, generation: Generation) -> None:
        """Forget it. Called once, whatever the reason of its end."""


@dataclass
class _Reported:
    """Tokens with log-probabilities that wait until their text is sent."""

    waiting: deque[tuple[TokenLogprob, int]] = field(default_factory=deque)
    """With each token, how many characters the answer has after it."""
    decoded: int = 0
    sent: int = 0

    def release(self, text: str) -> tuple[TokenLogprob, ...]:
        """Those whose text has been sent with `text`."""
        self.sent += len(text)
        ready = []
        while self.waiting and self.waiting[0][1] <= self.sent:
            ready.append(self.waiting.popleft()[0])
        return tuple(ready)


class Generation:
    """One answer under way: an asynchronous iterator of deltas, iterated once.

    It ends after a delta with a finish reason, or without one when it was closed. Several tokens
    that come while the reader is busy make one delta.
    """

    def __init__(
        self, source: TokenSource, identity: str, request: GenerationRequest, pages: int = 0
    ) -> None:
        self.id = identity
        self.request = request
        self.pages = pages
        self.arrived = time.monotonic()
        self._source = source
        self._progress: Progress | None = None
        self._changed = asyncio.Event()
        self._ended = False

    def receive(self, progress: Progress) -> None:
        """The source's news, on the event loop."""
        self._progress = progress
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
            self._source.cancel(self)
        self._source.release(self)
        self._source.telemetry.requests.labels(self._source.name, outcome).inc()
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[Delta]:
        name, telemetry = self._source.name, self._source.telemetry
        telemetry.tokens.labels(name, "prompt").inc(len(self.request.prompt))
        text, stops = TokenText(self._source.decode), StopFilter(self.request.stop)
        reported = _Reported()
        seen, last = 0, self.arrived
        try:
            while not self._ended:
                progress = await self._next_progress()
                if progress is None:
                    return
                now = time.monotonic()
                fresh = progress.tokens[seen:]
                if fresh:
                    if seen == 0:
                        telemetry.first_token.labels(name).observe(now - last)
                    else:
                        telemetry.between_tokens.labels(name).observe((now - last) / len(fresh))
                    telemetry.tokens.labels(name, "completion").inc(len(fresh))
                    last = now
                shown = ""
                for place in range(seen, len(progress.tokens)):
                    shown += stops.push(self._decoded(text, progress, place, reported))
                    seen = place + 1
                    if stops.stopped:  # usage is the same however many tokens came at once
                        break
                reason = self._finish_reason(progress, stopped=stops.stopped)
                if reason and not stops.stopped:
                    shown += stops.push(text.finish())
                    reason = "stop" if stops.stopped else reason
                    shown += stops.finish()
                tokens = reported.release(shown)
                if reason:
                    # A stop string or a limit of time ends the answer before the model does.
                    if not progress.done:
                        self._source.cancel(self)
                    self.close(reason)
                if shown or tokens or reason:
                    yield Delta(
                        text=shown, completion_tokens=seen, finish_reason=reason, tokens=tokens
                    )
        finally:
            self.close()

    def _decoded(self, text: TokenText, progress: Progress, place: int, reported: _Reported) -> str:
        """The text of the token at `place`, noting where it ends if asked for."""
        token = progress.tokens[place]
        piece = text.push([token])
        if progress.logprobs is not None:
            reported.decoded += len(piece)
            if token not in self._source.eos_token_ids:
                reported.waiting.append((progress.logprobs[place], reported.decoded))
        return piece

    async def _next_progress(self) -> Progress | None:
        """The next state of the answer; None once closed. Raises EngineError if none will come."""
        while not self._changed.is_set():
            left = self._seconds_left()
            if left <= 0:
                return self._progress or Progress(tokens=())
            try:
                await asyncio.wait_for(self._changed.wait(), min(_WATCH_SECONDS, left))
            except TimeoutError:
                # A thread killed from outside reports nothing, so it is looked after here.
                if not self._source.alive:
                    self.close("failed")
                    raise EngineError(f"{self._source.name} stopped working") from None
        self._changed.clear()
        if self._ended or self._progress is None:
            return None
        if self._progress.error is not None:
            self._source.cancel(self)
            self.close("failed")
            raise EngineError(f"{self._source.name} failed: {self._progress.error}")
        return self._progress

    def _seconds_left(self) -> float:
        if self.request.seconds is None:
            return float("inf")
        return self.arrived + self.request.seconds - time.monotonic()

    def _finish_reason(self, progress: Progress, *, stopped: bool) -> str | None:
        if stopped:
            return "stop"
        if progress.done:
            ended = bool(progress.tokens) and progress.tokens[-1] in self._source.eos_token_ids
            return "stop" if ended else "length"
        return "length" if self._seconds_left() <= 0 else None
