"""FastChat's `generate_stream` as its worker calls it: float32 on a CPU, five at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from fastchat.serve.inference import generate_stream
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.burst import Answer, Prompt
from benchmarks.contenders.engines import Engine

# The worker's defaults: --limit-worker-concurrency and --stream-interval.
AT_ONCE, INTERVAL = 5, 2


def load(folder: Path, threads: int) -> Engine:
    torch.set_num_threads(threads)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model.eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    context = int(model.config.max_position_embeddings)
    places = threading.Semaphore(AT_ONCE)

    def complete(prompt: Prompt, tokens: int) -> Answer:
        asked = {
            "prompt": prompt.text,
            "temperature": 0.0,
            "max_new_tokens": tokens,
            "echo": False,
        }
        answer = Answer(sent=time.perf_counter())
        with places:
            for output in generate_stream(
                model, tokenizer, asked, "cpu", context, stream_interval=INTERVAL
            ):
                if output["text"]:
                    answer.pieces.append(
                        (time.perf_counter(), output["usage"]["completion_tokens"] + 1)
                    )
        answer.ended = time.perf_counter()
        return answer

    def burst(prompts: Sequence[Prompt], tokens: int) -> list[Answer]:
        with ThreadPoolExecutor(len(prompts)) as pool:
            return list(pool.map(lambda prompt: complete(prompt, tokens), prompts))

    return Engine(f"{version('fschat')}", burst)
