"""Votes drawn anew have the law that their names promise."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.special import gammainc, ndtri
from scipy.stats import binom, chisquare, kstest, multinomial, poisson
from scipy.stats import gamma as gamma_law

from ratings.core import resampling
from ratings.core.outcomes import PairCounts, VoteDataError
from ratings.core.resampling import GammaCells, MultinomialCells, VoteCells

# Looked up in tables up to 64, drawn by numpy above.
COUNTS = np.array([1, 1, 2, 3, 5, 8, 40, 60, 70, 200])


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(seed))


def plausibility(seen: np.ndarray, expected: np.ndarray) -> float:
    """Of counts, by the chi-square test; those expected less than five times are taken together."""
    often = expected >= 5
    parts = [(seen[often], expected[often])]
    if expected[~often].sum() > 0.5:
        parts.append((seen[~often].sum(keepdims=True), expected[~often].sum(keepdims=True)))
    counted, meant = (np.concatenate(side) for side in zip(*parts, strict=True))
    return float(chisquare(counted, meant * counted.sum() / meant.sum()).pvalue)


def test_every_round_draws_exactly_as_many_votes_as_there_are() -> None:
    drawn = MultinomialCells(COUNTS).draw(generator(), 5_000)

    assert drawn.shape == (10, 5_000)
    assert set(drawn.sum(axis=0)) == {float(COUNTS.sum())}
    assert drawn.min() == 0


def test_drawn_counts_have_the_moments_of_the_multinomial() -> None:
    rounds, votes = 40_000, COUNTS.sum()

    drawn = MultinomialCells(COUNTS).draw(generator(2), rounds)

    share = COUNTS / votes
    variance = COUNTS * (1 - share)
    assert np.abs((drawn.mean(axis=1) - COUNTS) / np.sqrt(variance / rounds)).max() < 4.5
    assert drawn.var(axis=1) / variance == pytest.approx(1, abs=0.06)
    covariance = np.cov(drawn)
    assert covariance[8, 9] == pytest.approx(-votes * share[8] * share[9], rel=0.1)
    assert covariance[6, 7] == pytest.approx(-votes * share[6] * share[7], abs=1.0)


@pytest.mark.parametrize("cell", [0, 3, 5, 7, 9])
def test_each_cell_is_binomial(cell: int) -> None:
    rounds, votes = 20_000, int(COUNTS.sum())
    drawn = MultinomialCells(COUNTS).draw(generator(3), rounds)[cell]

    seen = np.bincount(drawn.astype(int), minlength=votes + 1)
    expected = rounds * binom(votes, COUNTS[cell] / votes).pmf(np.arange(votes + 1))
    assert plausibility(seen, expected) > 1e-3


@pytest.mark.parametrize("counts", [[1, 1, 2], [1, 2, 6]])
@pytest.mark.parametrize("at_once", [1, 4_000])
def test_few_votes_are_drawn_together_as_the_multinomial_has_it(
    counts: list[int], at_once: int
) -> None:
    votes, random = sum(counts), generator(4)
    cells = MultinomialCells(np.array(counts))

    drawn = np.hstack([cells.draw(random, at_once) for _ in range(4_000 // at_once)])

    outcomes = [o for o in itertools.product(range(votes + 1), repeat=3) if sum(o) == votes]
    seen = np.array([(np.array(o) == drawn.T).all(axis=1).sum() for o in outcomes])
    expected = 4_000 * multinomial(votes, np.array(counts) / votes).pmf(outcomes)
    assert plausibility(seen, expected) > 1e-3


@pytest.mark.parametrize("mean", [0.7, 12.0])
def test_the_table_is_poisson_where_a_slice_holds_several_counts(
    mean: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resampling, "_SLICES", 16)
    rounds = 50_000

    drawn = resampling._PoissonTable(mean).draw(generator(5), (1, rounds))[0]

    seen = np.bincount(drawn, minlength=60)
    expected = rounds * poisson.pmf(np.arange(60), mean)
    assert plausibility(seen, expected) > 1e-3


@pytest.mark.parametrize("count", [1, 4, 15, 16, 100, 10_000])
def test_the_weight_of_a_cell_is_gamma(count: int) -> None:
    weights = GammaCells(np.array([count])).draw(generator(6), 20_000)[0]

    assert kstest(weights, gamma_law(count).cdf).pvalue > 1e-3


def test_weights_of_cells_are_independent_and_in_their_order() -> None:
    counts = np.array([1, 2, 2, 15, 16, 300])

    weights = GammaCells(counts).draw(generator(7), 20_000)

    assert weights.mean(axis=1) == pytest.approx(counts, rel=0.05)
    assert np.abs(np.corrcoef(weights) - np.eye(6)).max() < 0.04


def test_the_approximation_is_as_close_as_is_promised() -> None:
    class Quantiles:
        """In place of normal draws: the quantiles of equally likely slices."""

        def standard_normal(self, shape: tuple[int, int]) -> np.ndarray:
            return np.asarray(ndtri((np.arange(shape[1]) + 0.5) / shape[1])[None])

    count, points = resampling.WILSON_HILFERTY_VOTES, 2_000_000

    weights = GammaCells(np.array([count])).draw(Quantiles(), points)[0]  # type: ignore[arg-type]

    reached = (np.arange(points) + 0.5) / points
    assert np.abs(gammainc(count, weights) - reached).max() < 4e-4
    assert weights.mean() / count == pytest.approx(1, abs=1e-6)
    assert weights.std() / math.sqrt(count) == pytest.approx(1, abs=2e-5)


def test_cells_are_the_kinds_of_votes_that_came() -> None:
    pairs = PairCounts(
        first=np.array([0, 0]),
        second=np.array([1, 2]),
        wins_first=np.array([5.0, 0.0]),
        wins_second=np.array([2.0, 4.0]),
        ties=np.array([0.0, 1.0]),
    )

    cells = VoteCells(pairs)

    assert cells.counts.tolist() == [1, 2, 4, 5]
    same = cells.replicate(cells.counts.astype(float))
    for name in ("first", "second", "wins_first", "wins_second", "ties"):
        assert getattr(same, name).tolist() == getattr(pairs, name).tolist()


def test_parts_of_votes_cannot_be_drawn() -> None:
    half = np.array([0.5])
    pairs = PairCounts(np.array([0]), np.array([1]), half, half, half)

    with pytest.raises(VoteDataError, match="whole numbers"):
        VoteCells(pairs)


def test_huge_counts_in_few_cells_are_drawn_without_drawing_vote_by_vote() -> None:
    counts = np.array([3, 10**9, 10**12])

    drawn = MultinomialCells(counts).draw(generator(4), 2_000)

    assert set(drawn.sum(axis=0)) == {float(counts.sum())}
    deviation = (drawn - counts[:, None]) / np.sqrt(counts * (1 - counts / counts.sum()))[:, None]
    assert np.abs(deviation.mean(axis=1)).max() < 4.5 / np.sqrt(2_000)
    assert deviation.std(axis=1) == pytest.approx(1, abs=0.08)
