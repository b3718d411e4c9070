"""How many votes the uncertainty sampler saves, against uniform pairs, in simulated arenas.

Each arena has another truth, the same for both samplers. Probabilities are made anew after each
batch of votes, as they are from snapshot to snapshot. No promise hangs on these numbers: the choice
of ARENA_PAIR_SAMPLER rests on them (docs/pairing.md).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
from scipy.special import expit
from scipy.stats import norm
from tqdm import tqdm

from ratings.core.bradley_terry import fit_bradley_terry
from ratings.core.fitting import NoFiniteFitError
from ratings.core.information import (
    Beliefs,
    beliefs_from_votes,
    drawing_probabilities,
    pair_gains,
)
from ratings.core.outcomes import FloatArray, IntArray, PairCounts

Sampler = Literal["uniform", "uncertainty"]

# Log-odds; the real Chatbot Arena's models spread by 0.61.
SPREAD = 0.7
# Share of the less likely outcome's probability that goes to ties, from either side: ties are then
# about a quarter of the votes and half a win each keeps the expected share of wins Bradley-Terry.
TIES = 0.6
# A newcomer counts as known when the error of its log-odds, against the mean of the others, is
# below this standard deviation (35 points).
KNOWN_SD = 0.2


@dataclass(frozen=True)
class Arena:
    """How large, at how many votes the ranking is judged, and after how many it is refitted."""

    models: int
    checkpoints: tuple[int, ...]
    batch: int
    replicates: int


ARENAS = (
    Arena(models=6, checkpoints=(60, 120, 300, 600, 1_200, 2_400), batch=20, replicates=200),
    Arena(models=20, checkpoints=(400, 1_000, 2_000, 4_000, 8_000), batch=40, replicates=150),
    Arena(models=100, checkpoints=(2_000, 5_000, 10_000, 20_000), batch=200, replicates=40),
)
NEWCOMER = Arena(models=20, checkpoints=(), batch=10, replicates=60)
NEWCOMER_MET_BY = 4_000


@dataclass
class Votes:
    """Counted votes of every pair, and the odds at which they were drawn."""

    models: int
    first: IntArray = field(init=False)
    second: IntArray = field(init=False)
    counts: FloatArray = field(init=False)
    propensity_weights: list[FloatArray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first, self.second = np.triu_indices(self.models, k=1)
        self.counts = np.zeros((len(self.first), 3))

    @property
    def pairs(self) -> PairCounts:
        return PairCounts(self.first, self.second, *self.counts.T)

    def beliefs(self) -> Beliefs:
        return beliefs_from_votes(self.pairs, models=self.models)

    def probabilities(self, sampler: Sampler) -> FloatArray:
        if sampler == "uniform":
            return np.full(len(self.first), 1 / len(self.first))
        return drawing_probabilities(pair_gains(self.beliefs()))

    def cast(
        self, truth: FloatArray, probabilities: FloatArray, votes: int, random: np.random.Generator
    ) -> None:
        pair = random.choice(len(probabilities), votes, p=probabilities)
        self.propensity_weights.append(1 / len(probabilities) / probabilities[pair])
        win = expit(truth[self.first[pair]] - truth[self.second[pair]])
        half_tie = TIES * np.minimum(win, 1 - win) / 2
        chance = random.random(votes)
        outcome = np.select([chance < win - half_tie, chance > win + half_tie], [0, 1], default=2)
        np.add.at(self.counts, (pair, outcome), 1)

    def effective_share(self) -> float:
        """Effective sample size of the weights to uniform pairs, over the number of votes."""
        weights = np.concatenate(self.propensity_weights)
        return float(weights.sum() ** 2 / (weights**2).sum() / len(weights))


def judged(votes: Votes, truth: FloatArray) -> tuple[float, float, float, float]:
    """Misordered pairs in percent, coverage of the 95 % intervals of the differences (NaN where
    there is no fit), effective share of the weights, fewest battles of a model over the mean."""
    first, second = votes.first, votes.second
    gap = truth[first] - truth[second]
    believed = votes.beliefs().log_odds
    misordered = np.mean((believed[first] - believed[second]) * gap < 0)
    try:
        fit = fit_bradley_terry(votes.pairs, models=votes.models)
    except NoFiniteFitError:
        coverage = np.nan
    else:
        variance = np.diag(fit.covariance)
        error = np.sqrt(variance[first] + variance[second] - 2 * fit.covariance[first, second])
        miss = np.abs(fit.log_odds[first] - fit.log_odds[second] - gap)
        coverage = float(np.mean(miss <= norm.ppf(0.975) * error))
    battles = votes.pairs.votes_by_model(models=votes.models)
    return (
        100 * float(misordered),
        coverage,
        votes.effective_share(),
        battles.min() / battles.mean(),
    )


def ranked(seed: int, *, arena: Arena, sampler: Sampler) -> FloatArray:
    """What `judged` says at each checkpoint of one arena, shape (checkpoints, 4)."""
    truth = np.random.default_rng([seed, 0]).normal(0, SPREAD, arena.models)
    random = np.random.default_rng([seed, 1])
    votes = Votes(arena.models)
    rows = []
    for cast in range(arena.batch, arena.checkpoints[-1] + 1, arena.batch):
        votes.cast(truth, votes.probabilities(sampler), arena.batch, random)
        if cast in arena.checkpoints:
            rows.append(judged(votes, truth))
    return np.array(rows)


def newcomer(seed: int, *, arena: Arena, sampler: Sampler) -> float:
    """Votes in the whole arena until a newcomer, who joins models well known, is known too."""
    random = np.random.default_rng(seed)
    truth = random.normal(0, SPREAD, arena.models + 1)
    votes = Votes(arena.models + 1)
    old = (votes.second < arena.models).astype(np.float64)
    votes.cast(truth, old / old.sum(), NEWCOMER_MET_BY, random)
    cast = 0
    against_the_others = np.append(np.full(arena.models, -1 / arena.models), 1.0)
    while against_the_others @ votes.beliefs().covariance @ against_the_others > KNOWN_SD**2:
        votes.cast(truth, votes.probabilities(sampler), arena.batch, random)
        cast += arena.batch
    return float(cast)


def votes_needed(level: float, checkpoints: FloatArray, misordered: FloatArray) -> float:
    """Votes at which the curve falls to `level`, by straight lines between logarithms."""
    falling = np.log(misordered)[::-1]
    return float(np.exp(np.interp(np.log(level), falling, np.log(checkpoints)[::-1])))


def report_arena(arena: Arena, results: dict[Sampler, FloatArray]) -> None:
    """Print what both samplers came to; results have shape (replicates, checkpoints, 4).

    The share of votes needed is ours over that of uniform pairs at the same misorder, ESS the
    effective sample size of the weights to uniform pairs, least/mean the battles of the model that
    had fewest over the mean.
    """
    means = {sampler: np.nanmean(result, axis=0) for sampler, result in results.items()}
    uniform, ours = means["uniform"], means["uncertainty"]
    difference = results["uncertainty"][:, :, 0] - results["uniform"][:, :, 0]
    error = difference.std(axis=0, ddof=1) / np.sqrt(arena.replicates)
    checkpoints = np.array(arena.checkpoints, dtype=np.float64)
    print(f"\n{arena.models} models, {arena.replicates} arenas, refitted every {arena.batch} votes")
    print(
        "   votes  misordered: uniform  ours  (± se of gap)  share of votes needed   ESS"
        "   least/mean   coverage of 95 %: uniform  ours"
    )
    for row, votes in enumerate(arena.checkpoints):
        ratio = votes_needed(ours[row, 0], checkpoints, uniform[:, 0]) / votes
        same = f"{1 / ratio:.2f}" if ours[row, 0] > uniform[-1, 0] else "-"
        print(
            f"{votes:8,} {uniform[row, 0]:18.2f}% {ours[row, 0]:6.2f}% {error[row]:11.2f} "
            f"{same:>21} {ours[row, 2]:9.2f} {ours[row, 3]:10.2f} "
            f"{uniform[row, 1]:25.1%} {ours[row, 1]:6.1%}",
            flush=True,
        )


def main(arguments: Iterable[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pairing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and small arenas: a smoke run")
    quick = parser.parse_args(list(arguments)).quick
    arenas: tuple[Arena, ...] = ARENAS
    joined = NEWCOMER
    if quick:
        arenas = (Arena(models=5, checkpoints=(50, 100), batch=25, replicates=4),)
        joined = Arena(models=5, checkpoints=(), batch=50, replicates=4)
    samplers: tuple[Sampler, Sampler] = ("uniform", "uncertainty")
    with ProcessPoolExecutor(os.cpu_count()) as processes:

        def run(work: partial[FloatArray] | partial[float], arena: Arena, name: str) -> FloatArray:
            done = processes.map(work, range(arena.replicates))
            return np.array(list(tqdm(done, name, arena.replicates, leave=False, disable=None)))

        for arena in arenas:
            report_arena(
                arena,
                {
                    sampler: run(
                        partial(ranked, arena=arena, sampler=sampler),
                        arena,
                        f"{arena.models} models, {sampler}",
                    )
                    for sampler in samplers
                },
            )
        print(f"\na newcomer among {joined.models} models with {NEWCOMER_MET_BY:,} votes: "
              f"votes in the arena until its sd is {KNOWN_SD} log-odds")  # fmt: skip
        for sampler in samplers:
            votes = run(partial(newcomer, arena=joined, sampler=sampler), joined, sampler)
            print(f"{sampler:12} median {np.median(votes):6,.0f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
