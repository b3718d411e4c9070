"""Answers from any server of a known dialect, as a stream of typed deltas.

Chooses among a model's endpoints and tries again before the first token; after it a retry would
say things twice. Knows nothing of battles, of the database, or of who asks.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from inference.dialects import DIALECTS, ChatMessage, Chunk
from inference.endpoint_pool import EndpointAddress, EndpointPool, Place
from inference.errors import (
    ConnectTimeoutError,
    EndlessAnswerError,
    EndpointBusyError,
    EndpointRestingError,
    EndpointTimeoutError,
    EndpointUnavailableError,
    GenerationError,
    RequestRefusedError,
)
from inference.exchange import exchange
from inference.network_guard import NetworkGuard, http_client
from inference.reasoning import Parts, ReasoningSplitter, SurrogateJoiner

# A model that writes this much, reasoning included, does not end.
MAX_ANSWER_CHARACTERS = 200_000
# Tries at endpoints that have been tried before; each endpoint has one besides.
RETRIES = 2
FIRST_BACKOFF_SECONDS = 0.25


@dataclass(frozen=True)
class TextDelta:
    """A piece of the answer; `at` is in seconds since it was asked for."""

    text: str
    at: float


@dataclass(frozen=True)
class ReasoningDelta:
    """A piece of what the model says to itself before it answers; no part of the answer."""

    text: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Finish:
    """How an answer ended: `reason` as the server gave it, and its token counts if it did.

    Seconds count from when the answer was asked for, waiting and earlier tries included; the first
    token may be reasoning. `setbacks` are the failures of earlier tries, each with its `endpoint`.
    """

    reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    first_token_seconds: float | None = None
    seconds: float = 0.0
    endpoint: EndpointAddress | None = None
    setbacks: tuple[GenerationError, ...] = ()


Delta = TextDelta | ReasoningDelta | Finish


class ModelClient:
    """Asks models; owns the connections, and what is known of every endpoint. One per event loop.

    Used with `async with`, or ended with `aclose`.
    """

    def __init__(self, *, guard: NetworkGuard) -> None:
        self.pool = EndpointPool()
        self._http = http_client(guard)

    async def __aenter__(self) -> ModelClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def stream(
        self,
        *,
        endpoints: Sequence[EndpointAddress],
        messages: Sequence[ChatMessage],
        sampling: Mapping[str, Any],
    ) -> AsyncGenerator[Delta]:
        """Yield the answer's deltas as they come, then one `Finish`. Raises GenerationError.

        `endpoints` are those of one model, `sampling` is sent as it is (temperature, top_p,
        max_tokens …). Close the generator when you leave it early: that ends the request.
        """
        if not endpoints:
            raise EndpointUnavailableError("the model has no endpoint")
        asked_at = asyncio.get_running_loop().time()
        setbacks: list[GenerationError] = []
        while True:
            reading = _Reading(asked_at)
            place = await self._place(endpoints, setbacks, asked_at)
            try:
                deltas = self._answer(place, reading, messages, sampling)
                async with aclosing(deltas):
                    async for delta in deltas:
                        yield delta
                place.release(works=True)
                yield reading.finish(place.address, tuple(setbacks))
                return
            except GenerationError as error:
                error.endpoint, error.setbacks = place.address, tuple(setbacks)
                place.release(
                    error=_blamed(error, reading), works=isinstance(error, RequestRefusedError)
                )
                if reading.first_token_at is not None or not _helps(error):
                    raise
                setbacks.append(error)
            finally:
                place.release()  # a caller that left says nothing of the endpoint

    async def _place(
        self,
        endpoints: Sequence[EndpointAddress],
        setbacks: Sequence[GenerationError],
        asked_at: float,
    ) -> Place:
        """The place of the next try. Raises the last setback where no other try can help."""
        now = asyncio.get_running_loop().time()
        hopeless = [error.endpoint for error in setbacks if not error.retryable]
        left = [
            endpoint
            for endpoint in endpoints
            if endpoint not in hopeless and asked_at + endpoint.first_token_timeout > now
        ]
        tried = [error.endpoint for error in setbacks if error.endpoint in left]
        until = asked_at + max((each.first_token_timeout for each in left), default=0.0)
        pause = 0.0
        if tried and set(self.pool.awake(left)) <= set(tried):
            again = len(tried) - len(set(tried))
            # Jitter, so that those who failed together do not come back together.
            pause = FIRST_BACKOFF_SECONDS * 2**again * random.uniform(0.5, 1.5)  # noqa: S311
            if again >= RETRIES:
                raise setbacks[-1]
        if setbacks and now + pause >= until:
            raise setbacks[-1]
        await asyncio.sleep(pause)
        try:
            return await self.pool.place(left, tried=tried, until=until)
        except GenerationError as error:
            if setbacks and isinstance(error, EndpointRestingError):
                raise setbacks[-1] from None  # it says more: what went wrong with this very request
            error.setbacks = tuple(setbacks)
            raise

    async def _answer(
        self,
        place: Place,
        reading: _Reading,
        messages: Sequence[ChatMessage],
        sampling: Mapping[str, Any],
    ) -> AsyncGenerator[TextDelta | ReasoningDelta]:
        endpoint = place.address
        chunks = exchange(
            self._http,
            endpoint,
            DIALECTS[endpoint.dialect].body(endpoint.base_url, endpoint.name, messages, sampling),
            first_token_by=reading.asked_at + endpoint.first_token_timeout,
            ends_by=reading.asked_at + endpoint.total_timeout,
        )
        async with aclosing(chunks):
            async for chunk in chunks:
                deltas = reading.receive(chunk)
                if reading.first_token_at is not None:
                    place.answered()
                for delta in deltas:
                    yield delta
        for delta in reading.end():
            yield delta


class _Reading:
    """What has been read in one try: the parts of the answer, its times and its counts."""

    def __init__(self, asked_at: float) -> None:
        self.asked_at = asked_at
        self.began_at = self._now()
        self.first_token_at: float | None = None
        self._splitter = ReasoningSplitter()
        self._text = SurrogateJoiner()
        self._reasoning = SurrogateJoiner()
        self._characters = 0
        self._reason = ""
        self._counts: dict[str, int] = {}

    def receive(self, chunk: Chunk) -> list[TextDelta | ReasoningDelta]:
        self._reason = chunk.finish or self._reason
        for name in ("prompt_tokens", "completion_tokens", "reasoning_tokens"):
            if (count := getattr(chunk, name)) is not None:
                self._counts[name] = count
        if not (chunk.text or chunk.reasoning):
            return []
        if self.first_token_at is None:
            self.first_token_at = self._now()
        self._characters += len(chunk.text) + len(chunk.reasoning)
        if self._characters > MAX_ANSWER_CHARACTERS:
            raise EndlessAnswerError(f"over {MAX_ANSWER_CHARACTERS} characters")
        parts = self._splitter.feed(self._text.feed(chunk.text))
        return self._deltas(self._reasoning.feed(chunk.reasoning), parts)

    def end(self) -> list[TextDelta | ReasoningDelta]:
        """What was held back for a tag or the half of a character that never came."""
        first = self._splitter.feed(self._text.end())
        last = self._splitter.end()
        parts = Parts(reasoning=first.reasoning + last.reasoning, text=first.text + last.text)
        return self._deltas(self._reasoning.end(), parts)

    def finish(self, endpoint: EndpointAddress, setbacks: tuple[GenerationError, ...]) -> Finish:
        first = self.first_token_at
        return Finish(
            reason=self._reason,
            prompt_tokens=self._counts.get("prompt_tokens"),
            completion_tokens=self._counts.get("completion_tokens"),
            reasoning_tokens=self._counts.get("reasoning_tokens"),
            first_token_seconds=None if first is None else first - self.asked_at,
            seconds=self._now() - self.asked_at,
            endpoint=endpoint,
            setbacks=setbacks,
        )

    def _deltas(self, reasoning: str, parts: Parts) -> list[TextDelta | ReasoningDelta]:
        at = self._now() - self.asked_at
        deltas: list[TextDelta | ReasoningDelta] = []
        if reasoning or parts.reasoning:
            deltas.append(ReasoningDelta(reasoning + parts.reasoning, at))
        if parts.text:
            deltas.append(TextDelta(parts.text, at))
        return deltas

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _helps(error: GenerationError) -> bool:
    """Whether another try, there or elsewhere, can end otherwise."""
    return isinstance(error, EndpointUnavailableError | EndpointBusyError | EndpointTimeoutError)


def _blamed(error: GenerationError, reading: _Reading) -> GenerationError | None:
    """The error if it speaks against the endpoint.

    An answer that is only long does not, nor does a first token that had little time left after
    others' tries and waiting in line.
    """
    if not isinstance(error, EndpointTimeoutError) or isinstance(error, ConnectTimeoutError):
        return error
    now = asyncio.get_running_loop().time()
    if reading.first_token_at is None:
        return error if now - reading.began_at >= reading.began_at - reading.asked_at else None
    assert error.endpoint is not None  # noqa: S101
    return error if now - reading.asked_at < error.endpoint.total_timeout else None
