"""Do the intervals cover what they promise? Thousands of simulated arenas with known ratings.

`python -m benchmarks.coverage` prints, for independent votes and for voters with tastes of their
own, how often 95 % intervals cover the population's rating (mean over models) and how often all
rank ranges hold at once. `--quick` is the same with few replicates; `--write-docs` puts the table
into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np
from scipy.stats import rankdata
from tqdm import tqdm

from benchmarks import results
from benchmarks.simulated_votes import Population, draw, projection
from ratings.core.outcomes import FloatArray
from ratings.core.standings import Standings, standings

REPLICATES = 2_000
QUICK_REPLICATES = 40
_SHARE_OF_WORK = 20
PROMISED, TOO_NARROW = (0.93, 0.97), (0.0, 0.90)
RANKS_COVERED = 0.93
INDEPENDENT, CLUSTERED = "independent", "clustered by voter"
HEADER = (
    "votes",
    "intervals",
    "coverage",
    "width, points",
    "all ranks covered",
    "effective voters",
    "refused",
    "verdict",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A population, which intervals are computed from its votes, and what each must cover.

    `bounds` are of the coverage of 95 % intervals, by kind of interval; None promises nothing.
    """

    name: str
    population: Population
    bounds: dict[str, tuple[float, float] | None]


def _dependent(voters: int, activity_sd: float, spread: float = 0.7, name: str = "") -> Setting:
    # Where all are equally active the independent ones are too narrow as well, but less.
    independent = TOO_NARROW if activity_sd else None
    return Setting(
        f"{voters:,} voters with tastes, {'log-normal' if activity_sd else 'equal'} activity{name}",
        Population(
            voters=voters, votes=20 * voters, taste_sd=0.7, activity_sd=activity_sd, spread=spread
        ),
        {CLUSTERED: PROMISED, INDEPENDENT: independent},
    )


def _independent(votes: int, spread: float, name: str) -> Setting:
    return Setting(
        f"{votes:,} independent votes{name}",
        Population(voters=votes, votes=votes, taste_sd=0.0, activity_sd=0.0, spread=spread),
        {INDEPENDENT: PROMISED, CLUSTERED: PROMISED},
    )


SETTINGS = (
    _independent(1_000, 0.7, ""),
    _independent(4_000, 0.7, ""),
    _independent(4_000, 0.0, " on equal models"),
    *(_dependent(voters, activity) for activity in (0.0, 1.5) for voters in (50, 200, 1_000)),
    _dependent(200, 1.5, 0.0, ", equal models"),
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the replicates of one setting say of one kind of interval.

    `coverage` is the share of models whose interval covers the population's rating, `error` its
    Monte-Carlo standard error, `ranks` the share of replicates whose rank ranges all hold; all over
    the replicates that gave intervals. `refused`: the share that gave none.
    """

    setting: str
    intervals: str
    replicates: int
    coverage: float
    error: float
    width: float
    ranks: float
    effective_voters: float
    refused: float
    kept: bool | None


# Of one replicate and one kind of interval: models covered, mean width, ranks covered, effective
# voters. NaN where no interval was given.
Replicate = tuple[float, float, float, float]


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few replicates: to see that it runs")
    parser.add_argument("--write-docs", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    if options.write_docs and options.quick:
        parser.error("--write-docs keeps whole runs only: leave out --quick")
    replicates = QUICK_REPLICATES if options.quick else REPLICATES
    rows: list[Coverage] = []
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        for setting in SETTINGS:
            shares = [
                range(start, min(start + _SHARE_OF_WORK, replicates))
                for start in range(0, replicates, _SHARE_OF_WORK)
            ]
            work = processes.map(partial(replicate, setting), shares)
            bar = tqdm(work, setting.name, len(shares), leave=False, disable=None)
            found = summed(setting, [row for share in bar for row in share])
            for row in found:
                print("  ".join(_cells(row)), flush=True)
            rows += found
    where = results.save(
        "coverage-quick" if options.quick else "coverage",
        {"machine": results.machine(), "rows": [asdict(row) for row in rows]},
    )
    print(f"kept in {where}")
    if options.write_docs:
        results.write_section(
            "coverage",
            f"{datetime.now(UTC):%Y-%m-%d}, {replicates:,} replicates of each setting. ± is the "
            "Monte-Carlo standard error.\n\n"
            + results.markdown_table(HEADER, [_cells(row) for row in rows]),
        )


def replicate(setting: Setting, seeds: Iterable[int]) -> list[dict[str, Replicate]]:
    """Draw votes from each seed and hold each kind of interval against the truth."""
    truth = projection(setting.population)
    return [_replicate(setting.population, truth, seed) for seed in seeds]


def _replicate(population: Population, truth: FloatArray, seed: int) -> dict[str, Replicate]:
    votes, voter = draw(population, np.random.default_rng((seed, population.voters)))
    sizes = np.bincount(voter)
    effective = len(voter) ** 2 / float((sizes.astype(float) ** 2).sum())
    return {
        INDEPENDENT: _held(standings(votes.cells(), seed=seed), truth, effective),
        CLUSTERED: _held(standings(votes, clusters=[voter], seed=seed), truth, effective),
    }


def _held(table: Standings, truth: FloatArray, effective: float) -> Replicate:
    if not np.isfinite(table.se).all():
        return math.nan, math.nan, math.nan, effective
    covered = (table.lower <= truth) & (truth <= table.upper)
    places = -np.round(truth, 6)
    # Equal models share all their places.
    in_range = (table.rank_low <= rankdata(places, method="min")) & (
        rankdata(places, method="max") <= table.rank_high
    )
    return (
        float(covered.mean()),
        float((table.upper - table.lower).mean()),
        float(in_range.all()),
        effective,
    )


def summed(setting: Setting, replicates: Sequence[dict[str, Replicate]]) -> list[Coverage]:
    """One row for each kind of interval."""
    rows = []
    for kind, bounds in setting.bounds.items():
        values = np.array([replicate[kind] for replicate in replicates])
        given = values[np.isfinite(values[:, 0])]
        count = len(given)
        covered, width, ranks, effective = given.mean(axis=0) if count else [math.nan] * 4
        ranks_kept = ranks >= RANKS_COVERED or bounds is not PROMISED
        rows.append(
            Coverage(
                setting=setting.name,
                intervals=kind,
                replicates=len(values),
                coverage=float(covered),
                error=float(given[:, 0].std(ddof=1) / math.sqrt(count)) if count > 1 else math.nan,
                width=float(width),
                ranks=float(ranks),
                effective_voters=float(effective),
                refused=1 - count / len(values),
                kept=bounds and bool(bounds[0] <= covered <= bounds[1] and ranks_kept),
            )
        )
    return rows


def _cells(row: Coverage) -> tuple[str, ...]:
    return (
        f"{row.setting:58}",
        f"{row.intervals:18}",
        f"{row.coverage:.1%} ± {row.error:.1%}",
        f"{row.width:6.1f}",
        f"{row.ranks:6.1%}",
        f"{row.effective_voters:7.1f}",
        f"{row.refused:6.1%}",
        "" if row.kept is None else "kept" if row.kept else "BROKEN",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
