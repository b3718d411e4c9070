"""The fit gives published numbers, agrees with other programs, and its errors are right."""

from __future__ import annotations

import evalica
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratings.core.bradley_terry import (
    POINTS_PER_LOG_ODDS,
    BradleyTerryFit,
    fit_bradley_terry,
)
from ratings.core.fitting import NoFiniteFitError
from ratings.core.outcomes import OutcomeCells, cells_from_votes
from tests.ratings.core.votes import chatbot_arena, connected_cells, drawn, real_votes, votes, won


def fit(cells: OutcomeCells) -> BradleyTerryFit:
    return fit_bradley_terry(cells.pairs(), models=cells.models)


def test_the_worked_example_of_the_encyclopedia() -> None:
    # "Bradley-Terry model", Wikipedia, worked example: strengths with geometric mean 1.
    cells = won([[0, 2, 0, 1], [3, 0, 5, 0], [0, 3, 0, 1], [4, 0, 3, 0]])

    strengths = np.exp(fit(cells).log_odds)

    assert np.round(strengths, 3).tolist() == [0.640, 1.043, 0.660, 2.270]


def test_the_citations_between_statistical_journals() -> None:
    # Stigler 1994; Agresti, Categorical Data Analysis; coefficients as the vignette of the R
    # package BradleyTerry2 prints them: Biometrika = 0, Comm. Statist., JASA, JRSS-B.
    cells = won([[0, 730, 498, 221], [33, 0, 68, 17], [320, 813, 0, 142], [284, 276, 325, 0]])

    log_odds = fit(cells).log_odds

    assert np.round(log_odds - log_odds[0], 5).tolist() == [0, -2.94907, -0.47957, 0.26895]


def peer_ratings(cells: OutcomeCells) -> np.ndarray:
    """Zero-mean points from evalica, run until it no longer moves."""
    pairs = cells.pairs()
    names = [str(model) for model in range(cells.models)]
    first, second, winners, weights = [], [], [], []
    for label, column in (
        (evalica.Winner.X, pairs.wins_first),
        (evalica.Winner.Y, pairs.wins_second),
        (evalica.Winner.Draw, pairs.ties),
    ):
        kept = column > 0
        first += [names[model] for model in pairs.first[kept]]
        second += [names[model] for model in pairs.second[kept]]
        winners += [label] * int(kept.sum())
        weights += column[kept].tolist()
    result = evalica.bradley_terry(
        first, second, winners, weights=weights, tolerance=1e-13, limit=100_000
    )
    log_odds = np.log(result.scores[names].to_numpy())
    return np.asarray(POINTS_PER_LOG_ODDS * (log_odds - log_odds.mean()))


def test_real_arena_votes_are_rated_as_a_peer_rates_them() -> None:
    cells, _ = chatbot_arena()

    ours = fit(cells)

    assert cells.votes == 1_670_250
    assert ours.gradient <= 1e-10
    assert np.abs(ours.ratings - 1000 - peer_ratings(cells)).max() < 1e-4


def test_the_golden_scores_of_a_peer() -> None:
    lines = real_votes("llmfao_golden_evalica.csv").read_text().splitlines()[1:]
    golden = {
        line.split(",")[1]: float(line.split(",")[2])
        for line in lines
        if line.startswith("bradley_terry,")
    }
    rows = [line.split(",")[:3] for line in real_votes("llmfao_crowd.csv").read_text().splitlines()]
    names = sorted(golden)
    number = {name: index for index, name in enumerate(names)}
    outcomes = {"model_a": 0, "model_b": 1, "tie": 2}
    cells = votes(
        *((number[a], number[b], outcomes[winner]) for a, b, winner in rows[1:]), models=len(names)
    )

    strengths = np.exp(fit(cells).log_odds)

    expected = np.array([golden[name] for name in names])
    points = POINTS_PER_LOG_ODDS * np.log(
        (strengths / strengths.sum()) / (expected / expected.sum())
    )
    assert np.abs(points).max() < 1e-4


def test_steep_votes_are_fitted_and_not_overshot() -> None:
    ratings = fit(won([[0, 10**9, 0], [1, 0, 10**9], [0, 1, 0]])).log_odds

    assert ratings == pytest.approx([np.log(1e9), 0, -np.log(1e9)], abs=1e-9)


@given(connected_cells(), st.data())
@settings(max_examples=60, deadline=None)
def test_the_names_of_the_models_do_not_matter(cells: OutcomeCells, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(cells.models))))

    straight, shuffled = fit(cells), fit(cells.restricted_to(order))

    assert shuffled.ratings == pytest.approx(straight.ratings[order], abs=1e-6)
    assert shuffled.covariance == pytest.approx(straight.covariance[np.ix_(order, order)], abs=1e-7)


@given(connected_cells())
@settings(max_examples=60, deadline=None)
def test_the_side_on_which_a_model_was_shown_does_not_matter(cells: OutcomeCells) -> None:
    swapped = OutcomeCells(cells.counts.transpose(1, 0, 2)[:, :, [1, 0, 2, 3]])

    assert fit(swapped).ratings == pytest.approx(fit(cells).ratings, abs=1e-6)


@given(connected_cells(), st.integers(2, 9))
@settings(max_examples=60, deadline=None)
def test_every_vote_repeated_leaves_ratings_and_divides_the_variance(
    cells: OutcomeCells, times: int
) -> None:
    once, often = fit(cells), fit(OutcomeCells(cells.counts * times))

    assert often.ratings == pytest.approx(once.ratings, abs=1e-6)
    assert often.covariance * times == pytest.approx(once.covariance, abs=1e-7)


def test_the_sandwich_agrees_with_refits_of_resampled_votes() -> None:
    a, b, outcome = drawn(6, 1500, seed=3)
    random = np.random.default_rng(4)

    def refit() -> np.ndarray:
        row = random.integers(0, len(a), len(a))
        return fit(cells_from_votes(a[row], b[row], outcome[row], models=6)).log_odds

    resampled = np.cov(np.array([refit() for _ in range(400)]).T)

    covariance = fit(cells_from_votes(a, b, outcome, models=6)).covariance
    for i, j in ((0, 1), (2, 5), (3, 4)):
        contrast = np.eye(6)[i] - np.eye(6)[j]
        ratio = (contrast @ covariance @ contrast) / (contrast @ resampled @ contrast)
        assert 0.75 < ratio < 1.33
    assert covariance.sum(axis=0) == pytest.approx(0, abs=1e-12)


def test_votes_without_a_finite_maximum_are_refused() -> None:
    for cells in (
        votes((0, 1, 0), models=2),
        votes((0, 1, 2), (2, 3, 2), models=4),
        votes((0, 1, 2), models=3),
    ):
        with pytest.raises(NoFiniteFitError):
            fit(cells)


def test_two_models_that_only_tied_have_ratings_but_no_interval() -> None:
    result = fit(votes((0, 1, 2), (0, 1, 2), (1, 2, 0), (1, 2, 1), (2, 3, 0), (3, 2, 0), models=4))

    assert result.ratings == pytest.approx([1000] * 4)
    assert result.has_interval.tolist() == [False, True, True, True]
