"""Whom does the outlier test flag? Thousands of simulated arenas in which the truth is known.

`python -m benchmarks.integrity_voters` prints, for every tie share, spread of skills, difference of
tastes and number of votes, how many honest voters are flagged when nobody rigs and when a
fifth of the votes is lazy, position-biased or rigged, and how many of each kind of rigger are found
at the same level. `--quick` is a corner of the grid; `--write-docs` puts the tables into
docs/benchmarks.md.
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
from itertools import product

import numpy as np
from scipy.stats import beta, t
from tqdm import tqdm

from benchmarks import results
from ratings.core.voter_tests import VoterVotes, outlier_voters
from ratings.simulation.kinds import Attack, Kind
from ratings.simulation.votes import simulate
from ratings.simulation.worlds import World

LEVEL = 0.05
VOTERS = 150
REPLICATES, QUICK_REPLICATES = 20, 4
MOST_ANY, MOST_SHARE = 0.05, 0.01
CLEAN, MIXED = "nobody rigs", "a fifth lazy, biased or rigged"
ATTACKS: dict[str, tuple[Attack, ...]] = {
    CLEAN: (),
    MIXED: (
        Attack(Kind.LAZY, 0.05),
        Attack(Kind.POSITION_BIASED, 0.05),
        Attack(Kind.TARGET_ONLY, 0.04),
        Attack(Kind.OMNIPRESENT, 0.03),
        Attack(Kind.MIRRORED, 0.03),
    ),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting: `votes` of each of VOTERS honest voters, `spread` in rating points, `taste` in
    log-odds."""

    population: str
    votes: int
    taste: float
    spread: float
    ties: float

    def __str__(self) -> str:
        return (
            f"{self.population}: {self.votes} votes, taste {self.taste}, {self.spread:.0f} points, "
            f"{self.ties:.0%} ties"
        )


GRID = tuple(
    Cell(*setting)
    for setting in product(
        (CLEAN, MIXED), (10, 60, 300), (0.0, 0.3, 0.6), (50.0, 140.0, 260.0), (0.0, 0.2, 0.35)
    )
)
QUICK = tuple(
    Cell(population, 60, taste, spread, ties)
    for population, (taste, spread, ties) in product(
        (CLEAN, MIXED), ((0.0, 140.0, 0.0), (0.6, 50.0, 0.35), (0.6, 260.0, 0.2))
    )
)

# Of one replicate: honest voters, those of them flagged; by kind of the others the same two.
Counts = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """What the replicates of a cell say of honest voters.

    `share` is the mean share of honest voters flagged, `share_upper` its upper 95 % Monte-Carlo
    bound; `any_flagged` counts the replicates in which somebody honest was flagged. `found` is the
    share flagged of each other kind of voter.
    """

    cell: Cell
    replicates: int
    share: float
    share_upper: float
    any_flagged: int
    found: dict[str, float]

    @property
    def kept(self) -> bool:
        """Whether the share is surely small enough."""
        return self.share_upper <= MOST_SHARE


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.integrity_voters")
    parser.add_argument("--quick", action="store_true", help="a corner of the grid")
    parser.add_argument("--write-docs", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--replicates", type=int, help=f"of each setting, {REPLICATES} if not told")
    options = parser.parse_args(arguments)
    if options.write_docs and options.quick:
        parser.error("--write-docs keeps whole runs only: leave out --quick")
    replicates = options.replicates or (QUICK_REPLICATES if options.quick else REPLICATES)
    if replicates < 2:
        parser.error("--replicates must be at least 2: one says nothing of chance")
    found = rows(QUICK if options.quick else GRID, replicates=replicates)
    print(report(found))
    where = results.save(
        "integrity_voters-quick" if options.quick else "integrity_voters",
        {"machine": results.machine(), "rows": [asdict(row) for row in found]},
    )
    print(f"kept in {where}")
    if options.write_docs:
        results.write_section("integrity_voters", f"{datetime.now(UTC):%Y-%m-%d}. {report(found)}")


def rows(cells: Sequence[Cell], *, replicates: int) -> list[Row]:
    """A row for each cell, with progress; in as many processes as there are cores."""
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        work = processes.map(partial(row_of, seeds=range(replicates)), cells)
        return list(tqdm(work, "settings", len(cells), leave=False, disable=None))


def row_of(cell: Cell, seeds: Iterable[int]) -> Row:
    """Simulate a cell with each seed."""
    return summed(cell, [replicate(cell, seed) for seed in seeds])


def replicate(cell: Cell, seed: int) -> Counts:
    """Voters and flagged voters by kind, of one simulated arena."""
    world = World(
        voters=VOTERS,
        votes=VOTERS * cell.votes,
        spread=cell.spread,
        tie_share=cell.ties,
        taste_sd=cell.taste,
        activity_sd=0,
        vote_share=1,
    )
    votes = simulate(world, ATTACKS[cell.population], seed=seed).votes
    tests = outlier_voters(
        VoterVotes(votes.model_a, votes.model_b, votes.outcome, votes.voter),
        models=world.contestants,
        level=LEVEL,
        seed=seed,
    )
    voters, first = np.unique(votes.voter, return_index=True)
    kinds, flagged = votes.kind[first], tests.flagged[voters]
    return {
        Kind(kind).label: (int((kinds == kind).sum()), int(flagged[kinds == kind].sum()))
        for kind in np.unique(kinds)
    }


def summed(cell: Cell, counts: Sequence[Counts]) -> Row:
    """One row of the replicates of a cell, two at least."""
    honest = np.array([each[Kind.HONEST.label] for each in counts])
    shares = honest[:, 1] / honest[:, 0]
    others = {kind for each in counts for kind in each} - {Kind.HONEST.label}
    found = {}
    for kind in sorted(others):
        voters, flagged = np.array([each.get(kind, (0, 0)) for each in counts]).sum(axis=0)
        found[kind] = float(flagged / voters)
    # Where nobody was flagged the replicates do not differ, and voters are counted instead.
    by_voter = upper_bound(int(honest[:, 1].sum()), int(honest[:, 0].sum()))
    error = shares.std(ddof=1) / math.sqrt(len(shares))
    by_replicate = shares.mean() + t.ppf(0.95, len(shares) - 1) * error
    return Row(
        cell=cell,
        replicates=len(counts),
        share=float(shares.mean()),
        share_upper=float(max(by_voter, by_replicate)),
        any_flagged=int((honest[:, 1] > 0).sum()),
        found=found,
    )


def upper_bound(events: int, trials: int) -> float:
    """One-sided 95 % bound of Clopper and Pearson (1934)."""
    return 1.0 if events == trials else float(beta.ppf(0.95, events + 1, trials - events))


def report(found: Sequence[Row]) -> str:
    """Both promises over all settings, then power by number of votes, taste and spread."""
    lines = []
    for population in ATTACKS:
        mine = [row for row in found if row.cell.population == population]
        runs = sum(row.replicates for row in mine)
        events = sum(row.any_flagged for row in mine)
        worst = max(mine, key=lambda row: row.share_upper)
        broken = [str(row.cell) for row in mine if not row.kept]
        lines.append(
            f"{population.capitalize()}: somebody honest was flagged in {events} of {runs:,} "
            f"arenas ({events / runs:.1%}, at most {upper_bound(events, runs):.1%}); the share of "
            f"honest voters flagged is surely at most {worst.share_upper:.2%} in every one of "
            f"{len(mine)} settings"
            + (f", which BREAKS the promise in: {'; '.join(broken)}." if broken else ".")
        )
    power = [row for row in found if row.cell.population == MIXED]
    kinds = sorted({kind for row in power for kind in row.found})
    settings = dict.fromkeys((row.cell.votes, row.cell.taste, row.cell.spread) for row in power)
    table = results.markdown_table(
        ("votes of an honest voter, taste, spread", *kinds),
        [
            (
                f"{setting[0]}, {setting[1]}, {setting[2]:.0f} points",
                *(f"{_power(power, setting, kind):.0%}" for kind in kinds),
            )
            for setting in settings
        ],
    )
    lines += ["Share of the voters of each other kind who were flagged, all tie shares:", table]
    return "\n\n".join(lines)


def _power(power: Sequence[Row], setting: tuple[int, float, float], kind: str) -> float:
    mine = [
        row.found[kind]
        for row in power
        if (row.cell.votes, row.cell.taste, row.cell.spread) == setting and kind in row.found
    ]
    return float(np.mean(mine))


if __name__ == "__main__":
    main(sys.argv[1:])
