"""The inference service beside its peers: tokens a second, time to the first token, between tokens.

`python -m benchmarks.inference` starts every contender on the same model, sends all of them the
same bursts in turn, prints as it goes and keeps the run. `--quick` is the same with few tokens,
which proves nothing but that it runs; `--only CONTENDER` runs some; `--write-docs` puts the tables
into docs/benchmarks.md. `make peers` installs what the peers need.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import results
from benchmarks.burst import EmptyAnswerError, Prompt, Speeds, speed_of
from benchmarks.contender_process import Contender
from benchmarks.promises import Kept
from benchmarks.prompt_texts import PromptTexts
from benchmarks.race import DidNotFinishError
from benchmarks.serving_contenders import ENTRIES, OURS, Entry, Setting, bytes_per_token
from benchmarks.serving_promises import Load, judged
from benchmarks.serving_tables import HEADER, line, row, section, two_models
from benchmarks.two_models import Shared, share
from inference.model_file import read_model_file
from inference.server.weights import DEFAULT_CACHE, WeightsError, fetch_weights

SLUG = "smollm2-135m"
THREADS = 2


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to do: `prompts` in tokens, the promised length first."""

    prompts: tuple[int, ...]
    at_once: tuple[int, ...]
    answer: int
    runs: int
    long_runs: int

    def runs_of(self, entry: Entry, load: Load) -> int:
        """Slow contenders run once, and so do prompts for which nothing is promised."""
        if entry.slow:
            return 1
        return self.runs if load[0] == self.prompts[0] else self.long_runs


FULL = Size(prompts=(45, 1000), at_once=(1, 4, 16), answer=64, runs=3, long_runs=1)
QUICK = Size(prompts=(8, 40), at_once=(1, 2), answer=6, runs=1, long_runs=1)

Measured = dict[tuple[str, Load], Speeds | str]


class Arena:
    """The contenders that are running, and what each did so far."""

    def __init__(self, size: Size, texts: PromptTexts) -> None:
        self.size = size
        self.texts = texts
        self.running: dict[str, Contender] = {}
        self.reasons: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.outcomes: Measured = {}

    async def enter(self, entry: Entry, setting: Setting) -> None:
        """Start a contender and let it answer a little, so that nothing is new to it after."""
        try:
            contender = entry.make(setting)
            self.running[entry.name] = contender
            self.versions[entry.name] = await contender.start()
            for tokens in self.size.prompts:
                await contender.burst(
                    self._prompts(9000, tokens, min(4, max(self.size.at_once))), 4
                )
        except DidNotFinishError as error:
            await self.leave(entry.name, str(error))
            return
        contender.pause()

    async def leave(self, name: str, reason: str) -> None:
        """End a contender, for a reason that its further rows tell."""
        self.reasons[name] = reason
        contender = self.running.pop(name, None)
        if contender is not None:
            await contender.stop()

    async def measure(self, load: Load, entries: Sequence[Entry]) -> None:
        """Every contender under one load, in turn, so that a change of the machine meets all."""
        tokens, requests = load
        speeds: dict[str, Speeds] = {}
        for run in range(max(self.size.runs_of(entry, load) for entry in entries)):
            prompts = self._prompts(100 * (run + 1) + requests, tokens, requests)
            for entry in entries:
                contender = self.running.get(entry.name)
                if contender is None or run >= self.size.runs_of(entry, load):
                    continue
                contender.resume()
                try:
                    speed = speed_of(await contender.burst(prompts, self.size.answer))
                except (DidNotFinishError, EmptyAnswerError) as error:
                    await self.leave(entry.name, str(error))
                    continue
                contender.pause()
                speeds.setdefault(entry.name, Speeds([])).runs.append(speed)
        for entry in entries:
            outcome = self.reasons.get(entry.name) or speeds[entry.name]
            self.outcomes[entry.name, load] = outcome

    def _prompts(self, first: int, tokens: int, requests: int) -> list[Prompt]:
        return [self.texts.take(20 * first + one, tokens=tokens) for one in range(requests)]


async def compete(
    size: Size, entries: Sequence[Entry], setting: Setting
) -> tuple[Arena, Shared | str]:
    """All loads for all contenders, then our service with two models."""
    arena = Arena(size, PromptTexts(setting.folder))
    # As with Ctrl-C: nothing that was started, and perhaps paused, is left behind.
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        for entry in entries:
            print(f"starting {entry.title}", flush=True)
            await arena.enter(entry, setting)
            if entry.name in arena.reasons:
                print(f"  it takes no part: {arena.reasons[entry.name]}", flush=True)
        for tokens in size.prompts:
            print(f"\nprompts of {tokens} tokens", flush=True)
            print(line(HEADER), flush=True)
            for requests in size.at_once:
                load = (tokens, requests)
                await arena.measure(load, entries)
                for entry in entries:
                    print(line(row(entry, load, arena.outcomes, arena.versions)), flush=True)
    finally:
        for name in list(arena.running):
            await arena.leave(name, "")
    if OURS not in {entry.name for entry in entries}:
        return arena, "not asked for"
    print("\nour service with two models", flush=True)
    loads = [(tokens, max(size.at_once)) for tokens in size.prompts]
    try:
        shared = await share(setting, arena.texts, loads, answer=size.answer, runs=size.runs)
    except (DidNotFinishError, EmptyAnswerError) as error:
        print(f"  it failed: {error}", flush=True)
        return arena, str(error)
    print(two_models(shared), flush=True)
    return arena, shared


def main(arguments: Sequence[str] = ()) -> None:
    options = _options(arguments)
    size, chosen = QUICK if options.quick else FULL, options.only
    entries = [entry for entry in ENTRIES if not chosen or entry.name in chosen]
    busy = results.load()
    if busy > 0.5:
        print(f"the load is {busy:.1f}: others use the cores, and the times are loose")
    try:
        folder, gguf = (options.weights, None) if options.weights else _demo_weights()
    except WeightsError as error:
        sys.exit(str(error))
    bandwidth = _bandwidth()
    print(f"{THREADS} threads read {bandwidth / 1e9:.1f} GB/s", flush=True)
    with tempfile.TemporaryDirectory(prefix="preferendum-serving-") as scratch:
        setting = Setting(folder=folder, gguf=gguf, threads=THREADS, scratch=Path(scratch))
        sizes = bytes_per_token(setting)
        try:
            arena, shared = asyncio.run(compete(size, entries, setting))
        except asyncio.CancelledError:
            sys.exit("ended by SIGTERM: nothing was kept")
    kept = judged(
        arena.outcomes,
        prompt=size.prompts[0],
        at_once=size.at_once,
        shared=shared if isinstance(shared, str) else shared.judged(),
    )
    print("\nwhat was promised" + (" (of the full size: not judged here)" * options.quick))
    for promise in kept:
        print(f"{promise.verdict:9} {promise.text}: {promise.measured}")
    head = {
        "machine": results.machine(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "torch": version("torch"),
        "threads": THREADS,
        "load": busy,
        "bandwidth": bandwidth,
        "bytes_per_token": dict(sizes),
        "size": asdict(size),
    }
    print(f"kept in {_save(options, head, arena, shared, kept)}")
    tables = section(head, entries, arena.outcomes, arena.versions, shared, kept)
    if options.write_docs:
        results.write_section("inference", tables)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="few tokens: to see that it runs")
    add("--only", action="append", choices=[entry.name for entry in ENTRIES], metavar="CONTENDER")
    add(
        "--weights",
        type=Path,
        metavar="DIR",
        help=f"a folder of safetensors instead of {SLUG}; llama.cpp then takes no part",
    )
    add("--write-docs", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    if options.write_docs and (options.quick or options.only or options.weights):
        parser.error("--write-docs keeps whole runs only: leave out the other options")
    return options


def _demo_weights() -> tuple[Path, Path | None]:
    """The folder of safetensors, and the GGUF file that it was made from."""
    cache = Path(os.environ.get("MODEL_CACHE") or DEFAULT_CACHE).expanduser().resolve()
    models = read_model_file(results.ROOT / "models" / "demo.toml").models
    spec = next(model.weights for model in models if model.slug == SLUG)
    assert spec is not None
    folder = fetch_weights(spec, cache=cache, name=SLUG)
    gguf = cache / "files" / f"{spec.sha256}.gguf"
    return folder, gguf if gguf.exists() else None


def _bandwidth() -> float:
    """Bytes per second, measured in a process that goes away again."""
    command = [sys.executable, "-m", "benchmarks.read_bandwidth", str(THREADS)]
    done = subprocess.run(command, cwd=results.ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _save(
    options: argparse.Namespace,
    head: dict[str, object],
    arena: Arena,
    shared: Shared | str,
    kept: Sequence[Kept],
) -> Path:
    return results.save(
        "inference-quick" if options.quick else "inference",
        {
            **head,
            "versions": arena.versions,
            "results": [
                {
                    "contender": name,
                    "prompt": load[0],
                    "at_once": load[1],
                    **({"error": outcome} if isinstance(outcome, str) else asdict(outcome)),
                }
                for (name, load), outcome in arena.outcomes.items()
            ],
            "two_models": {"error": shared} if isinstance(shared, str) else asdict(shared),
            "promises": [asdict(promise) for promise in kept],
        },
    )


if __name__ == "__main__":
    main(sys.argv[1:])
