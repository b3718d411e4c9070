"""Each replicate is the fit of votes drawn anew, and their spread is the error of the ratings."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from ratings.core import bootstrap
from ratings.core.bootstrap import BootstrapKind, Replicates, bootstrap_bradley_terry
from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS, fit_bradley_terry
from ratings.core.comparisons import PairComparisons
from ratings.core.connectivity import connectivity
from ratings.core.fitting import NoFiniteFitError, Shrinkage, fit
from ratings.core.likelihoods import LIKELIHOODS
from ratings.core.outcomes import (
    FloatArray,
    OutcomeCells,
    PairCounts,
    VoteDataError,
    cells_from_votes,
)
from ratings.core.resampling import CellResampler, GammaCells, MultinomialCells, VoteCells
from tests.ratings.core.votes import (
    chatbot_arena,
    drawn,
    votes,
    won,
)

KINDS: tuple[BootstrapKind, ...] = get_args(BootstrapKind)

every_kind = pytest.mark.parametrize("kind", KINDS)


def arena(models: int, count: int, *, seed: int = 0, spread: float = 0.7) -> OutcomeCells:
    """Drawn votes, of the models that can be rated."""
    cells = cells_from_votes(*drawn(models, count, seed, spread=spread), models=models)
    return cells.restricted_to(connectivity(cells.pairs(), models=models).rated)


def drawn_again(
    pairs: PairCounts, kind: BootstrapKind, *, rounds: int, seed: int
) -> list[PairCounts]:
    """The votes of each replicate, as pairs."""
    cells = VoteCells(pairs)
    resampler: CellResampler = (
        MultinomialCells(cells.counts) if kind == "multinomial" else GammaCells(cells.counts)
    )
    counts = resampler.draw(np.random.Generator(np.random.SFC64(seed)), rounds)
    return [cells.replicate(column) for column in counts.T]


def standard_errors(covariance: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.diag(covariance)))


@pytest.fixture
def only_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds must be fitted together: one that would be fitted by itself fails."""
    monkeypatch.setattr(bootstrap._SharedSolver, "_alone", None)


@every_kind
def test_rounds_of_many_votes_are_fitted_together(kind: BootstrapKind, only_together: None) -> None:
    pairs = arena(20, 4_000).pairs()

    found = bootstrap_bradley_terry(pairs, models=20, rounds=60, kind=kind, seed=5)

    for row, again in zip(found.log_odds, drawn_again(pairs, kind, rounds=60, seed=5), strict=True):
        fitted = fit_bradley_terry(again, models=20).log_odds
        assert POINTS_PER_LOG_ODDS * np.abs(row - fitted).max() < 1e-3


@every_kind
@pytest.mark.parametrize(
    ("models", "count", "spread", "rounds"),
    [
        pytest.param(20, 600, 1.0, 50, id="few votes"),
        pytest.param(30, 1_500, 3.0, 50, id="steep"),
        pytest.param(8, 60, 1.0, 200, id="hardly any votes"),
    ],
)
def test_a_replicate_is_the_full_fit_of_its_votes(
    kind: BootstrapKind, models: int, count: int, spread: float, rounds: int
) -> None:
    cells = arena(models, count, spread=spread)
    pairs = cells.pairs()

    found = bootstrap_bradley_terry(pairs, models=cells.models, rounds=rounds, kind=kind, seed=5)

    for number, again in enumerate(drawn_again(pairs, kind, rounds=rounds, seed=5)):
        if found.finite[number]:
            fitted = fit_bradley_terry(again, models=cells.models).log_odds
            off = POINTS_PER_LOG_ODDS * np.abs(found.log_odds[number] - fitted).max()
            assert off < 1e-3
    assert found.finite.sum() > rounds / 2
    assert found.log_odds[found.finite].sum(axis=1) == pytest.approx(0, abs=1e-9)


@every_kind
def test_a_replicate_is_weighted_and_shrunk_as_the_fit_is(
    kind: BootstrapKind, only_together: None
) -> None:
    cells = arena(6, 300)
    pairs = cells.pairs()
    weights = np.random.default_rng(1).uniform(0.2, 3, (6, 6))
    weights = weights + weights.T
    shrinkage = Shrinkage(prior=4.0, ridge=0.5)

    found = bootstrap_bradley_terry(
        pairs, models=6, rounds=20, kind=kind, seed=2, weights=weights, shrinkage=shrinkage
    )

    for row, again in zip(found.log_odds, drawn_again(pairs, kind, rounds=20, seed=2), strict=True):
        fitted = fit(
            PairComparisons(again, 6, weights),
            likelihood=LIKELIHOODS["bradley-terry"],
            shrinkage=shrinkage,
        )
        assert POINTS_PER_LOG_ODDS * np.abs(row - fitted.log_odds).max() < 1e-3


@every_kind
def test_the_order_in_which_a_pair_is_counted_does_not_matter_to_its_fit(
    kind: BootstrapKind,
) -> None:
    cells = arena(6, 200)
    pairs = cells.ordered_pairs()

    found = bootstrap_bradley_terry(pairs, models=6, rounds=20, kind=kind, seed=3)

    for row, again in zip(found.log_odds, drawn_again(pairs, kind, rounds=20, seed=3), strict=True):
        fitted = fit_bradley_terry(again, models=6).log_odds
        assert POINTS_PER_LOG_ODDS * np.abs(row - fitted).max() < 1e-3


def test_rounds_in_several_blocks_follow_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = arena(6, 300).pairs()
    cells = VoteCells(pairs)
    monkeypatch.setattr(bootstrap, "_BLOCK_NUMBERS", 3 * len(cells.counts))

    found = bootstrap_bradley_terry(pairs, models=6, rounds=7, seed=4)

    random = np.random.Generator(np.random.SFC64(4))
    multinomial = MultinomialCells(cells.counts)
    counts = np.hstack([multinomial.draw(random, rounds) for rounds in (3, 3, 1)])
    for row, column in zip(found.log_odds, counts.T, strict=True):
        assert row == pytest.approx(
            fit_bradley_terry(cells.replicate(column), models=6).log_odds, abs=1e-5
        )


@every_kind
def test_the_seed_decides_the_replicates(kind: BootstrapKind) -> None:
    pairs = arena(6, 300).pairs()

    once, again, other = (
        bootstrap_bradley_terry(pairs, models=6, rounds=30, kind=kind, seed=seed).log_odds
        for seed in (1, 1, 2)
    )

    assert np.array_equal(once, again)
    assert not np.isclose(once, other).any()


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(votes((0, 1, 0), (1, 0, 0), (1, 2, 0), (2, 1, 2), models=3), id="chain"),
        pytest.param(won([[0, 3, 0], [0, 0, 2], [2, 0, 0]]), id="cycle without two-way pairs"),
        pytest.param(arena(8, 60, spread=1.0), id="hardly any votes"),
        pytest.param(arena(5, 25, seed=3, spread=1.5), id="very few votes"),
    ],
)
@pytest.mark.parametrize("ordered", [False, True])
def test_rounds_without_a_finite_maximum_are_told_and_never_used(
    cells: OutcomeCells, ordered: bool
) -> None:
    models = cells.models
    pairs = cells.ordered_pairs() if ordered else cells.pairs()

    found = bootstrap_bradley_terry(pairs, models=models, rounds=200, seed=6)

    connected = [
        len(connectivity(again, models=models).rated) == models
        for again in drawn_again(pairs, "multinomial", rounds=200, seed=6)
    ]
    assert found.finite.tolist() == connected
    assert 0 < found.infinite < 200
    assert np.isnan(found.log_odds[~found.finite]).all()
    assert np.isfinite(found.log_odds[found.finite]).all()
    assert np.isfinite(found.covariance()).all()
    assert np.isfinite(found.intervals()).all()


def test_a_single_vote_that_connects_is_missing_in_a_third_of_the_multinomial_rounds() -> None:
    cells = won([[0, 40, 0], [40, 0, 1], [0, 30, 0]])
    pairs = cells.pairs()

    multinomial = bootstrap_bradley_terry(pairs, models=3, seed=7)
    bayesian = bootstrap_bradley_terry(pairs, models=3, kind="bayesian", seed=7)

    assert multinomial.infinite / 1_000 == pytest.approx((1 - 1 / 111) ** 111, abs=0.05)
    assert bayesian.infinite == 0


def test_a_prior_leaves_every_round_finite() -> None:
    cells = won([[0, 5, 0], [3, 0, 0], [0, 0, 0]])

    found = bootstrap_bradley_terry(
        cells.pairs(), models=3, rounds=200, seed=8, shrinkage=Shrinkage(prior=1.0)
    )

    assert found.infinite == 0


@every_kind
def test_the_spread_of_the_replicates_agrees_with_the_sandwich(kind: BootstrapKind) -> None:
    cells = arena(12, 6_000, seed=9)
    pairs = cells.pairs()

    covariance = bootstrap_bradley_terry(
        pairs, models=12, rounds=4_000, kind=kind, seed=9
    ).covariance()

    sandwich = fit_bradley_terry(pairs, models=12).covariance
    assert standard_errors(covariance) / standard_errors(sandwich) == pytest.approx(1, abs=0.06)
    for i, j in ((0, 1), (3, 9), (5, 11)):
        contrast = np.eye(12)[i] - np.eye(12)[j]
        ratio = (contrast @ covariance @ contrast) / (contrast @ sandwich @ contrast)
        assert ratio == pytest.approx(1, abs=0.12)


@every_kind
def test_the_spread_agrees_with_the_sandwich_on_real_arena_votes(kind: BootstrapKind) -> None:
    cells, _ = chatbot_arena()
    pairs = cells.pairs()

    found = bootstrap_bradley_terry(pairs, models=cells.models, kind=kind, seed=10)

    sandwich = fit_bradley_terry(pairs, models=cells.models).covariance
    ratio = standard_errors(found.covariance()) / standard_errors(sandwich)
    assert found.infinite == 0
    assert np.median(ratio) == pytest.approx(1, abs=0.015)
    assert ratio == pytest.approx(1, abs=0.12)


def test_a_tie_drawn_as_two_halves_would_count_for_two_votes() -> None:
    pairs = arena(8, 8_000, seed=11, spread=0.3).pairs()
    assert pairs.ties.sum() / pairs.votes.sum() > 0.2
    half = np.floor(pairs.ties / 2)
    decided = PairCounts(
        pairs.first,
        pairs.second,
        pairs.wins_first + half,
        pairs.wins_second + pairs.ties - half,
        np.zeros_like(half),
    )

    right, wrong = (
        standard_errors(bootstrap_bradley_terry(way, models=8, rounds=2_000, seed=12).covariance())
        for way in (pairs, decided)
    )

    sandwich = standard_errors(fit_bradley_terry(pairs, models=8).covariance)
    assert np.median(right / sandwich) == pytest.approx(1, abs=0.04)
    assert np.median(wrong / sandwich) > 1.1


def test_intervals_are_percentiles_of_centred_ratings_and_of_differences() -> None:
    pairs = arena(6, 300).pairs()

    found = bootstrap_bradley_terry(pairs, models=6, rounds=999, seed=13)

    lower, upper = found.intervals(0.8)
    inside = (found.log_odds >= lower) & (found.log_odds <= upper)
    assert inside.mean(axis=0) == pytest.approx(0.8, abs=0.005)
    difference = found.log_odds[:, 2] - found.log_odds[:, 4]
    low, high = found.difference_interval(2, 4, 0.8)
    assert ((difference >= low) & (difference <= high)).mean() == pytest.approx(0.8, abs=0.005)
    assert found.difference_interval(4, 2, 0.8) == pytest.approx((-high, -low))


def test_no_round_means_no_numbers() -> None:
    none = Replicates(log_odds=np.full((3, 2), np.nan), finite=np.zeros(3, dtype=np.bool_))

    assert none.infinite == 3
    assert np.isnan(none.covariance()).all()
    assert np.isnan(none.intervals()).all()
    assert np.isnan(none.difference_interval(0, 1)).all()


def test_what_cannot_be_drawn_or_rated_is_refused() -> None:
    cells = arena(6, 300)

    with pytest.raises(NoFiniteFitError, match="do not connect"):
        bootstrap_bradley_terry(votes((0, 1, 0), models=2).pairs(), models=2)
    with pytest.raises(ValueError, match="rounds is 0"):
        bootstrap_bradley_terry(cells.pairs(), models=6, rounds=0)
    with pytest.raises(ValueError, match="level is 95"):
        bootstrap_bradley_terry(cells.pairs(), models=6, rounds=2).intervals(95)
    pairs = cells.pairs()
    part = PairCounts(pairs.first, pairs.second, pairs.wins_first / 3, pairs.ties, pairs.ties)
    with pytest.raises(VoteDataError, match="whole numbers"):
        bootstrap_bradley_terry(part, models=6, rounds=2)
