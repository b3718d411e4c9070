"""The continuous-batching API of transformers as it ships: no HTTP, no text, none of our extras."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from benchmarks.burst import Answer, Prompt
from benchmarks.contenders.engines import Engine

PAGE_SIZE, PAGES, BATCH_TOKENS, RUNNING = 64, 384, 256, 16


def load(folder: Path, threads: int) -> Engine:
    torch.set_num_threads(threads)
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16, attn_implementation="sdpa"
    )
    config: Any = GenerationConfig
    manager: Any = model.eval().init_continuous_batching(
        generation_config=config(do_sample=False, eos_token_id=-1),
        continuous_batching_config=ContinuousBatchingConfig(
            page_size=PAGE_SIZE,
            num_blocks=PAGES,
            max_batch_tokens=BATCH_TOKENS,
            max_requests_per_batch=RUNNING,
        ),
    )
    manager.start()
    numbers = iter(range(1 << 62))

    async def complete(prompt: Prompt, tokens: int) -> Answer:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        name = f"r{next(numbers)}"
        answer = Answer(sent=time.perf_counter())

        def receive(output: Any) -> None:
            if output.error:
                ended.set_exception(RuntimeError(output.error))
                return
            answer.pieces.append((time.perf_counter(), len(output.generated_tokens)))
            if output.is_finished() and not ended.done():
                ended.set_result(None)

        manager.register_result_handler(name, receive)
        manager.add_request(prompt.tokens, request_id=name, max_new_tokens=tokens, streaming=True)
        await ended
        answer.ended = time.perf_counter()
        return answer

    async def burst(prompts: Sequence[Prompt], tokens: int) -> list[Answer]:
        return list(await asyncio.gather(*(complete(prompt, tokens) for prompt in prompts)))

    return Engine(
        f"transformers {version('transformers')}",
        lambda prompts, tokens: asyncio.run(burst(prompts, tokens)),
    )
