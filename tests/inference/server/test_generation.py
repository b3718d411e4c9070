"""From tokens to deltas, with a scripted source in the place of a model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from inference.server.generation import (
    Delta,
    EngineError,
    Generation,
    GenerationRequest,
    Progress,
    TokenLogprob,
)
from inference.server.telemetry import Telemetry

END = 0
# One token a letter, and a word of two letters; the euro sign takes two tokens.
PIECES = {1: b"a", 2: b"b", 3: b"c", 4: b"de", 5: "€".encode()[:1], 6: "€".encode()[1:], END: b""}


class ScriptedSource:
    """Remembers what it was told; says what the test makes it say."""

    name = "scripted"
    eos_token_ids = frozenset({END})

    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self.alive = True
        self.cancelled = 0
        self.released = 0

    def decode(self, tokens: Sequence[int]) -> str:
        return b"".join(PIECES[token] for token in tokens).decode("utf-8", "replace")

    def cancel(self, generation: Generation) -> None:  # noqa: ARG002
        self.cancelled += 1

    def release(self, generation: Generation) -> None:  # noqa: ARG002
        self.released += 1


def scripted(**request: Any) -> tuple[ScriptedSource, Generation]:
    source = ScriptedSource()
    wanted = GenerationRequest(prompt=[1], max_tokens=99, **request)
    return source, Generation(source, "g", wanted)


async def deltas(
    generation: Generation, steps: Sequence[Sequence[int]], *, done: bool = True
) -> list[Delta]:
    """What comes of these tokens, step by step."""
    collected: list[Delta] = []

    async def read() -> None:
        collected.extend([delta async for delta in generation])

    reading = asyncio.create_task(read())
    tokens: list[int] = []
    for number, step in enumerate(steps):
        tokens += step
        told = [TokenLogprob(token=token, logprob=-1.0, top=()) for token in tokens]
        generation.receive(
            Progress(
                tokens=list(tokens),
                logprobs=told if generation.request.logprobs else None,
                done=done and number == len(steps) - 1,
            )
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await reading
    return collected


async def test_each_delta_carries_the_tokens_of_its_text_and_never_the_end() -> None:
    source, generation = scripted(logprobs=True)

    found = await deltas(generation, [[1], [2], [4, END]])

    # Steps that come while the reader is busy make one delta.
    assert [d.text for d in found] == [source.decode([t.token for t in d.tokens]) for d in found]
    assert [t.token for d in found for t in d.tokens] == [1, 2, 4]
    assert (found[-1].finish_reason, found[-1].completion_tokens) == ("stop", 4)
    assert (source.released, source.cancelled) == (1, 0)


async def test_tokens_that_a_stop_string_cuts_away_are_not_told() -> None:
    source, generation = scripted(logprobs=True, stop=("cd",))

    found = await deltas(generation, [[1], [2], [3], [4], [1]], done=False)

    assert "".join(d.text for d in found) == "ab"
    assert [t.token for d in found for t in d.tokens] == [1, 2]
    assert found[-1].finish_reason == "stop"
    assert source.cancelled == 1


async def test_tokens_held_back_for_a_stop_string_come_with_their_text() -> None:
    _, generation = scripted(logprobs=True, stop=("cb",))

    found = await deltas(generation, [[1], [3], [1], [END]])

    assert "".join(d.text for d in found) == "aca"
    for delta in found:
        assert len(delta.text) == len(delta.tokens)


async def test_a_character_of_two_tokens_comes_whole() -> None:
    _, generation = scripted(logprobs=True)

    found = await deltas(generation, [[1], [5], [6], [END]])

    assert "".join(d.text for d in found) == "a€"
    assert [t.token for d in found for t in d.tokens] == [1, 5, 6]


async def test_time_ends_an_answer_that_goes_on_and_one_that_never_began() -> None:
    for steps in ([[1], [2]], []):
        source, generation = scripted(seconds=0.05)

        found = await deltas(generation, steps, done=False)

        assert found[-1].finish_reason == "length"
        assert (source.cancelled, source.released) == (1, 1)


async def test_a_source_that_dies_in_silence_ends_its_answers() -> None:
    source, generation = scripted()
    source.alive = False

    with pytest.raises(EngineError, match="stopped working"):
        await deltas(generation, [])

    assert source.released == 1


async def test_closing_wakes_the_reader() -> None:
    source, generation = scripted()
    reading = asyncio.create_task(deltas(generation, []))
    await asyncio.sleep(0)

    generation.close()
    generation.close()

    assert await reading == []
    assert (source.cancelled, source.released) == (1, 1)


async def test_tokens_behind_a_stop_string_are_not_counted_however_they_come() -> None:
    for steps in ([[1], [2], [3], [1], [1]], [[1, 2, 3, 1, 1]]):
        _, generation = scripted(stop=("bc",))

        found = await deltas(generation, steps, done=False)

        assert (found[-1].finish_reason, found[-1].completion_tokens) == ("stop", 3)
