"""Our ratings beside the peers of PyPI: time and memory, and what was promised of them.

`python -m benchmarks.ratings` draws the votes, runs each contender in a process of its own, prints
as it goes and keeps the run. `--quick` is the same on few votes, which proves nothing but that it
runs; `--only TASK` runs some; `--write-docs` puts the tables into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import results
from benchmarks.promises import RACES, Kept, Racer, judged, name_of
from benchmarks.race import DidNotFinishError, Result, race
from benchmarks.vote_data import write_folder

PEERS_PYTHON = results.ROOT / "build" / "peers" / "bin" / "python"
HEADER = (
    "contender",
    "median",
    "first",
    "to ours",
    "processor",
    "peak over libraries",
    "of the columns",
    "differs by, points",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to do."""

    votes: int
    models: int
    voters: int
    parquet_votes: int
    runs: int


FULL = Size(votes=2_000_000, models=200, voters=100_000, parquet_votes=20_000_000, runs=5)
QUICK = Size(votes=20_000, models=20, voters=500, parquet_votes=50_000, runs=1)

Outcomes = dict[Racer, Result | str]


def main(arguments: Sequence[str] = ()) -> None:
    options = _options(arguments)
    size = QUICK if options.quick else FULL
    busy = results.load()
    if busy > 0.5:
        print(f"the load is {busy:.1f}: others use the cores, and the times are loose")
    outcomes: Outcomes = {}
    with tempfile.TemporaryDirectory(prefix="preferendum-votes-") as folder:
        data = Path(folder) / "votes"
        print(f"drawing {size.votes:,} votes, and {size.parquet_votes:,} as Parquet", flush=True)
        write_folder(
            data,
            votes=size.votes,
            parquet_votes=size.parquet_votes,
            models=size.models,
            voters=size.voters,
        )
        for task, (title, racers) in RACES.items():
            if options.only and task not in options.only:
                continue
            print(f"\n{title}", flush=True)
            print(_line(HEADER), flush=True)
            for racer in racers:
                outcomes[racer] = _race(racer, data, size.runs)
                print(_line(_row(racer, outcomes, racers[0])), flush=True)
    kept = judged(outcomes)
    print("\nwhat was promised" + (" (of the full size: not judged here)" * options.quick))
    for promise in kept:
        print(f"{promise.verdict:9} {promise.text}: {promise.measured}")
    print(f"kept in {_save(options, size, busy, outcomes, kept)}")
    if options.write_docs:
        results.write_section("ratings", _section(size, busy, outcomes, kept))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ratings", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few votes: to see that it runs")
    parser.add_argument("--only", action="append", choices=list(RACES), metavar="TASK")
    parser.add_argument("--write-docs", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    if options.write_docs and (options.quick or options.only):
        parser.error("--write-docs keeps whole runs only: leave out --quick and --only")
    return options


def _race(racer: Racer, data: Path, runs: int) -> Result | str:
    """What was measured, or why nothing was."""
    contender, task = racer
    python = PEERS_PYTHON if contender == "arena_rank" else Path(sys.executable)
    if not python.exists():
        return "not installed: make peers"
    try:
        return race(python, contender, task, data, runs=runs)
    except DidNotFinishError as error:
        return str(error)


def _row(racer: Racer, outcomes: Outcomes, first: Racer) -> tuple[str, ...]:
    result, ours = outcomes[racer], outcomes[first]
    if isinstance(result, str):
        return (name_of(racer), result)
    return (
        f"{name_of(racer)} {result.version}".strip(),
        seconds(result.median),
        seconds(result.first),
        f"{result.median / ours.median:.2f} x" if isinstance(ours, Result) else "",
        seconds(result.processor_seconds),
        f"{result.over_libraries / 2**20:.0f} MiB",
        f"{result.over_libraries / result.column_bytes:.2f} x",
        f"{_difference(result, ours):.1e}" if isinstance(ours, Result) and result.ratings else "",
    )


def _difference(result: Result, ours: Result) -> float:
    """The largest difference of a rating from ours, both with mean zero, in points."""
    if result.ratings is None or ours.ratings is None:
        return float("nan")
    means = [sum(ratings) / len(ratings) for ratings in (result.ratings, ours.ratings)]
    pairs = zip(result.ratings, ours.ratings, strict=True)
    return max(abs((a - means[0]) - (b - means[1])) for a, b in pairs)


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.1f} ms"


def _line(cells: Sequence[str]) -> str:
    return f"  {cells[0]:52}" + "".join(f"{cell:>20}" for cell in cells[1:])


def _save(
    options: argparse.Namespace, size: Size, busy: float, outcomes: Outcomes, kept: Sequence[Kept]
) -> Path:
    return results.save(
        "ratings-quick" if options.quick else "ratings",
        {
            "machine": results.machine(),
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "load": busy,
            "size": asdict(size),
            "results": [
                {
                    "contender": racer[0],
                    "task": racer[1],
                    **({"error": result} if isinstance(result, str) else asdict(result)),
                }
                for racer, result in outcomes.items()
            ],
            "promises": [asdict(promise) for promise in kept],
        },
    )


def _section(size: Size, busy: float, outcomes: Outcomes, kept: Sequence[Kept]) -> str:
    """The tables for docs/benchmarks.md."""
    head = (
        f"{datetime.now(UTC):%Y-%m-%d} on {results.machine()}; load at the start {busy:.1f}. "
        f"Medians of {size.runs} runs after one that is not counted (*first*)."
    )
    parts = [
        head,
        results.markdown_table(
            ("promised", "measured", ""),
            [(promise.text, promise.measured, promise.verdict) for promise in kept],
        ),
    ]
    for title, racers in RACES.values():
        ran = [racer for racer in racers if racer in outcomes]
        if ran:
            rows = [_row(racer, outcomes, racers[0]) for racer in ran]
            width = len(HEADER)
            parts += [
                f"### {title}",
                results.markdown_table(
                    HEADER, [(*row, *[""] * (width - len(row))) for row in rows]
                ),
            ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    main(sys.argv[1:])
