"""`generate` with a TextIteratorStreamer behind a lock, as a model is often put behind a page."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer

from benchmarks.burst import Answer, Prompt
from benchmarks.contenders.engines import Engine


def load(folder: Path, threads: int) -> Engine:
    torch.set_num_threads(threads)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    lock = threading.Lock()

    def generate(prompt: Prompt, tokens: int, streamer: Any) -> None:
        ids = torch.tensor([prompt.tokens])
        model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=tokens,
            do_sample=False,
            eos_token_id=-1,
            pad_token_id=0,
            streamer=streamer,
        )

    def complete(prompt: Prompt, tokens: int) -> Answer:
        answer = Answer(sent=time.perf_counter())
        with lock:
            streamer = TextIteratorStreamer(tokenizer, skip_prompt=True)
            thread = threading.Thread(target=generate, args=(prompt, tokens, streamer))
            thread.start()
            # One text a token, which is empty until a word is whole.
            for number, text in enumerate(streamer, 1):
                if text or answer.pieces:
                    answer.pieces.append((time.perf_counter(), min(number, tokens)))
            thread.join()
        answer.ended = time.perf_counter()
        return answer

    def burst(prompts: Sequence[Prompt], tokens: int) -> list[Answer]:
        with ThreadPoolExecutor(len(prompts)) as pool:
            return list(pool.map(lambda prompt: complete(prompt, tokens), prompts))

    return Engine(f"transformers {version('transformers')}", burst)
