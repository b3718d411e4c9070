"""Our service with two models at once, and how long its event loop was held meanwhile.

Knows neither the peers nor what was promised.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import stream_client
from benchmarks.burst import speed_of
from benchmarks.contender_process import ServerProcess
from benchmarks.prompt_texts import PromptTexts
from benchmarks.race import DidNotFinishError
from benchmarks.serving_contenders import MODEL, SECOND_MODEL, Setting, our_server


@dataclass(frozen=True, slots=True)
class Shared:
    """Medians of tokens a second over both models: all requests to one model, half of them to
    each, and all of them to each. `loop` is by tokens of a prompt: the most seconds that the event
    loop was late, and the 99th percentile, of all requests to one model and half to each."""

    requests: int
    rate_one: float
    rate_two: float
    rate_double: float
    loop: dict[int, tuple[float, float]]

    def judged(self) -> Mapping[str, float]:
        """What `serving_promises` asks for."""
        worst = max(worst for worst, _ in self.loop.values())
        return {
            "rate_one": self.rate_one,
            "rate_two": self.rate_two,
            "rate_double": self.rate_double,
            "loop": worst,
        }


async def share(
    setting: Setting,
    texts: PromptTexts,
    loads: Sequence[tuple[int, int]],
    *,
    answer: int,
    runs: int,
) -> Shared:
    """Rates under the first of `loads`, and the event loop under all of them.

    Raises DidNotFinishError or EmptyAnswerError.
    """
    server = our_server(setting, (MODEL, SECOND_MODEL), module="benchmarks.watched_server")
    rates: dict[str, list[float]] = {}
    loop = {}
    try:
        await server.start()
        for number, (tokens, requests) in enumerate(loads):
            mixes = {
                "one": [MODEL] * requests,
                "two": [MODEL, SECOND_MODEL] * (requests // 2),
                "double": [MODEL, SECOND_MODEL] * requests,
            }
            await _burst(server, texts, mixes["double"][:8], 9500, tokens, 4)
            await _held(server)
            worst, late = 0.0, 0.0
            for run in range(runs if number == 0 else 1):
                for mix, models in mixes.items():
                    if mix == "double" and number:
                        continue
                    rate = await _burst(server, texts, models, 1000 + run, tokens, answer)
                    held = await _held(server)
                    worst, late = max(worst, held[0]), max(late, held[1])
                    if number == 0:
                        rates.setdefault(mix, []).append(rate)
            loop[tokens] = (worst, late)
    finally:
        await server.stop()
    medians = {mix: statistics.median(values) for mix, values in rates.items()}
    return Shared(loads[0][1], medians["one"], medians["two"], medians["double"], loop)


async def _burst(
    server: ServerProcess,
    texts: PromptTexts,
    models: Sequence[str],
    first: int,
    tokens: int,
    answer: int,
) -> float:
    """Tokens a second of a request to each of `models` (with repetition)."""
    prompts = [texts.take(40 * first + one, tokens=tokens) for one in range(len(models))]
    return speed_of(await server.burst(prompts, answer, models=models)).rate


async def _held(server: ServerProcess) -> tuple[float, float]:
    """Seconds that the loop was late since the last time: the most, and the 99th percentile."""
    status, body = await stream_client.get(f"{server.url}/benchmark/loop")
    if status != 200:
        raise DidNotFinishError(f"/benchmark/loop answered {status}")
    told = json.loads(body)
    return told["worst"], told["p99"]
