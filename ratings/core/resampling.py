"""Resampled votes: how often each kind of vote could have come instead of how often it did.

A cell is a kind of vote: a pair and an outcome. Cells are resampled, never half-wins: a tie is one
vote, and as two halves it would count for two. Nothing is fitted here.

Sources: Efron 1979 (the bootstrap); Rubin 1981 (the Bayesian one); Wilson and Hilferty 1931.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr

from ratings.core.outcomes import FloatArray, IntArray, PairCounts, VoteDataError

# From this many votes on a gamma weight is drawn by the Wilson-Hilferty cube of a normal one.
WILSON_HILFERTY_VOTES = 16

# Poisson counts of cells with at most this many votes are looked up, the others left to numpy:
# most cells are small, many have the same count, and a look-up is ten times as fast.
_TABULATED_VOTES = 64
_SLICES = 1 << 16


class VoteCells:
    """The kinds of votes that came: `counts` ascending, and the pair and outcome of each.

    `outcome` is 0 where the first of the pair won, 1 where the second did, 2 for a tie.
    """

    def __init__(self, pairs: PairCounts) -> None:
        table = np.stack([pairs.wins_first, pairs.wins_second, pairs.ties])
        if not np.array_equal(table, np.rint(table)) or table.min(initial=0) < 0:
            raise VoteDataError("a bootstrap draws whole votes: counts must be whole numbers")
        outcome, pair = np.nonzero(table)
        counts = table[outcome, pair].astype(np.int64)
        order = np.argsort(counts, kind="stable")
        self.pairs = pairs
        self.counts: IntArray = counts[order]
        self.outcome: IntArray = outcome[order]
        self.pair: IntArray = pair[order]

    def replicate(self, drawn: FloatArray) -> PairCounts:
        """The votes of one round as pairs; `drawn` has shape (cells,)."""
        table = np.zeros((3, len(self.pairs.first)))
        table[self.outcome, self.pair] = drawn
        return PairCounts(self.pairs.first, self.pairs.second, *table)


class CellResampler(Protocol):
    """Draws weights of cells, shape (cells, rounds), whose mean is the counts."""

    def draw(self, random: np.random.Generator, rounds: int) -> FloatArray: ...


class MultinomialCells:
    """Exact: in each round as many votes as there are, each drawn from all of them alike.

    `counts` has shape (cells,), positive and ascending. Independent Poisson counts with a total
    somewhat too small are multinomial once their own total is known; the votes that are missing
    are then drawn one by one (or by the cell, where there are fewer cells), and a round with too
    many is drawn again.
    """

    def __init__(self, counts: IntArray) -> None:
        self._votes = int(counts.sum())
        self._ends = np.cumsum(counts)
        self._shares = counts / self._votes
        # Too many in one round of 44; the fewer are aimed at, the more are missing.
        aim = max(0.0, 1 - 2 / np.sqrt(self._votes))
        self._means = counts * aim
        self._tables = [
            (rows, _PoissonTable(count * aim))
            for count, rows in _runs(counts)
            if count <= _TABULATED_VOTES
        ]
        self._tabulated = self._tables[-1][0].stop if self._tables else 0

    def draw(self, random: np.random.Generator, rounds: int) -> FloatArray:
        drawn = self._poisson(random, rounds)
        missing = self._votes - drawn.sum(axis=0).astype(np.int64)
        while (again := np.flatnonzero(missing < 0)).size:
            drawn[:, again] = self._poisson(random, again.size)
            missing[again] = self._votes - drawn[:, again].sum(axis=0).astype(np.int64)
        if missing.mean() > len(self._ends):
            return drawn + random.multinomial(missing, self._shares).T
        vote = random.integers(0, self._votes, int(missing.sum()))
        # Sorted, the votes are found in their cells several times faster.
        vote = np.sort(vote * rounds + np.repeat(np.arange(rounds), missing))
        cell = np.searchsorted(self._ends * rounds, vote, side="right")
        np.add.at(drawn, (cell, vote % rounds), 1.0)
        return drawn

    def _poisson(self, random: np.random.Generator, rounds: int) -> FloatArray:
        drawn = np.empty((len(self._means), rounds))
        for rows, table in self._tables:
            drawn[rows] = table.draw(random, (rows.stop - rows.start, rounds))
        large = self._means[self._tabulated :, None]
        drawn[self._tabulated :] = random.poisson(large, (len(large), rounds))
        return drawn


class GammaCells:
    """The Bayesian bootstrap: each vote weighs a standard exponential, so n votes Gamma(n).

    `counts` has shape (cells,), positive and ascending. No weight is ever zero, so votes that
    connect the models still do. Weights are not scaled to the number of votes. From 16 votes a
    cell the Gamma is approximated as n (1 - 1/9n + z/(3 sqrt n))^3 with z standard normal: at 16
    the mean is off by 4e-7 of itself, the standard deviation by 1e-5 and the distribution function
    by at most 4e-4; all three fall with n.
    """

    def __init__(self, counts: IntArray) -> None:
        self._exact = int(np.searchsorted(counts, WILSON_HILFERTY_VOTES))
        self._small = _runs(counts[: self._exact])
        large = counts[self._exact :, None].astype(np.float64)
        self._slope = large ** (1 / 3) / (3 * np.sqrt(large))
        self._middle = large ** (1 / 3) * (1 - 1 / (9 * large))
        self._cells = len(counts)

    def draw(self, random: np.random.Generator, rounds: int) -> FloatArray:
        drawn = np.empty((self._cells, rounds))
        for count, rows in self._small:
            drawn[rows] = random.standard_gamma(count, (rows.stop - rows.start, rounds))
        root = random.standard_normal((self._cells - self._exact, rounds))
        root *= self._slope
        root += self._middle
        large = drawn[self._exact :]
        np.multiply(root, root, out=large)
        large *= root
        return drawn


class _PoissonTable:
    """Poisson counts by inversion of the distribution function.

    Sixteen random bits pick one of 65,536 slices of the unit interval. Most slices lie within one
    count; in the few that do not, 53 more bits say where.
    """

    def __init__(self, mean: float) -> None:
        largest = int(mean + 12 * np.sqrt(mean) + 40)
        self._ends = pdtr(np.arange(largest + 1), mean)
        edges = np.arange(_SLICES + 1) / _SLICES
        low = np.searchsorted(self._ends, edges[:-1], side="right")
        high = np.searchsorted(self._ends, edges[1:], side="left")
        self._counts = np.where(low == high, low, -1).astype(np.int16)

    def draw(self, random: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.int16]:
        piece = random.integers(0, _SLICES, shape[0] * shape[1], dtype=np.uint16)
        counts = self._counts.take(piece)
        split = np.flatnonzero(counts < 0)
        place = (piece[split] + random.random(len(split))) / _SLICES
        counts[split] = np.searchsorted(self._ends, place, side="right")
        return counts.reshape(shape)


def _runs(counts: IntArray) -> list[tuple[int, slice]]:
    """Each distinct count with the rows that have it, of ascending counts."""
    found, starts = np.unique(counts, return_index=True)
    ends = pairwise([*starts.tolist(), len(counts)])
    return [(count, slice(*rows)) for count, rows in zip(found.tolist(), ends, strict=True)]
