"""Bootstrap by full refits, for fits with effects, and by one step for single votes with features.

Slower than `ratings.core.bootstrap`, which solves all rounds of plain Bradley-Terry together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ratings.core.clusters import multiplier_bootstrap
from ratings.core.comparisons import PairComparisons, VoteComparisons
from ratings.core.fitting import NoFiniteFitError, PairedFit, Shrinkage, fit
from ratings.core.outcomes import FloatArray
from ratings.core.resampling import MultinomialCells, VoteCells

_ROUNDS_AT_ONCE = 64


def refit_bootstrap(
    comparisons: PairComparisons,
    found: PairedFit,
    *,
    shrinkage: Shrinkage,
    rounds: int,
    seed: int,
) -> FloatArray:
    """Estimates of models and effects from as many votes drawn anew, shape (finite rounds, size).

    Each round is fitted from the start of the full fit; one without a finite maximum is left out,
    so there may be fewer rows than `rounds`.
    """
    cells = VoteCells(comparisons.pairs)
    resampler = MultinomialCells(cells.counts)
    random = np.random.Generator(np.random.SFC64(seed))
    estimates = []
    for begin in range(0, rounds, _ROUNDS_AT_ONCE):
        for drawn in resampler.draw(random, min(_ROUNDS_AT_ONCE, rounds - begin)).T:
            try:
                again = fit(
                    replace(comparisons, pairs=cells.replicate(drawn)),
                    likelihood=found.likelihood,
                    shrinkage=shrinkage,
                    start=found.log_odds,
                )
            except NoFiniteFitError:
                continue
            estimates.append(np.concatenate([again.log_odds, again.effects]))
    return np.array(estimates).reshape(-1, found.models + len(found.effects))


def one_step_bootstrap(
    comparisons: VoteComparisons, found: PairedFit, *, rounds: int, seed: int
) -> FloatArray:
    """Bayesian bootstrap of single votes by one step each, shape (rounds, models + effects)."""
    each = np.arange(len(comparisons.votes))
    return multiplier_bootstrap(comparisons, found, each, rounds=rounds, seed=seed)
