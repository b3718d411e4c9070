"""The benchmark of the inference service runs, counts what a client sees, and judges promises."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from benchmarks import inference, results, stream_client
from benchmarks.burst import Answer, EmptyAnswerError, Prompt, Speed, Speeds, speed_of
from benchmarks.contender_process import EngineProcess
from benchmarks.prompt_texts import PromptTexts
from benchmarks.race import DidNotFinishError
from benchmarks.serving_contenders import (
    FASTCHAT,
    IN_PROCESS,
    LOCKED,
    OURS,
    Setting,
    bytes_per_token,
)
from benchmarks.serving_promises import Load, judged
from benchmarks.watched_server import LoopWatch
from tests.inference.tiny_model import write_tiny_llama

PROMPT = Prompt("When?", [1, 2])


def speeds(rate: float, first: float = 0.1) -> Speeds:
    return Speeds([Speed(rate, first, first, 0.01, 64)])


def verdicts(
    outcomes: dict[tuple[str, Load], Speeds | str], shared: dict[str, float] | str = "not run"
) -> list[str]:
    return [
        promise.verdict for promise in judged(outcomes, prompt=45, at_once=(1, 16), shared=shared)
    ]


def test_a_burst_is_timed_from_its_first_request_to_its_last_token() -> None:
    early = Answer(sent=10.0, ended=11.0, pieces=[(10.2, 1), (10.6, 3), (11.0, 4)])
    late = Answer(sent=10.0, ended=12.0, pieces=[(10.8, 2), (12.0, 4)])

    speed = speed_of([early, late])

    assert speed.tokens == 8
    assert speed.rate == pytest.approx(4.0)
    assert [speed.first, speed.first_worst] == pytest.approx([0.5, 0.8])
    assert early.gaps() == pytest.approx([0.2, 0.2, 0.4])


def test_an_empty_answer_is_no_fast_answer() -> None:
    with pytest.raises(EmptyAnswerError, match="1 of 2 answers were empty"):
        speed_of([Answer(0.0, 1.0, [(0.5, 1)]), Answer(0.0, 1.0)])


def test_prompts_have_their_number_of_tokens_and_no_common_beginning(tmp_path: Path) -> None:
    texts = PromptTexts(write_tiny_llama(tmp_path, seed=1))

    prompts = [texts.take(number, tokens=40) for number in (0, 1, 900)]

    assert [len(prompt.tokens) for prompt in prompts] == [40] * 3
    assert len({tuple(prompt.tokens[:4]) for prompt in prompts}) == 3
    assert texts.take(900, tokens=40) == prompts[2]


def test_weights_that_a_step_does_not_read_are_not_counted(tmp_path: Path) -> None:
    folder = write_tiny_llama(tmp_path / "model", seed=1)
    gguf = tmp_path / "model.gguf"
    gguf.write_bytes(bytes(77))
    stored = sum(_sizes(folder))

    found = bytes_per_token(Setting(folder, gguf, 1, tmp_path))

    embedding = _sizes(folder, "model.embed_tokens.weight")[0]
    assert found == {
        "bf16": 2 * (stored - embedding),
        "fp32": 4 * (stored - embedding),
        "gguf": 77,
    }


def _sizes(folder: Path, *names: str) -> list[int]:
    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")
    return [tensors[name].size for name in names or tensors]


@asynccontextmanager
async def answering(*parts: bytes) -> AsyncIterator[str]:
    """A server that sends these bytes to whoever asks, one write each: the URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/completions"


def chunk(text: bytes) -> bytes:
    return f"{len(text):x}\r\n".encode() + text + b"\r\n"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\n\r\n"
EVENTS = (
    b'data: {"choices": [{"text": ""}], "usage": null}\n\n',
    b'data: {"choices": [{"text": "a \\"error\\": b"}]}\n\n',
    b'data: {"choices":[{"text":"c"}]}\n\n',
    b'data: {"choices": [], "usage": {"completion_tokens": 3}}\n\ndata: [DONE]\n\n',
)


@pytest.mark.parametrize(
    "parts",
    [
        (CHUNKED, *map(chunk, EVENTS), b"0\r\n\r\n"),
        (PLAIN, *EVENTS),
        # An event may come in two pieces, and two in one.
        (
            CHUNKED,
            chunk(EVENTS[0] + EVENTS[1][:20]),
            chunk(EVENTS[1][20:] + EVENTS[2]),
            chunk(EVENTS[3]),
            b"0\r\n\r\n",
        ),
    ],
)
async def test_text_is_noted_when_it_comes_and_tokens_are_the_servers_count(
    parts: Sequence[bytes],
) -> None:
    async with answering(*parts) as url:
        (answer,) = await stream_client.burst(url, [PROMPT], [{"max_tokens": 3}])

    assert [tokens for _, tokens in answer.pieces] == [1, 3]
    assert answer.sent < answer.pieces[0][0] <= answer.pieces[1][0] <= answer.ended


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((b'HTTP/1.1 429 Too Many\r\n\r\n{"error": "full"}',), r"429 Too Many.*full"),
        ((PLAIN, EVENTS[1]), "without its usage"),
        ((PLAIN, b'data: {"error": {"message": "it broke"}}\n\n'), "it broke"),
    ],
)
async def test_a_stream_that_fails_is_no_measurement(parts: Sequence[bytes], reason: str) -> None:
    async with answering(*parts) as url:
        with pytest.raises(stream_client.RefusedError, match=reason):
            await stream_client.burst(url, [PROMPT], [{}])


async def test_an_engine_that_ends_tells_its_last_line(tmp_path: Path) -> None:
    engine = EngineProcess(
        Path(sys.executable), "nothing", tmp_path, threads=1, env={}, log=tmp_path / "log"
    )
    try:
        with pytest.raises(DidNotFinishError, match=r"it ended: ModuleNotFoundError.*nothing"):
            await engine.start()
    finally:
        await engine.stop()


async def test_a_blocked_event_loop_is_noticed_once() -> None:
    async def block(_: Request) -> PlainTextResponse:
        time.sleep(0.5)  # noqa: ASYNC251 - this is what is to be noticed
        return PlainTextResponse("")

    app = Starlette(routes=[Route("/block", block)])
    app.add_middleware(LoopWatch)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:

        async def worst() -> float:
            await asyncio.sleep(0.03)
            late: float = (await client.get("/benchmark/loop")).json()["worst"]
            return late

        await worst()  # the clock starts with the first request
        await worst()
        await client.get("/block")
        assert await worst() >= 0.4
        assert await worst() < 0.4


def test_promises_are_held_against_the_medians() -> None:
    most, one = (45, 16), (45, 1)
    held: dict[tuple[str, Load], Speeds | str] = {
        (OURS, most): speeds(200.0, first=0.5),
        (OURS, one): speeds(92.0),
        (FASTCHAT, most): speeds(25.0),
        (LOCKED, most): speeds(25.0),
        (IN_PROCESS, most): speeds(210.0),
        (IN_PROCESS, one): speeds(100.0),
    }
    shared = {"rate_one": 100.0, "rate_two": 90.0, "rate_double": 90.0, "loop": 0.05}

    assert verdicts(held, shared) == ["kept"] * 8
    for name, load, rate, broken in (
        (FASTCHAT, most, 25.1, 0),
        (LOCKED, most, 25.1, 1),
        (OURS, one, 91.9, 2),
        (IN_PROCESS, most, 218.0, 3),
    ):
        found = verdicts(held | {(name, load): speeds(rate, first=0.5)}, shared)
        assert found == ["kept"] * broken + ["BROKEN"] + ["kept"] * (7 - broken)
    assert verdicts(held | {(OURS, most): speeds(200.0, first=0.51)}, shared)[4] == "BROKEN"
    assert verdicts(held, {**shared, "loop": 0.051})[5] == "BROKEN"
    assert verdicts(held, {**shared, "rate_two": 89.9})[6] == "BROKEN"
    assert verdicts(held, {**shared, "rate_double": 89.9})[7] == "BROKEN"
    assert verdicts(held | {(FASTCHAT, most): "it ended"})[0] == "not run"
    assert set(verdicts({})) == {"not run"}


@pytest.mark.weights
def test_a_quick_run_prints_a_row_a_contender_and_keeps_the_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "KEPT", tmp_path)
    folder = write_tiny_llama(tmp_path / "model", seed=1)
    chosen = [part for name in ("ours", "batching", "llama") for part in ("--only", name)]

    inference.main(["--quick", "--weights", str(folder), *chosen])

    kept = json.loads((tmp_path / "inference-quick.json").read_text())
    size = kept["size"]
    rows = [row for row in kept["results"] if row["contender"] != "llama"]
    assert len(rows) == 2 * len(size["prompts"]) * len(size["at_once"])
    for row in rows:
        assert "error" not in row, row
        assert row["runs"][0]["tokens"] == row["at_once"] * size["answer"]
    assert kept["two_models"]["rate_two"] > 0
    assert {row.get("error") for row in kept["results"] if row["contender"] == "llama"} == {
        "there is no GGUF file of these weights"
    }
    assert "not judged here" in capsys.readouterr().out
