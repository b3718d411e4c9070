"""What was promised of the inference service's speed, held against what was measured."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.burst import Speeds
from benchmarks.promises import Kept
from benchmarks.serving_contenders import FASTCHAT, IN_PROCESS, LOCKED, OURS

# Tokens of a prompt, and requests at once.
Load = tuple[int, int]
# What a contender did under a load, or why it did nothing.
Outcomes = Mapping[tuple[str, Load], Speeds | str]

BELOW_IN_PROCESS, TIMES_SLOW, FIRST_SECONDS = 0.08, 8, 0.5
LOOP_SECONDS, TWO_MODELS = 0.050, 0.10


def judged(
    outcomes: Outcomes, *, prompt: int, at_once: tuple[int, ...], shared: Mapping[str, float] | str
) -> list[Kept]:
    """Hold the outcomes for prompts of `prompt` tokens against the promises.

    `shared` is of one service with two models: `rate_one` (all requests to one), `rate_two` (half
    to each) and `rate_double` (all to each), of both models together in tokens a second, and
    `loop` in seconds, the longest that its event loop was held; or why there is no such thing.
    """

    def rate(name: str, requests: int) -> float | None:
        speeds = outcomes.get((name, (prompt, requests)))
        return speeds.median("rate") if isinstance(speeds, Speeds) else None

    most = max(at_once)
    ours = rate(OURS, most)
    kept = []
    for rival, name in ((FASTCHAT, "FastChat"), (LOCKED, "generate behind a lock")):
        text = f"{prompt} tokens, {most} at once: at least {TIMES_SLOW} x {name}"
        theirs = rate(rival, most)
        if ours is None or theirs is None:
            kept.append(Kept(text, "", "not run"))
        else:
            kept.append(_kept(text, f"{ours / theirs:.1f} x", ours >= TIMES_SLOW * theirs))
    for requests in at_once:
        text = (
            f"{prompt} tokens, {requests} at once: at most {BELOW_IN_PROCESS:.0%} below the "
            "batching API in process"
        )
        mine, theirs = rate(OURS, requests), rate(IN_PROCESS, requests)
        if mine is None or theirs is None:
            kept.append(Kept(text, "", "not run"))
        else:
            kept.append(
                _kept(text, f"{mine / theirs - 1:+.1%}", mine >= (1 - BELOW_IN_PROCESS) * theirs)
            )
    text = f"{prompt} tokens, {most} at once: median first token at most {FIRST_SECONDS} s"
    speeds = outcomes.get((OURS, (prompt, most)))
    if isinstance(speeds, Speeds):
        first = speeds.median("first")
        kept.append(_kept(text, f"{first:.3f} s", first <= FIRST_SECONDS))
    else:
        kept.append(Kept(text, "", "not run"))
    return kept + _shared(shared)


def _shared(shared: Mapping[str, float] | str) -> list[Kept]:
    loop = f"the event loop is never held for over {LOOP_SECONDS * 1e3:.0f} ms"
    within = f"total within {TWO_MODELS:.0%} of one model"
    two = f"two models at once, half of the requests to each: {within}"
    double = f"two models at once, as many requests to each: {within}"
    if isinstance(shared, str):
        return [Kept(text, "", "not run") for text in (loop, two, double)]
    one = shared["rate_one"]

    def beside(text: str, rate: float) -> Kept:
        return _kept(text, f"{rate / one - 1:+.1%}", rate >= (1 - TWO_MODELS) * one)

    return [
        _kept(loop, f"{shared['loop'] * 1e3:.1f} ms", shared["loop"] <= LOOP_SECONDS),
        beside(two, shared["rate_two"]),
        beside(double, shared["rate_double"]),
    ]


def _kept(text: str, measured: str, held: bool) -> Kept:
    return Kept(text, measured, "kept" if held else "BROKEN")
