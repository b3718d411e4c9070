"""One model behind one continuous-batching manager: admission, batching, cancellation.

It knows no HTTP and no chat format, and it does not load weights. Everything here runs on the event
loop, but for `start` and `stop`; the manager's own thread runs the model.
"""

from __future__ import annotations

import itertools
import math
import queue
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from transformers.generation.configuration_utils import ContinuousBatchingConfig
from transformers.generation.continuous_batching.requests import GenerationOutput

from inference.server import cpu
from inference.server.device_thread import DeviceThread
from inference.server.generation import EngineError, Generation, GenerationRequest, Progress
from inference.server.sampling import Sampler, greedy_config, install_sampler
from inference.server.telemetry import Telemetry
from inference.server.text import Decode

_PROBE_SECONDS = 120.0
NOT_A_NUMBER = "the model's output is not a number: are its weights damaged?"


class EngineFullError(RuntimeError):
    """Too many requests; `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many requests; try again in {retry_after} s")
        self.retry_after = retry_after


class ContextOverflowError(ValueError):
    """Prompt and answer do not fit into the context together."""


@dataclass(frozen=True, kw_only=True)
class EngineLimits:
    """How much of a device one model may use."""

    context_length: int
    """Tokens of prompt and answer together."""
    cache_tokens: int
    """Room of the key-value cache in tokens, over all running requests."""
    page_size: int
    """Tokens per cache page."""
    max_running: int
    max_waiting: int
    batch_tokens: int
    """Most tokens in one forward pass: the piece in which long prompts are read."""


class ModelEngine:
    """Serves one loaded model to many requests at once."""

    def __init__(
        self,
        name: str,
        model: Any,
        decode: Decode,
        *,
        eos_token_ids: list[int],
        limits: EngineLimits,
        telemetry: Telemetry,
        device_thread: DeviceThread,
    ) -> None:
        self.name = name
        self.limits = limits
        self.telemetry = telemetry
        self.decode = decode
        self.eos_token_ids = frozenset(eos_token_ids)
        self._pages = limits.cache_tokens // limits.page_size
        self._pages_used = 0
        self._running: dict[str, Generation] = {}
        self._waiting: deque[Generation] = deque()
        self._numbers = itertools.count()
        self._seconds_per_request = 5.0
        self._closed = False
        on_cuda = model.device.type == "cuda"
        if model.device.type == "cpu":
            cpu.use_attention(model)
        self._manager = model.init_continuous_batching(
            generation_config=greedy_config(eos_token_ids),
            continuous_batching_config=ContinuousBatchingConfig(
                page_size=limits.page_size,
                num_blocks=self._pages,
                max_batch_tokens=limits.batch_tokens,
                max_requests_per_batch=limits.max_running,
                # Pages are reserved before a request starts, so none is ever evicted for another.
                safety_margin=0.0,
                per_request_processors=True,
                auto_switch_to_flash=on_cuda,
                # The sampler's parameters belong to one step at a time.
                use_async_batching=False,
                # The fast path of flash attention; elsewhere there is no kernel that reads it.
                max_blocks_per_request=None if on_cuda else 0,
            ),
        )
        self.vocabulary = int(model.get_output_embeddings().out_features)
        self._sampler = Sampler(rows=limits.max_running, device=model.device)
        install_sampler(self._manager, self._sampler)
        self._device_thread = device_thread

    def start(self) -> None:
        """Start the batching thread and send one token through it, in the caller's thread.

        Raises EngineError when the manager does not accept what requests will send.
        """
        self._device_thread.run(self._manager.warmup)
        self._take_turns()
        self._manager.start()
        self._manager.add_request(
            [min(self.eos_token_ids, default=0)],
            request_id="probe",
            max_new_tokens=2,
            eos_token_id=-1,
            temperature=0.0,
            top_p=0.5,
            top_k=2,
            logprobs=True,
        )
        output = self._manager.get_result("probe", timeout=_PROBE_SECONDS)
        if output is None or output.error or self._sampler.broken:
            reason = (output.error or NOT_A_NUMBER) if output else "no answer"
            raise EngineError(f"{self.name}: the first token failed: {reason}")
        self._sampler.forget("probe")

    def stop(self) -> None:
        """End the batching thread; requests under way fail. Blocks for a step of the model."""
        self._closed = True
        if self._manager.is_running():
            self._manager.stop(block=True, timeout=10, hard_stop=True)

    @property
    def alive(self) -> bool:
        """Whether the batching thread runs."""
        fatal = self._manager.background_thread_status.fatal_error
        return fatal is None and bool(self._manager.is_running())

    @property
    def running(self) -> int:
        """Requests in the batch."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Requests that were admitted and have not begun."""
        return len(self._waiting)

    def check_fits(self, prompt_tokens: int, max_tokens: int) -> None:
        """Raises ContextOverflowError with the numbers in it."""
        limit = min(self.limits.context_length, self._pages * self.limits.page_size)
        if prompt_tokens + max_tokens > limit:
            raise ContextOverflowError(
                f"this model's context is {limit} tokens, but {prompt_tokens + max_tokens} were "
                f"requested: {prompt_tokens} in the messages and {max_tokens} for the answer"
            )

    def admit(self, request: GenerationRequest) -> Generation:
        """Take the request, to run now or soon. The caller iterates over the result, or closes it.

        Raises EngineFullError, EngineError or ContextOverflowError at once.
        """
        return self.admit_all([request])[0]

    def admit_all(self, requests: Sequence[GenerationRequest]) -> list[Generation]:
        """Take all of the requests or none. Raises as `admit` does."""
        if self._closed or not self.alive:
            raise EngineError(f"{self.name} is not running")
        for request in requests:
            self.check_fits(len(request.prompt), request.max_tokens)
        places = self.limits.max_waiting + self.limits.max_running - len(self._running)
        if len(self._waiting) >= self.limits.max_waiting or (
            len(self._waiting) + len(requests) > places
        ):
            self.telemetry.requests.labels(self.name, "refused").inc(len(requests))
            rounds = math.ceil((len(self._waiting) + len(requests)) / self.limits.max_running)
            raise EngineFullError(max(1, math.ceil(rounds * self._seconds_per_request)))
        generations = []
        for request in requests:
            pages = math.ceil((len(request.prompt) + request.max_tokens) / self.limits.page_size)
            name = f"{self.name}-{next(self._numbers)}"
            generations.append(Generation(self, name, request, pages))
        self._waiting.extend(generations)
        self._start_waiting()
        return generations

    def release(self, generation: Generation) -> None:
        """Forget a generation that ended, whatever the reason. Called by it, once."""
        if self._running.pop(generation.id, None) is not None:
            self._pages_used -= generation.pages
            with self._manager.output_router._lock:  # noqa: SLF001 - there is no public way
                self._manager.output_router.result_handlers.pop(generation.id, None)
            self._sampler.forget(generation.id)
            self._drop_orphans()
        elif generation in self._waiting:
            self._waiting.remove(generation)
        lasted = time.monotonic() - generation.arrived
        self._seconds_per_request += 0.2 * (lasted - self._seconds_per_request)
        self._start_waiting()

    def cancel(self, generation: Generation) -> None:
        """Take a running request out of the batch before its next step."""
        if generation.id in self._running:
            self._manager.cancel_request(generation.id)

    def _start_waiting(self) -> None:
        """First come, first served: a large request is not overtaken by small ones for ever."""
        while self._waiting and len(self._running) < self.limits.max_running and self.alive:
            first = self._waiting[0]
            if self._pages_used + first.pages > self._pages:
                break
            self._waiting.popleft()
            self._pages_used += first.pages
            self._running[first.id] = first
            # Registered before it is added: the first token may come before this line returns.
            self._manager.register_result_handler(first.id, partial(self._deliver, first))
            self._manager.add_request(
                first.request.prompt,
                request_id=first.id,
                max_new_tokens=first.request.max_tokens,
                streaming=True,
                eos_token_id=sorted(self.eos_token_ids),
                temperature=float(first.request.temperature),
                top_p=float(first.request.top_p),
                top_k=first.request.top_k,
                logprobs=first.request.logprobs,
            )
        self.telemetry.running.labels(self.name).set(len(self._running))
        self.telemetry.waiting.labels(self.name).set(len(self._waiting))
        self.telemetry.cache_used.labels(self.name).set(self._pages_used / self._pages)

    def _deliver(self, generation: Generation, output: GenerationOutput) -> None:
        """The manager's callback, on the event loop: the tokens so far."""
        tokens, reports = output.generated_tokens, None
        if generation.request.logprobs:
            # The thread may be a token ahead of what it has told.
            reports = self._sampler.reports.get(generation.id, [])[: len(tokens)]
        failure = output.error
        if generation.id in self._sampler.broken:
            failure = NOT_A_NUMBER
        elif failure is not None and self._closed:
            failure = "the model is being stopped"
        generation.receive(
            Progress(tokens=tokens, logprobs=reports, done=output.is_finished(), error=failure)
        )

    def _take_turns(self) -> None:
        """Have all that the manager computes done by the device's thread."""
        run, manager = self._device_thread.run, self._manager
        processor = manager.batch_processor
        processor.reset = partial(run, processor.reset)
        processor.prepare_next_batch = partial(run, processor.prepare_next_batch)
        compute = manager._generation_step  # noqa: SLF001 - there is no public way to take turns

        def step() -> None:
            run(compute)
            self._sampler.collect()

        manager._generation_step = step  # noqa: SLF001

    def _drop_orphans(self) -> None:
        """Outputs made between a cancellation and its effect, which nobody will fetch."""
        outputs = self._manager.output_router.output_queue
        while True:
            try:
                outputs.get_nowait()
            except queue.Empty:
                return


def cache_tokens_for(model: Any, *, budget: int, page_size: int) -> int:
    """How many tokens of key-value cache fit into `budget` bytes, in whole pages, for `model`."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_size = (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )
    number = torch.empty((), dtype=model.dtype).element_size()
    per_token = 2 * config.num_hidden_layers * heads * head_size * number
    pages: int = max(1, budget // (per_token * page_size))
    return pages * page_size
