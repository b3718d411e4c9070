"""A second way to compute with a model's weights: one request at a time, apart from the batch.

It gives log-likelihoods of given texts, and answers that their seed decides. It knows no HTTP and
no chat format; what is computed stands in `scoring` and `seeded`.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from inference.server.device_thread import DeviceThread
from inference.server.engine import ContextOverflowError, EngineFullError, EngineLimits
from inference.server.generation import (
    EngineError,
    Generation,
    GenerationRequest,
    Progress,
    TokenLogprob,
)
from inference.server.scoring import TextGroup, grouped
from inference.server.seeded import SeededAnswer
from inference.server.telemetry import Telemetry
from inference.server.text import Decode
from inference.server.weight_sharing import share_weights

logger = logging.getLogger(__name__)

R = TypeVar("R")

_STEP_TOKENS = 512
"""Most tokens read at once: each has a row of scores as wide as the vocabulary."""
_CPU_STEP_TOKENS = 64
"""There larger steps cost as much per token, and the streams beside them would wait longer."""
_MOST_SCORED = 2**17
"""Tokens of all prompts of one request: 64 prompts of 2,048. With its 20 likeliest others, each
takes 2.5 KB until it is sent."""


class IsolatedPath:
    """First come, first served; a running batch gets its turn after every step of this path.

    Made in any thread; `score`, `admit` and what they return are used on one event loop.
    """

    def __init__(
        self,
        name: str,
        model: Any,
        decode: Decode,
        *,
        eos_token_ids: list[int],
        limits: EngineLimits,
        cache_tokens: int,
        telemetry: Telemetry,
        device_thread: DeviceThread,
    ) -> None:
        self.name = name
        self.limits = limits
        self.telemetry = telemetry
        self.decode = decode
        self.eos_token_ids = frozenset(eos_token_ids)
        self._longest = min(limits.context_length, cache_tokens)
        step = _CPU_STEP_TOKENS if model.device.type == "cpu" else _STEP_TOKENS
        self._most_tokens = min(limits.batch_tokens, step)
        self._model = share_weights(model)
        self._device = device_thread
        # Waits for the device in the place of the event loop.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-isolated")
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._busy = 0
        self._numbers = itertools.count()
        self._seconds_per_request = 5.0
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether it can compute."""
        return not self._closed

    @property
    def busy(self) -> int:
        """Requests under way or waiting."""
        return self._busy

    def stop(self) -> None:
        """End the thread; requests under way fail. Blocks for a step of the model."""
        self._closed = True
        self._thread.shutdown(wait=True)

    async def score(
        self, prompts: Sequence[Sequence[int]], *, top: int, next_token: bool = False
    ) -> list[list[TokenLogprob | None]]:
        """How likely each token of each prompt is after those before it: natural logarithms.

        The first element of each is None. `top` likeliest tokens come with every position. With
        `next_token` one more element follows: the likeliest token after the prompt.

        All prompts are one request. Raises ValueError for an empty prompt, ContextOverflowError,
        EngineFullError or EngineError.
        """
        if not all(prompts):
            raise ValueError("an empty prompt has no likelihood")
        for prompt in prompts:
            self._check_fits(len(prompt), 0)
        if (tokens := sum(map(len, prompts))) > _MOST_SCORED:
            raise ContextOverflowError(
                f"{tokens} tokens in {len(prompts)} prompts; one request may have log-likelihoods "
                f"of {_MOST_SCORED}: send fewer prompts at once"
            )
        self._enter()
        outcome = "failed"
        try:
            async with self._own_turn():
                scores = await self._scores(prompts, top=top, next_token=next_token)
            outcome = "scored"
        except EngineError as error:
            raise EngineError(f"{self.name} failed: {error}") from error
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self._leave()
            self.telemetry.requests.labels(self.name, outcome).inc()
        self.telemetry.tokens.labels(self.name, "scored").inc(tokens)
        return scores

    def admit(self, request: GenerationRequest) -> Generation:
        """Take a request whose seed decides its answer. The caller iterates over the result, or
        closes it.

        Raises EngineFullError, EngineError or ContextOverflowError at once.
        """
        self._check_fits(len(request.prompt), request.max_tokens)
        self._enter()
        generation = Generation(self, f"{self.name}-isolated-{next(self._numbers)}", request)
        task = asyncio.create_task(self._generate(generation))
        self._tasks[generation.id] = task
        # A task that is cancelled before its first step runs no line of its own.
        task.add_done_callback(lambda _: self._leave())
        return generation

    def cancel(self, generation: Generation) -> None:
        """Compute no further token of it."""
        if task := self._tasks.get(generation.id):
            task.cancel()

    def release(self, generation: Generation) -> None:
        """Forget a generation that ended, whatever the reason. Called by it, once."""
        if task := self._tasks.pop(generation.id, None):
            task.cancel()

    def _check_fits(self, prompt_tokens: int, max_tokens: int) -> None:
        if prompt_tokens + max_tokens > self._longest:
            raise ContextOverflowError(
                f"this model has room for {self._longest} tokens in a request with a seed or for "
                f"log-likelihoods (its context is {self.limits.context_length}), but "
                f"{prompt_tokens + max_tokens} were requested: {prompt_tokens} in the prompt and "
                f"{max_tokens} for the answer"
            )

    def _enter(self) -> None:
        """Take a place in the queue."""
        if self._closed:
            raise EngineError(f"{self.name} is not running")
        if self._busy > self.limits.max_waiting:
            self.telemetry.requests.labels(self.name, "refused").inc()
            raise EngineFullError(max(1, math.ceil(self._busy * self._seconds_per_request)))
        self._count(+1)

    def _leave(self) -> None:
        self._count(-1)

    def _count(self, change: int) -> None:
        self._busy += change
        self.telemetry.isolated_running.labels(self.name).set(self._busy)

    @asynccontextmanager
    async def _own_turn(self) -> AsyncIterator[None]:
        async with self._turn:
            began = time.monotonic()
            try:
                yield
            finally:
                took = time.monotonic() - began
                self._seconds_per_request += 0.2 * (took - self._seconds_per_request)

    async def _compute(self, step: Callable[[], R]) -> R:
        """The result of `step`, which goes to the device from a thread of this path.

        Whatever goes wrong in it is an EngineError, and ends this request and no other.
        """
        stopping = "the model is being stopped"
        if self._closed:
            raise EngineError(stopping)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, step)
        except Exception as error:
            if self._closed:
                raise EngineError(stopping) from error
            logger.exception("%s: a request apart from the batch failed", self.name)
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise EngineError(reason) from error

    async def _scores(
        self, prompts: Sequence[Sequence[int]], *, top: int, next_token: bool
    ) -> list[list[TokenLogprob | None]]:
        scores: list[list[TokenLogprob | None]] = [[None] for _ in prompts]
        for places in grouped([len(prompt) for prompt in prompts], most_tokens=self._most_tokens):
            group = TextGroup(
                self._model,
                [prompts[place] for place in places],
                top=top,
                most_tokens=self._most_tokens,
            )
            for piece in group.pieces():
                found = await self._compute(partial(self._read, group, piece))
                for place, entries in zip(places, found, strict=True):
                    scores[place].extend(entries)
        if not next_token:
            for text in scores:
                text.pop()
        return scores

    def _read(self, group: TextGroup, piece: slice) -> list[list[TokenLogprob]]:
        # Only the tensors are the device's work; the lists would keep a batch waiting.
        return [found.listed() for found in self._device.run(group.read, piece)]

    async def _generate(self, generation: Generation) -> None:
        request = generation.request
        tokens: list[int] = []
        logprobs: list[TokenLogprob] | None = [] if request.logprobs else None
        try:
            async with self._own_turn():
                answer = await self._compute(
                    partial(SeededAnswer, self._model, request, most_tokens=self._most_tokens)
                )
                done = False
                while not done:
                    step = await self._compute(partial(self._device.run, answer.advance))
                    if step is None:
                        continue
                    token, logprob = step
                    tokens.append(token)
                    if logprobs is not None and logprob is not None:
                        logprobs.append(logprob)
                    done = token in self.eos_token_ids or len(tokens) >= request.max_tokens
                    generation.receive(Progress(tokens=tokens, logprobs=logprobs, done=done))
        except EngineError as error:
            generation.receive(Progress(tokens=tokens, logprobs=logprobs, error=str(error)))
