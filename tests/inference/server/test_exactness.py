"""Greedy float32 answers are those of `model.generate()`, token for token, alone and in a batch,
and the log-probabilities are those of the model."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.inference.demo_weights import demo_folder
from tests.inference.server.in_process import serving
from tests.inference.server.numbered_checkpoint import (
    ARCHITECTURES,
    END,
    VOCABULARY,
    write_numbered_checkpoint,
)
from tests.inference.tiny_model import write_model_file

pytestmark = pytest.mark.weights

# Around the sizes of windows (24, 40, 100), of pages (64) and of the pieces of long prompts (256).
LENGTHS = (700, 1, 2, 3, 24, 41, 63, 64, 65, 99, 130, 200, 255, 256, 257, 500)
TEXT = """\
People type a question, two models answer side by side, and nobody knows which is which until the \
vote is cast. The votes become ratings, and the ratings come with intervals that say how much is \
known. A model that wins often against strong opponents climbs; one that wins only against weak \
ones does not. What matters is that the same question reaches both at the same time, that neither \
is shown first more often than the other, and that every vote is written down once and for all. """


async def test_every_architecture_answers_as_generate_does(
    subtests: pytest.Subtests, tmp_path: Path
) -> None:
    folders = {
        name.replace("_", "-"): write_numbered_checkpoint(tmp_path / name, name)
        for name in ARCHITECTURES
    }

    async with serving(write_model_file(tmp_path / "m.toml", folders), tmp_path) as (_, client):
        for slug, folder in folders.items():
            random = torch.Generator().manual_seed(7)
            prompts = [
                torch.randint(END + 1, VOCABULARY, (length,), generator=random).tolist()
                for length in LENGTHS
            ]
            expected = await asyncio.to_thread(_generated, folder, prompts, max_tokens=32)
            likely = await asyncio.to_thread(_likelihoods, folder, prompts)
            with subtests.test(f"{slug} alone"):
                alone = [await _answer(client, slug, prompt, 32) for prompt in prompts]
                assert alone == expected
            with subtests.test(f"{slug} in a batch of {len(prompts)}"):
                assert await _answers(client, slug, prompts, 32) == expected
            with subtests.test(f"{slug} among sampled and cancelled neighbours"):
                assert await _answers_among_others(client, slug, prompts[:8], 32) == expected[:8]
            with subtests.test(f"{slug}: how likely a text is"):
                for found, right in zip(await _scores(client, slug, prompts), likely, strict=True):
                    assert found[0] is None
                    assert found[1:] == pytest.approx(right, abs=1e-3)
            with subtests.test(f"{slug}: how likely its own answer is"):
                text, answered = await _reported(client, slug, prompts[0], 32)
                assert text == expected[0][0]
                whole = prompts[0] + [int(number) for number in re.findall(r"\d{3}", text)]
                right = (await asyncio.to_thread(_likelihoods, folder, [whole]))[0]
                assert answered == pytest.approx(right[len(prompts[0]) - 1 :], abs=1e-3)


async def test_the_demo_weights_answer_as_generate_does(tmp_path: Path) -> None:
    folder = demo_folder()
    words: Any = AutoTokenizer.from_pretrained(folder)(TEXT * 3)["input_ids"]
    prompts = [words[:length] for length in (1, 2, 5, 9, 17, 23, 31, 40, 48, 63, 64, 65, 80, 110)]
    prompts += [words[3:263], words[40:340]]
    slug, folders = "demo", {"demo": folder}

    async with serving(write_model_file(tmp_path / "m.toml", folders), tmp_path) as (_, client):
        expected = await asyncio.to_thread(_generated, folder, prompts, max_tokens=12)
        alone = [await _answer(client, slug, prompt, 12) for prompt in prompts[::8]]
        together = await _answers(client, slug, prompts, 12)

    assert alone == expected[::8]
    assert together == expected


def _generated(
    folder: Path, prompts: Sequence[list[int]], *, max_tokens: int
) -> list[tuple[str, int, str]]:
    """Text, number of tokens and finish reason of each answer, by `generate` of transformers."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    answers = []
    for prompt in prompts:
        output = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
            do_sample=False,
            max_new_tokens=max_tokens,
            pad_token_id=0,
        )
        tokens = output[0, len(prompt) :].tolist()
        ended = tokens[-1] == tokenizer.eos_token_id
        text = tokenizer.decode(tokens, skip_special_tokens=True)
        answers.append((text, len(tokens), "stop" if ended else "length"))
    return answers


def _likelihoods(folder: Path, texts: Sequence[list[int]]) -> list[list[float]]:
    """Log-probability of every token but the first, by the model alone."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        logits = [model(torch.tensor([text])).logits[0].log_softmax(-1) for text in texts]
    return [
        [float(scores[place, token]) for place, token in enumerate(text[1:])]
        for text, scores in zip(texts, logits, strict=True)
    ]


async def _scores(
    client: httpx.AsyncClient, model: str, texts: Sequence[list[int]]
) -> list[list[float | None]]:
    body = {"model": model, "prompt": texts, "max_tokens": 0, "echo": True, "logprobs": 0}
    answer = await client.post("/v1/completions", json=body)
    assert answer.status_code == 200, answer.text
    return [choice["logprobs"]["token_logprobs"] for choice in answer.json()["choices"]]


async def _reported(
    client: httpx.AsyncClient, model: str, prompt: list[int], max_tokens: int
) -> tuple[str, list[float]]:
    """A greedy answer with the log-probabilities that the batch itself reports."""
    body = {"model": model, "prompt": prompt, "max_tokens": max_tokens, "temperature": 0}
    answer = await client.post("/v1/completions", json=body | {"logprobs": 0})
    assert answer.status_code == 200, answer.text
    choice = answer.json()["choices"][0]
    return choice["text"], choice["logprobs"]["token_logprobs"]


async def _answer(
    client: httpx.AsyncClient, model: str, prompt: list[int], max_tokens: int, **more: Any
) -> tuple[str, int, str]:
    body = {"model": model, "prompt": prompt, "max_tokens": max_tokens, "temperature": 0}
    answer = await client.post("/v1/completions", json=body | more)
    assert answer.status_code == 200, answer.text
    choice = answer.json()["choices"][0]
    count = answer.json()["usage"]["completion_tokens"]
    return choice["text"], count, choice["finish_reason"]


async def _answers(
    client: httpx.AsyncClient, model: str, prompts: Sequence[list[int]], max_tokens: int
) -> list[tuple[str, int, str]]:
    calls = [_answer(client, model, prompt, max_tokens) for prompt in prompts]
    return list(await asyncio.gather(*calls))


async def _answers_among_others(
    client: httpx.AsyncClient, model: str, prompts: Sequence[list[int]], max_tokens: int
) -> list[tuple[str, int, str]]:
    """Four neighbours sample until the end; four more are cancelled while the others go on."""
    sampled = [
        asyncio.create_task(_answer(client, model, prompt, 100, temperature=1.5, top_k=20))
        for prompt in prompts[:4]
    ]
    left = [
        asyncio.create_task(_answer(client, model, prompt, 1000, temperature=1.0))
        for prompt in prompts[4:]
    ]
    wanted = asyncio.create_task(_answers(client, model, prompts[:4], max_tokens))
    await sampled[0]
    for task in left:
        task.cancel()
    again = await _answers(client, model, prompts[4:], max_tokens)
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.gather(*sampled)
    return await wanted + again
