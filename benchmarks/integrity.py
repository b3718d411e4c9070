"""What rigging gains, with and without each defence, and what honest voters lose by it.

`python -m benchmarks.integrity` simulates each attack at three sizes and prints the target's gain
in ranks and points, who is found, and the honest votes lost; then what submitting many copies of a
model gains; then how many honest voters our outlier test and FastChat's drop when nobody rigs; then
the calibration of our test (`benchmarks.integrity_voters`). `--quick` is the same with little of
each; `--write-docs` puts the tables into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
from scipy.stats import t as student
from tqdm import tqdm

from benchmarks import integrity_voters, results
from benchmarks.fastchat_outliers import fastchat_outliers
from ratings.core.voter_tests import VoterVotes, outlier_voters
from ratings.simulation.defences import ALL, DEFENCES, FLAGGED_OUT, NONE
from ratings.simulation.effects import Effect, effects_of
from ratings.simulation.kinds import CONDUCT, Attack, Kind
from ratings.simulation.variants import selection
from ratings.simulation.votes import simulate
from ratings.simulation.worlds import World

# The chance that any honest voter at all is found, for each test of voters.
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated."""

    world: World
    kinds: tuple[Kind, ...]
    shares: tuple[float, ...]
    replicates: int
    copies: tuple[int, ...]
    votes_per_model: int
    ties: tuple[float, ...]
    spreads: tuple[float, ...]
    tastes: tuple[float, ...]


FULL = Size(
    world=World(gold_rate=0.05),
    kinds=tuple(CONDUCT),
    shares=(0.01, 0.05, 0.1),
    replicates=6,
    copies=(3, 10, 27, 50),
    votes_per_model=3_000,
    ties=(0.0, 0.2, 0.35),
    spreads=(50.0, 140.0, 260.0),
    tastes=(0.0, 0.6),
)
QUICK = Size(
    world=World(models=6, voters=40, votes=1_500, gold_rate=0.05),
    kinds=(Kind.TARGET_ONLY_ABSTAINING, Kind.BURST),
    shares=(0.1,),
    replicates=2,
    copies=(5,),
    votes_per_model=200,
    ties=(0.35,),
    spreads=(260.0,),
    tastes=(0.0,),
)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over replicates and its 95 % Monte-Carlo half width by Student's t; None: none."""

    value: float | None
    half_width: float | None

    def __str__(self) -> str:
        return self.shown(1, "")

    def shown(self, factor: float, unit: str) -> str:
        """With one decimal, in units of 1/factor."""
        if self.value is None:
            return "-"
        width = f" ± {factor * self.half_width:.1f}" if self.half_width else ""
        return f"{factor * self.value:.1f}{unit}{width}"


@dataclass(frozen=True, slots=True)
class Row:
    """One attack of one size under one defence; means of the fields of Effect."""

    attack: str
    share: float
    defence: str
    means: dict[str, Mean]


@dataclass(frozen=True, slots=True)
class Copies:
    """What the best of so many copies of a model gains, in points and ranks."""

    copies: int
    points: Mean
    ranks: Mean
    fresh_points: Mean
    fresh_ranks: Mean


@dataclass(frozen=True, slots=True)
class Dropped:
    """Share of honest voters who are dropped when nobody rigs: 300 voters of 60 votes each."""

    ties: float
    spread: float
    taste: float
    fastchat: Mean
    ours: Mean


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.integrity", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of each: to see that it runs")
    parser.add_argument("--write-docs", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument(
        "--replicates", type=int, help=f"of each attack, {FULL.replicates} if not told"
    )
    options = parser.parse_args(arguments)
    if options.write_docs and options.quick:
        parser.error("--write-docs keeps whole runs only: leave out --quick")
    if options.replicates is not None and options.replicates < 1:
        parser.error("--replicates needs at least 1")
    size = QUICK if options.quick else FULL
    size = replace(size, replicates=options.replicates or size.replicates)
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        rows = attack_rows(size, processes)
        copies = copy_rows(size, processes)
        dropped = dropped_rows(size, processes)
    where = results.save(
        "integrity-quick" if options.quick else "integrity",
        {
            "machine": results.machine(),
            "level": LEVEL,
            "attacks": [asdict(row) for row in rows],
            "copies": [asdict(row) for row in copies],
            "dropped": [asdict(row) for row in dropped],
        },
    )
    print(f"kept in {where}")
    if options.write_docs:
        results.write_section("integrity", section(size, rows, copies, dropped))
    integrity_voters.main(arguments)


def attack_rows(size: Size, processes: ProcessPoolExecutor) -> list[Row]:
    """Simulate every attack at every size, and print what came out of each."""
    attacks = [Attack(kind, share) for share in size.shares for kind in size.kinds]
    work = [(attack, seed) for attack in attacks for seed in range(size.replicates)]
    done = processes.map(partial(_attacked, size.world), work)
    bar = iter(tqdm(done, "attacks", len(work), leave=False, disable=None))
    rows = []
    for attack in attacks:
        replicates = [next(bar) for _ in range(size.replicates)]
        for place, defence in enumerate(DEFENCES):
            effects = [replicate[place] for replicate in replicates]
            means = {
                field.name: _mean([getattr(effect, field.name) for effect in effects])
                for field in fields(Effect)
            }
            row = Row(attack.kind.label, attack.share, defence.name, means)
            rows.append(row)
            print("  ".join((row.attack, f"{attack.share:.0%}", row.defence, *_cells(row))))
    return rows


def _attacked(world: World, work: tuple[Attack, int]) -> list[Effect]:
    attack, seed = work
    effects = effects_of(simulate(world, [attack], seed=seed), DEFENCES, level=LEVEL, seed=seed)
    return [effect for effect, _ in effects]


def copy_rows(size: Size, processes: ProcessPoolExecutor) -> list[Copies]:
    """Let a provider submit ever more copies."""
    rows = []
    for count in size.copies:
        models = size.world.models
        world = World(
            models=models,
            voters=size.world.voters,
            votes=size.votes_per_model * (models + count - 1) // 2,
            variants=count,
        )
        # Selection is cheap to simulate and its gain small: more replicates than of an attack.
        seeds = range(4 * size.replicates)
        found = list(processes.map(partial(_selected, world), seeds))
        row = Copies(count, *(_mean(list(values)) for values in zip(*found, strict=True)))
        print(f"best of {count} copies  {row.points} points  {row.ranks} ranks", flush=True)
        rows.append(row)
    return rows


def _selected(world: World, seed: int) -> tuple[float, float, float, float]:
    found = selection(world, seed=seed)
    return (
        found.points_gained,
        found.ranks_gained,
        found.fresh_points_gained,
        found.fresh_ranks_gained,
    )


def dropped_rows(size: Size, processes: ProcessPoolExecutor) -> list[Dropped]:
    """Honest voters alone, by ties, spread and taste: whom do the tests drop?"""
    rows = []
    for taste in size.tastes:
        for ties in size.ties:
            for spread in size.spreads:
                world = World(
                    voters=300, votes=18_000, tie_share=ties, spread=spread,
                    taste_sd=taste, activity_sd=0.0, care_lapses=0.0, vote_share=1.0,
                )  # fmt: skip
                seeds = range(size.replicates)
                fastchat, ours = zip(*processes.map(partial(_dropped, world), seeds), strict=True)
                row = Dropped(ties, spread, taste, _mean(fastchat), _mean(ours))
                print(
                    f"nobody rigs, ties {ties:.0%}, spread {spread:.0f}, taste {taste}: "
                    f"FastChat drops {row.fastchat.shown(100, ' %')}, we flag "
                    f"{row.ours.shown(100, ' %')}",
                    flush=True,
                )
                rows.append(row)
    return rows


def _dropped(world: World, seed: int) -> tuple[float, float]:
    votes = simulate(world, seed=seed).votes
    tests = outlier_voters(
        VoterVotes(votes.model_a, votes.model_b, votes.outcome, votes.voter),
        models=world.models,
        level=LEVEL,
        seed=seed,
    )
    fastchat = fastchat_outliers(votes, models=world.models, level=LEVEL)
    return float(fastchat.mean()), float(tests.flagged.mean())


def section(
    size: Size, rows: Sequence[Row], copies: Sequence[Copies], dropped: Sequence[Dropped]
) -> str:
    """What is written into docs/benchmarks.md."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {size.replicates} replicates of each attack, four times as "
        "many of the copies; ± is the 95 % Monte-Carlo half width.\n\n"
        + tables(rows, copies, dropped)
    )


def tables(rows: Sequence[Row], copies: Sequence[Copies], dropped: Sequence[Dropped]) -> str:
    """The tables of docs/benchmarks.md."""
    cells = {(row.attack, row.share, row.defence): row.means for row in rows}
    attacks = list(dict.fromkeys((row.attack, row.share) for row in rows))
    largest = max(share for _, share in attacks)
    shown = (NONE.name, ALL.name, FLAGGED_OUT.name)

    def percent(key: tuple[str, float], defence: str, field: str) -> str:
        return cells[*key, defence][field].shown(100, " %")

    parts = [
        "### Ranks and points that the target gains\n",
        results.markdown_table(
            (
                "attack", "of all votes", *(f"ranks, {name}" for name in shown),
                *(f"points, {name}" for name in shown),
            ),
            [
                (
                    attack, f"{share:.0%}",
                    *(str(cells[attack, share, name]["rank_gained"]) for name in shown),
                    *(str(cells[attack, share, name]["points_gained"]) for name in shown),
                )
                for attack, share in attacks
            ],
        ),
        "\n### Who is found, and what honest voters lose\n",
        results.markdown_table(
            (
                "attack", "of all votes", "attackers found", "their votes excluded",
                "left out with flagged", "honest voters found", "honest votes excluded",
                "left out with flagged",
            ),
            [
                (
                    key[0], f"{key[1]:.0%}",
                    percent(key, ALL.name, "voters_found"),
                    percent(key, ALL.name, "votes_stopped"),
                    percent(key, FLAGGED_OUT.name, "votes_stopped"),
                    percent(key, ALL.name, "honest_found"),
                    percent(key, ALL.name, "honest_lost"),
                    percent(key, FLAGGED_OUT.name, "honest_lost"),
                )
                for key in attacks
            ],
        ),
        f"\n### Each defence alone: points gained by {largest:.0%} of the votes\n",
        results.markdown_table(
            ("attack", *(defence.name for defence in DEFENCES)),
            [
                (
                    attack,
                    *(str(cells[attack, share, d.name]["points_gained"]) for d in DEFENCES),
                )
                for attack, share in attacks
                if share == largest
            ],
        ),
        "\n### The best of many copies\n",
        results.markdown_table(
            ("copies", "points gained", "ranks", "points, fresh votes", "ranks, fresh votes"),
            [
                (str(row.copies), str(row.points), str(row.ranks), str(row.fresh_points),
                 str(row.fresh_ranks))
                for row in copies
            ],
        ),
        "\n### Honest voters dropped when nobody rigs\n",
        results.markdown_table(
            ("ties", "spread, points", "taste, log-odds", "FastChat's test", "ours"),
            [
                (f"{row.ties:.0%}", f"{row.spread:.0f}", f"{row.taste}",
                 row.fastchat.shown(100, " %"), row.ours.shown(100, " %"))
                for row in dropped
            ],
        ),
    ]  # fmt: skip
    return "\n".join(parts)


def _cells(row: Row) -> tuple[str, ...]:
    means = row.means
    return (
        f"ranks {means['rank_gained']}",
        f"points {means['points_gained']}",
        *(
            f"{name} {means[field].shown(100, ' %')}"
            for name, field in (
                ("found", "voters_found"),
                ("stopped", "votes_stopped"),
                ("honest lost", "honest_lost"),
            )
        ),
    )


def _mean(values: Iterable[float]) -> Mean:
    known = np.array([value for value in values if np.isfinite(value)])
    if not len(known):
        return Mean(None, None)
    if len(known) == 1:
        return Mean(float(known[0]), None)
    error = known.std(ddof=1) / np.sqrt(len(known))
    return Mean(float(known.mean()), float(student.ppf(0.975, len(known) - 1) * error))


if __name__ == "__main__":
    main(sys.argv[1:])
