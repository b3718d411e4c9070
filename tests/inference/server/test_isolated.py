"""Log-likelihoods and seeded answers: what they are, and that nothing beside them changes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.server import cpu
from inference.server.checkpoint import load_model
from inference.server.device_thread import DeviceThread
from inference.server.engine import (
    ContextOverflowError,
    EngineFullError,
    EngineLimits,
    ModelEngine,
)
from inference.server.generation import (
    EngineError,
    Generation,
    GenerationRequest,
    TokenLogprob,
)
from inference.server.isolated import IsolatedPath
from inference.server.telemetry import Telemetry
from inference.server.weight_sharing import share_weights
from inference.weights_spec import WeightsSpec
from tests.inference.server.in_process import until
from tests.inference.server.numbered_checkpoint import (
    ARCHITECTURES,
    END,
    VOCABULARY,
    write_numbered_checkpoint,
)

pytestmark = pytest.mark.weights

CPU = torch.device("cpu")
EXACT = WeightsSpec(source="path:unused", dtype="float32")
LIMITS = EngineLimits(
    context_length=1024,
    cache_tokens=8192,
    page_size=64,
    max_running=8,
    max_waiting=2,
    batch_tokens=32,
)
PROMPT = [9, 80, 7, 33, 9, 81]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbered_checkpoint(tmp_path_factory.mktemp("llama"), "llama")


@pytest.fixture
def device_thread() -> Iterator[DeviceThread]:
    thread = DeviceThread(CPU)
    yield thread
    thread.close()


def load(folder: Path, spec: WeightsSpec = EXACT) -> Any:
    return load_model(folder, spec, device=CPU, dtype="auto")


def decode(tokens: Sequence[int]) -> str:
    return "".join(f"{token:03}" for token in tokens)


@asynccontextmanager
async def isolated(
    model: Any, device_thread: DeviceThread, **changed: int
) -> AsyncIterator[IsolatedPath]:
    path = IsolatedPath(
        "one",
        model,
        decode,
        eos_token_ids=[END],
        limits=replace(LIMITS, **changed),
        cache_tokens=512,
        telemetry=Telemetry(),
        device_thread=device_thread,
    )
    yield path
    await asyncio.to_thread(path.stop)


def random_texts(*lengths: int) -> list[list[int]]:
    random = torch.Generator().manual_seed(3)
    return [
        torch.randint(END + 1, VOCABULARY, (length,), generator=random).tolist()
        for length in lengths
    ]


@torch.no_grad()
def log_softmax(model: Any, text: list[int]) -> torch.Tensor:
    scores: torch.Tensor = model(torch.tensor([text])).logits[0].float().log_softmax(-1)
    return scores


async def text_of(generation: Generation) -> str:
    return "".join([delta.text async for delta in generation])


def seeded(seed: int, **more: Any) -> GenerationRequest:
    return GenerationRequest(seed=seed, **{"prompt": PROMPT, "max_tokens": 40, **more})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
async def test_scores_are_the_log_softmax_of_the_model_whatever_is_scored_with_them(
    architecture: str, tmp_path: Path, device_thread: DeviceThread
) -> None:
    model = load(write_numbered_checkpoint(tmp_path, architecture))
    texts = random_texts(9, 150, 1, 9, 31, 2, 33, 8)
    expected = [log_softmax(model, text) for text in texts]
    # What the batch does to the same weights.
    cpu.pack_linears(model)
    cpu.use_attention(model)

    async with isolated(model, device_thread) as path:
        together = await path.score(texts, top=3, next_token=True)
        alone = [(await path.score([text], top=0))[0] for text in texts]

    for text, want, entries, single in zip(texts, expected, together, alone, strict=True):
        assert entries[0] is single[0] is None
        given = [entry for entry in entries if entry is not None]
        assert [entry.token for entry in given] == [*text[1:], int(want[-1].argmax())]
        own = torch.tensor([entry.logprob for entry in given])
        places = torch.arange(len(text)), torch.tensor([entry.token for entry in given])
        torch.testing.assert_close(own, want[places], atol=1e-4, rtol=0)
        for entry, row in zip(given, want, strict=True):
            best = row.topk(3)
            assert [token for token, _ in entry.top] == best.indices.tolist()
            assert [value for _, value in entry.top] == pytest.approx(best.values, abs=1e-4)
            assert dict(entry.top).get(entry.token, entry.logprob) == entry.logprob
        assert [entry.logprob for entry in single if entry] == pytest.approx(
            [entry.logprob for entry in given[:-1]], abs=1e-4
        )
        assert all(entry.top == () for entry in single if entry)


async def test_variants_are_scored_as_they_are_served(
    llama: Path, device_thread: DeviceThread
) -> None:
    model = load(llama, replace(EXACT, drop_layers=(1,), round_bits=4))
    (text,) = random_texts(70)
    expected = log_softmax(model, text)

    async with isolated(model, device_thread) as path:
        (entries,) = await path.score([text], top=0)

    want = [float(row[token]) for row, token in zip(expected, text[1:], strict=False)]
    assert [entry.logprob for entry in entries if entry] == pytest.approx(want, abs=1e-4)


def test_the_weights_exist_once_and_tied_ones_stay_tied(tmp_path: Path) -> None:
    model = load(write_numbered_checkpoint(tmp_path, "gemma3_text"))
    model.lm_head.weight = model.model.embed_tokens.weight

    twin = share_weights(model)

    ours = dict(twin.named_parameters(remove_duplicate=False))
    assert ours.keys() == dict(model.named_parameters(remove_duplicate=False)).keys()
    for name, weight in model.named_parameters(remove_duplicate=False):
        assert ours[name] is weight
    assert twin.lm_head.weight is twin.model.embed_tokens.weight
    assert twin.config is not model.config
    assert twin.config is twin.model.config is twin.model.layers[0].self_attn.config


async def test_an_answer_is_decided_by_its_seed(llama: Path, device_thread: DeviceThread) -> None:
    async with isolated(load(llama), device_thread) as path:
        first = await text_of(path.admit(seeded(1)))
        again = await text_of(path.admit(seeded(1)))
        other = await text_of(path.admit(seeded(2)))
        narrow = await text_of(path.admit(seeded(2, top_k=1)))
        greedy = await text_of(path.admit(seeded(1, temperature=0.0)))

    assert first == again != other
    assert narrow == greedy


async def test_a_seed_of_any_size_is_taken(llama: Path, device_thread: DeviceThread) -> None:
    async with isolated(load(llama), device_thread) as path:
        for seed in (-1, 0, 2**63, 10**30):
            first = await text_of(path.admit(seeded(seed, max_tokens=5)))
            assert first == await text_of(path.admit(seeded(seed, max_tokens=5)))


@pytest.mark.parametrize("length", [1, 31, 32, 33, 200])
async def test_a_greedy_answer_is_that_of_generate(
    llama: Path, device_thread: DeviceThread, length: int
) -> None:
    model = load(llama)
    (prompt,) = random_texts(length)
    output = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, length),
        do_sample=False,
        max_new_tokens=12,
        pad_token_id=0,
    )
    expected = output[0, length:].tolist()

    async with isolated(model, device_thread) as path:
        request = GenerationRequest(prompt=prompt, max_tokens=12, temperature=0.0, logprobs=True)
        deltas = [delta async for delta in path.admit(request)]
        (scores,) = await path.score([prompt + expected], top=20)

    shown = [entry for delta in deltas for entry in delta.tokens]
    assert [entry.token for entry in shown] == [token for token in expected if token != END]
    for entry, score in zip(shown, scores[length:], strict=False):
        assert score is not None
        assert entry.logprob == pytest.approx(score.logprob, abs=1e-4)
        assert [token for token, _ in entry.top] == [token for token, _ in score.top]
    assert deltas[-1].finish_reason == ("stop" if expected[-1] == END else "length")


async def test_a_busy_batch_changes_neither_scores_nor_seeded_answers_nor_is_changed(
    llama: Path, device_thread: DeviceThread
) -> None:
    model = load(llama)
    engine = ModelEngine(
        "one",
        model,
        decode,
        eos_token_ids=[],
        limits=LIMITS,
        telemetry=Telemetry(),
        device_thread=device_thread,
    )
    await asyncio.to_thread(engine.start)
    greedy = GenerationRequest(prompt=PROMPT, max_tokens=60, temperature=0.0)
    texts = random_texts(200, 3, 40)

    async with isolated(model, device_thread) as path:
        quiet_answer = await text_of(path.admit(seeded(5)))
        quiet_scores = await path.score(texts, top=2)
        quiet_batch = await text_of(engine.admit(greedy))
        sampled = [
            asyncio.create_task(text_of(engine.admit(replace(greedy, temperature=1.0))))
            for _ in range(4)
        ]
        batch = asyncio.create_task(text_of(engine.admit(greedy)))
        answer = asyncio.create_task(text_of(path.admit(seeded(5))))
        scores = asyncio.create_task(path.score(texts, top=2))

        assert await answer == quiet_answer
        assert await scores == quiet_scores
        assert await batch == quiet_batch
        await asyncio.gather(*sampled)
    await asyncio.to_thread(engine.stop)


async def test_other_work_gets_its_turn_between_the_pieces_of_a_long_text(
    llama: Path, device_thread: DeviceThread
) -> None:
    async with isolated(load(llama), device_thread, batch_tokens=4) as path:
        long = asyncio.create_task(path.score(random_texts(500), top=0))
        await until(lambda: path.busy == 1)
        for _ in range(3):
            await asyncio.to_thread(device_thread.run, lambda: None)
        assert not long.done()
        await long


async def test_requests_are_computed_one_after_the_other(
    llama: Path, device_thread: DeviceThread
) -> None:
    async with isolated(load(llama), device_thread, batch_tokens=1) as path:
        first = path.admit(seeded(1, prompt=random_texts(200)[0]))
        second = asyncio.create_task(path.score(random_texts(100), top=0))
        assert len(await text_of(first)) > 0
        assert not second.done()
        await second


async def test_too_many_requests_are_refused_at_once_and_the_others_go_on(
    llama: Path, device_thread: DeviceThread
) -> None:
    async with isolated(load(llama), device_thread, max_waiting=1) as path:
        first = path.admit(seeded(1))
        second = asyncio.create_task(path.score([PROMPT] * 50, top=0))
        await until(lambda: path.busy == 2)

        with pytest.raises(EngineFullError) as refused:
            path.admit(seeded(2))
        with pytest.raises(EngineFullError):
            await path.score([PROMPT], top=0)

        assert refused.value.retry_after >= 1
        assert len(await text_of(first)) > 0
        assert len(await second) == 50
        assert path.busy == 0


async def test_a_request_that_is_too_long_is_told_the_numbers(
    llama: Path, device_thread: DeviceThread
) -> None:
    async with isolated(load(llama), device_thread) as path:
        with pytest.raises(ContextOverflowError, match=r"512 .* 513 .*: 6 .* 507"):
            path.admit(seeded(1, max_tokens=507))
        with pytest.raises(ContextOverflowError, match="513"):
            await path.score([PROMPT, *random_texts(513)], top=0)
        with pytest.raises(ContextOverflowError, match=r"131584 tokens in 257 prompts.*131072"):
            await path.score(random_texts(512) * 257, top=0)
        assert len((await path.score(random_texts(512), top=0))[0]) == 512
        assert path.busy == 0


@pytest.mark.parametrize("waiting", [False, True])
async def test_a_closed_answer_gives_its_place_back(
    llama: Path, device_thread: DeviceThread, waiting: bool
) -> None:
    async with isolated(load(llama), device_thread) as path:
        endless = [path.admit(seeded(seed, max_tokens=500)) for seed in range(1 + waiting)]
        if not waiting:
            await anext(aiter(endless[0]))
        for generation in reversed(endless):
            generation.close()
        for _ in range(5):  # turns of the event loop, in which no 500 tokens are computed
            await asyncio.sleep(0)
        assert path.busy == 0

        assert len(await text_of(path.admit(seeded(1)))) > 0
    requests = path.telemetry.requests
    assert requests.labels("one", "cancelled")._value.get() == len(endless)
    assert path.telemetry.isolated_running.labels("one")._value.get() == 0


async def test_scoring_that_nobody_waits_for_stops(
    llama: Path, device_thread: DeviceThread
) -> None:
    async with isolated(load(llama), device_thread, batch_tokens=1) as path:
        long = asyncio.create_task(path.score(random_texts(500), top=0))
        queued = asyncio.create_task(path.score(random_texts(500), top=0))
        await until(lambda: path.busy == 2)
        queued.cancel()
        long.cancel()
        ended = await asyncio.gather(long, queued, return_exceptions=True)

        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        assert path.busy == 0
        assert len(await path.score([PROMPT], top=0)) == 1


async def test_a_failure_ends_its_own_request_and_no_other(
    llama: Path, device_thread: DeviceThread
) -> None:
    beyond = [VOCABULARY + 1]
    async with isolated(load(llama), device_thread) as path:
        with pytest.raises(EngineError, match="one failed: "):
            await path.score([PROMPT, beyond], top=0)
        with pytest.raises(EngineError, match="one failed: "):
            await text_of(path.admit(replace(seeded(1), prompt=beyond)))

        assert len(await path.score([PROMPT], top=0)) == 1
        assert len(await text_of(path.admit(seeded(1)))) > 0
        assert path.busy == 0


async def test_a_model_that_computes_no_numbers_fails_with_a_reason(
    llama: Path, device_thread: DeviceThread
) -> None:
    model = load(llama)
    with torch.no_grad():
        model.lm_head.weight.fill_(float("nan"))

    async with isolated(model, device_thread) as path:
        with pytest.raises(EngineError, match="not a number"):
            await path.score([PROMPT], top=0)
        with pytest.raises(EngineError, match="not a number"):
            await text_of(path.admit(seeded(1)))


async def test_an_empty_text_is_refused(llama: Path, device_thread: DeviceThread) -> None:
    async with isolated(load(llama), device_thread) as path:
        with pytest.raises(ValueError, match="empty prompt"):
            await path.score([PROMPT, []], top=0)
        assert await path.score([], top=0) == []


async def test_stopping_fails_what_is_under_way_and_what_comes(
    llama: Path, device_thread: DeviceThread
) -> None:
    async with isolated(load(llama), device_thread, batch_tokens=1) as path:
        answer = asyncio.create_task(text_of(path.admit(seeded(1, max_tokens=500))))
        scores: asyncio.Task[list[list[TokenLogprob | None]]] = asyncio.create_task(
            path.score(random_texts(500), top=0)
        )
        await until(lambda: path.busy == 2)
        await asyncio.to_thread(path.stop)

        with pytest.raises(EngineError, match="stopped"):
            await answer
        with pytest.raises(EngineError, match="stopped"):
            await scores
        with pytest.raises(EngineError, match="not running"):
            path.admit(seeded(1))
        assert path.busy == 0
        assert not path.alive
