"""Which contenders run at which task, and what was promised of the ratings' speed and memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.race import Result

# A contender (module of benchmarks.contenders) and one of its tasks.
Racer = tuple[str, str]

OURS = "preferendum"
# From the name of a task to its title and its contenders, ours first.
RACES: dict[str, tuple[str, tuple[Racer, ...]]] = {
    "names": (
        "2 M votes x 200 models, names in a DataFrame in, ratings with sandwich intervals out",
        (
            (OURS, "names"),
            ("choix", "names"),
            ("choix", "names, fed by our bincount"),
            ("evalica", "names"),
            ("evalica", "names, defaults"),
            ("arena_rank", "names"),
        ),
    ),
    "ids": (
        "the same from integer ids, beside the bare bincount of the cells",
        ((OURS, "ids"), (OURS, "ids, with rank ranges"), ("bare", "ids")),
    ),
    "bootstrap": (
        "1000 bootstrap replicates of it, from the counted cells",
        ((OURS, "bootstrap, gamma"), (OURS, "bootstrap, multinomial")),
    ),
    "style": (
        "2 M votes x 200 models with 8 style features, names in a DataFrame in, intervals out",
        ((OURS, "style"), ("arena_rank", "style")),
    ),
    "clusters": (
        "CR3 intervals clustered by 100,000 voters, 2 M votes x 200 models, from ids",
        ((OURS, "clusters"),),
    ),
    "parquet": (
        "20 M votes x 200 models from Parquet, beside pyarrow reading the three columns",
        (
            (OURS, "parquet"),
            ("bare", "parquet"),
            ("bare", "parquet, as dictionaries"),
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Promise:
    """Ours takes at most `factor` times the time of `rival`, and `plus` seconds."""

    text: str
    ours: Racer
    plus: float = 0.0
    factor: float = 0.0
    rival: Racer | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a promise: its text, what was measured, "kept", "BROKEN" or "not run"."""

    text: str
    measured: str
    verdict: str


def _faster(rival: Racer, times: float, ours: Racer) -> Promise:
    return Promise(
        f"{ours[1]}: {times:g} x faster than {name_of(rival)}", ours, 0, 1 / times, rival
    )


def name_of(racer: Racer) -> str:
    """`names, defaults` of evalica is `evalica, defaults`."""
    contender, _, variant = (racer[0], *racer[1].partition(",")[1:])
    return contender.replace("_", "-") + (f",{variant}" if variant else "")


PROMISES = (
    _faster(("evalica", "names"), 30, (OURS, "names")),
    _faster(("arena_rank", "names"), 60, (OURS, "names")),
    _faster(("choix", "names"), 3, (OURS, "names")),
    Promise(
        "ids: at most 1.5 x the bare bincount, and 15 ms",
        (OURS, "ids"), 0.015, 1.5, ("bare", "ids"),
    ),
    Promise("1000 gamma replicates: at most 1.8 s", (OURS, "bootstrap, gamma"), 1.8),
    Promise("1000 multinomial replicates: at most 4 s", (OURS, "bootstrap, multinomial"), 4.0),
    _faster(("arena_rank", "style"), 8, (OURS, "style")),
    Promise("clustered CR3 intervals: at most 5 s", (OURS, "clusters"), 5.0),
    Promise(
        "Parquet: at most 4 x the time to read the columns",
        (OURS, "parquet"), 0.0, 4.0, ("bare", "parquet"),
    ),
)  # fmt: skip
MEMORY = 1.3
MEASURED_IN_MEMORY = ("names", "ids", "style", "clusters")


def judged(outcomes: Mapping[Racer, Result | str]) -> list[Kept]:
    """Hold the results against the promises."""
    kept = []
    for promise in PROMISES:
        ours = outcomes.get(promise.ours)
        rival = outcomes.get(promise.rival) if promise.rival else None
        if not isinstance(ours, Result) or (promise.rival and not isinstance(rival, Result)):
            kept.append(Kept(promise.text, "", "not run"))
            continue
        limit = promise.plus
        measured = f"{ours.median:.3f} s"
        if isinstance(rival, Result):
            limit += promise.factor * rival.median
            ratio = ours.median / rival.median
            measured += f" to {rival.median:.3f} s, " + (
                f"{1 / ratio:.1f} x faster" if ratio < 1 else f"{ratio:.2f} x"
            )
        kept.append(Kept(promise.text, measured, "kept" if ours.median <= limit else "BROKEN"))
    for task in MEASURED_IN_MEMORY:
        ours = outcomes.get((OURS, task))
        text = f"{task}: peak memory at most {MEMORY} x the columns, over the libraries"
        if isinstance(ours, Result):
            ratio = ours.over_libraries / ours.column_bytes
            verdict = "kept" if ratio <= MEMORY else "BROKEN"
            kept.append(Kept(text, f"{ratio:.2f} x", verdict))
        else:
            kept.append(Kept(text, "", "not run"))
    return kept
