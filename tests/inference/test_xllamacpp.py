"""The client against llama.cpp's own server: a program that this project did not write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from inference.client import Delta, Finish, ModelClient, TextDelta
from inference.dialects import ChatMessage
from inference.endpoint_pool import EndpointAddress
from inference.errors import ContextOverflowError, EndpointRefusesUsError, RequestRefusedError
from inference.network_guard import NetworkGuard, networks_parse
from tests.inference.demo_weights import demo_gguf
from tests.inference.llama_server import llama_server, write_tiny_gguf
from tests.inference.tiny_model import write_tiny_llama

pytestmark = pytest.mark.weights

SLOTS, CONTEXT = 2, 512
ENDLESS: Any = {"max_tokens": -1}  # as llama.cpp writes it


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the tiny Llama, which never ends an answer by itself."""
    folder = tmp_path_factory.mktemp("llama")
    gguf = write_tiny_gguf(folder / "tiny.gguf")
    with llama_server(gguf, slots=SLOTS, context=CONTEXT, log=folder / "log") as address:
        yield address


@pytest.fixture
async def client() -> AsyncIterator[ModelClient]:
    async with ModelClient(guard=NetworkGuard(networks_parse("127.0.0.1"))) as client:
        yield client


def deltas(
    client: ModelClient,
    address: str,
    question: str = "Who won?",
    *,
    path: str = "/v1",
    system: str = "",
    **sampling: Any,
) -> Any:
    """The stream of one greedy answer."""
    messages = [ChatMessage("system", system)] if system else []
    return client.stream(
        endpoints=[EndpointAddress(base_url=address + path, name="tiny")],
        messages=[*messages, ChatMessage("user", question)],
        sampling={"temperature": 0, **sampling},
    )


async def whole(
    client: ModelClient, address: str, *question: str, **more: Any
) -> tuple[str, Finish]:
    pieces: list[Delta] = [delta async for delta in deltas(client, address, *question, **more)]
    finish = pieces.pop()
    assert isinstance(finish, Finish)
    return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)), finish


async def busy_slots(address: str) -> int:
    async with httpx.AsyncClient() as http:
        slots = (await http.get(f"{address}/slots")).json()
    return sum(slot["is_processing"] for slot in slots)


async def requests_in_line(address: str) -> int:
    async with httpx.AsyncClient() as http:
        lines = (await http.get(f"{address}/metrics")).text.splitlines()
    return int(
        next(line for line in lines if line.startswith("llamacpp:requests_deferred ")).split()[-1]
    )


async def until(number: int, count: Callable[[str], Awaitable[int]], address: str) -> None:
    async with asyncio.timeout(30):
        while await count(address) != number:  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.01)


def generated(folder: Path, question: str, *, max_tokens: int) -> str:
    """What `generate` of transformers says with the same weights."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    inputs: Any = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    output = model.generate(**inputs, do_sample=False, max_new_tokens=max_tokens, pad_token_id=0)
    return str(tokenizer.decode(output[0, inputs["input_ids"].size(1) :]))


async def test_an_answer_comes_in_pieces_with_its_counts(
    client: ModelClient, server: str, tmp_path: Path
) -> None:
    pieces = [delta async for delta in deltas(client, server, max_tokens=24)]

    texts, finish = pieces[:-1], pieces[-1]
    assert len(texts) > 12
    assert (finish.reason, finish.completion_tokens, finish.prompt_tokens) == ("length", 24, 10)
    expected = generated(write_tiny_llama(tmp_path, seed=0), "Who won?", max_tokens=24)
    assert "".join(delta.text for delta in texts) == expected


async def test_a_stop_string_ends_the_answer_before_it(client: ModelClient, server: str) -> None:
    text, _ = await whole(client, server, max_tokens=40)

    said, finish = await whole(client, server, max_tokens=40, stop=["never said", text[11:18]])

    assert said == text[: text.index(text[11:18])]
    assert finish.reason == "stop"


async def test_a_system_prompt_reaches_the_model(client: ModelClient, server: str) -> None:
    _, without = await whole(client, server, max_tokens=1)
    _, with_system = await whole(client, server, max_tokens=1, system="Be brief.")

    assert without.prompt_tokens is not None
    assert with_system.prompt_tokens is not None
    assert with_system.prompt_tokens > without.prompt_tokens


async def test_a_reader_that_leaves_frees_the_slot(client: ModelClient, server: str) -> None:
    async with aclosing(deltas(client, server, **ENDLESS)) as answer:
        await anext(answer)
        await until(1, busy_slots, server)

    await until(0, busy_slots, server)


async def test_two_answer_at_once_and_a_third_waits_for_its_slot(
    client: ModelClient, server: str
) -> None:
    expected, _ = await whole(client, server, max_tokens=8)
    async with aclosing(deltas(client, server, **ENDLESS)) as first:
        async with aclosing(deltas(client, server, "Why?", **ENDLESS)) as second:
            for _ in range(20):
                assert (await anext(first)).text
                assert (await anext(second)).text
            await until(SLOTS, busy_slots, server)
            third = asyncio.create_task(whole(client, server, max_tokens=8))
            await until(1, requests_in_line, server)
        text, finish = await third

    assert (text, finish.completion_tokens) == (expected, 8)
    await until(0, busy_slots, server)


async def test_a_conversation_beyond_the_context_is_said_to_be_so(
    client: ModelClient, server: str
) -> None:
    with pytest.raises(ContextOverflowError):
        await whole(client, server, "Who won? " * CONTEXT, max_tokens=4)


async def test_what_the_server_does_not_take_is_a_refusal(client: ModelClient, server: str) -> None:
    with pytest.raises(RequestRefusedError):
        await whole(client, server, max_tokens="many")


async def test_a_wrong_path_is_an_error_of_the_endpoint(client: ModelClient, server: str) -> None:
    with pytest.raises(EndpointRefusesUsError):
        await whole(client, server, path="/nowhere")


async def test_the_demo_model_answers_and_ends_by_itself(
    client: ModelClient, tmp_path: Path
) -> None:
    with llama_server(demo_gguf(), slots=1, context=1024, log=tmp_path / "log") as address:
        question = "What is the capital of France? Answer with one word."

        text, finish = await whole(client, address, question, max_tokens=64)

    assert "Paris" in text
    assert finish.reason == "stop"
