"""The tables of the benchmark of the inference service, for the terminal and for the docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import results
from benchmarks.burst import Speeds
from benchmarks.promises import Kept
from benchmarks.serving_contenders import OURS, Entry
from benchmarks.serving_promises import Load, Outcomes
from benchmarks.two_models import Shared

HEADER = (
    "contender",
    "at once",
    "tokens/s",
    "to ours",
    "first token",
    "the last one's",
    "between tokens",
    "tokens",
)


def row(
    entry: Entry, load: Load, outcomes: Outcomes, versions: Mapping[str, str]
) -> tuple[str, ...]:
    """One contender under one load, or why it has no numbers."""
    title = f"{entry.title} {versions.get(entry.name, '')}".strip() + f", {entry.weights}"
    speeds, ours = outcomes[entry.name, load], outcomes.get((OURS, load))
    if isinstance(speeds, str):
        return (title, str(load[1]), f" {speeds}")
    rate = speeds.median("rate")
    return (
        title,
        str(load[1]),
        f"{rate:.1f}",
        f"{rate / ours.median('rate'):.2f} x" if isinstance(ours, Speeds) else "",
        f"{speeds.median('first'):.3f} s",
        f"{speeds.median('first_worst'):.3f} s",
        f"{speeds.median('between') * 1e3:.1f} ms",
        f"{speeds.median('tokens'):.0f}",
    )


def line(cells: Sequence[str]) -> str:
    """A row for the terminal."""
    return f"  {cells[0]:56}" + "".join(f"{cell:>16}" for cell in cells[1:])


def section(
    head: Mapping[str, Any],
    entries: Sequence[Entry],
    outcomes: Outcomes,
    versions: Mapping[str, str],
    shared: Shared | str,
    kept: Sequence[Kept],
) -> str:
    """The tables for docs/benchmarks.md."""
    size = head["size"]
    intro = (
        f"{head['when'][:10]} on {head['machine']}, torch {head['torch']}; "
        f"{head['threads']} threads, load at the start {head['load']:.1f}. "
        f"{size['answer']} tokens are asked for. Medians of {size['runs']} runs with prompts of "
        f"{size['prompts'][0]} tokens; {size['long_runs']} with longer ones, and 1 of the slow "
        f"contenders ({', '.join(entry.title for entry in entries if entry.slow)})."
    )
    parts = [
        intro,
        results.markdown_table(
            ("promised", "measured", ""),
            [(promise.text, promise.measured, promise.verdict) for promise in kept],
        ),
    ]
    for tokens in size["prompts"]:
        rows = [
            row(entry, (tokens, requests), outcomes, versions)
            for requests in size["at_once"]
            for entry in entries
        ]
        table = [(*cells, *[""] * (len(HEADER) - len(cells))) for cells in rows]
        parts += [f"### Prompts of {tokens} tokens", results.markdown_table(HEADER, table)]
    parts += ["### One request alone, beside the memory", roofline(head, entries, outcomes)]
    parts += ["### Two models in one service", two_models(shared)]
    return "\n\n".join(parts)


def roofline(head: Mapping[str, Any], entries: Sequence[Entry], outcomes: Outcomes) -> str:
    """How much of the memory's bandwidth one request uses: a token reads every weight once."""
    load = (head["size"]["prompts"][0], min(head["size"]["at_once"]))
    rows = []
    for entry in entries:
        speeds, size = outcomes[entry.name, load], head["bytes_per_token"].get(entry.weights)
        if isinstance(speeds, str) or size is None or not speeds.median("between"):
            continue
        ceiling, reached = head["bandwidth"] / size, 1 / speeds.median("between")
        cells = (
            f"{size / 1e6:.0f} MB",
            f"{ceiling:.0f}",
            f"{reached:.0f}",
            f"{reached / ceiling:.0%}",
        )
        rows.append((entry.title, *cells))
    header = ("contender", "weights", "ceiling, tokens/s", "between tokens, tokens/s", "share")
    told = f"Memory is read at {head['bandwidth'] / 1e9:.1f} GB/s."
    return f"{told}\n\n{results.markdown_table(header, rows)}"


def two_models(shared: Shared | str) -> str:
    """What two models at once cost, and how late the event loop was."""
    if isinstance(shared, str):
        return f"Not run: {shared}."
    n = shared.requests
    rates = results.markdown_table(
        ("requests", "tokens/s, of both models", "to one model"),
        [
            (text, f"{rate:.1f}", f"{rate / shared.rate_one:.2f} x")
            for text, rate in (
                (f"{n} to one model", shared.rate_one),
                (f"{n // 2} to each of two", shared.rate_two),
                (f"{n} to each of two", shared.rate_double),
            )
        ],
    )
    loop = results.markdown_table(
        ("the event loop's lateness", "worst", "99 %"),
        [
            (f"prompts of {tokens} tokens", f"{worst * 1e3:.1f} ms", f"{late * 1e3:.1f} ms")
            for tokens, (worst, late) in shared.loop.items()
        ],
    )
    return f"{rates}\n\n{loop}"
