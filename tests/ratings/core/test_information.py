"""What the next vote is worth: beliefs that are always finite, gains, and drawing probabilities."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from ratings.core.bradley_terry import fit_bradley_terry
from ratings.core.information import (
    FLOOR,
    LIMIT,
    PRIOR_SD,
    Beliefs,
    beliefs_from_votes,
    doubt_weights,
    drawing_probabilities,
    no_beliefs,
    pair_gains,
)
from ratings.core.outcomes import OutcomeCells, cells_from_votes
from tests.ratings.core.votes import connected_cells, drawn, votes, won


def beliefs(cells: OutcomeCells, *, prior_sd: float = PRIOR_SD) -> Beliefs:
    return beliefs_from_votes(cells.pairs(), models=cells.models, prior_sd=prior_sd)


def misordered(gap: float, variance: float, believed: Beliefs, first: int, second: int) -> float:
    """P(an estimate of this variance orders the two wrongly), averaged over the beliefs."""
    sd = np.sqrt(gap_variance(believed, first, second))
    return float(
        quad(
            lambda true: norm.cdf(-abs(true) / np.sqrt(variance)) * norm.pdf(true, gap, sd),
            gap - 10 * sd,
            gap + 10 * sd,
            points=[0.0, gap],
            epsabs=1e-12,
        )[0]
    )


def gap_variance(believed: Beliefs, first: int, second: int) -> float:
    covariance = believed.covariance
    return float(
        covariance[first, first] + covariance[second, second] - 2 * covariance[first, second]
    )


@given(connected_cells())
def test_a_weak_prior_changes_nothing_about_the_maximum_likelihood_fit(cells):
    fit = fit_bradley_terry(cells.pairs(), models=cells.models)

    believed = beliefs(cells, prior_sd=1e4)

    assert believed.log_odds == pytest.approx(fit.log_odds, abs=1e-5)


def test_the_belief_is_where_votes_and_prior_pull_alike():
    pairs = won([[0, 9, 1], [3, 0, 0], [0, 2, 0]]).pairs()

    log_odds = beliefs(won([[0, 9, 1], [3, 0, 0], [0, 2, 0]]), prior_sd=0.5).log_odds

    expected = 1 / (1 + np.exp(log_odds[pairs.second] - log_odds[pairs.first]))
    surplus = pairs.wins_first - pairs.votes * expected
    pull = pairs.summed_by_model(surplus, -surplus, models=3)
    assert pull == pytest.approx(log_odds / 0.25, abs=1e-6)


def test_new_unbeaten_and_unconnected_models_are_uncertain_but_finite():
    # 0 and 1 met often, 2 beat both always, 3 and 4 met each other only, 5 met nobody.
    cells = votes(
        *[(0, 1, 0), (1, 0, 0)] * 50, *[(2, 0, 0), (1, 2, 1)] * 3, *[(3, 4, 2)] * 4, models=6
    )

    believed = beliefs(cells)

    sd = np.sqrt(np.diag(believed.covariance))
    assert np.isfinite(believed.log_odds).all()
    assert believed.log_odds[2] == max(believed.log_odds) < 5
    assert (believed.log_odds[5], sd[5]) == (0, PRIOR_SD)
    assert sd[0] < sd[2] < sd[5]
    assert gap_variance(believed, 0, 1) < gap_variance(believed, 0, 3)


def test_a_million_votes_without_a_loss_still_have_an_answer():
    believed = beliefs(won([[0, 10**6, 0], [0, 0, 10**6], [0, 0, 0]]))

    assert np.isfinite(believed.log_odds).all()
    assert np.isfinite(pair_gains(believed)).all()


def test_a_model_never_heard_of_is_believed_by_the_prior_alone():
    believed = beliefs(won([[0, 5], [3, 0]]))

    some = believed.of(np.array([1, -1, 0]), prior_sd=0.5)

    assert some.log_odds.tolist() == [believed.log_odds[1], 0, believed.log_odds[0]]
    assert some.covariance[[0, 1, 2], [0, 1, 2]].tolist() == [
        believed.covariance[1, 1],
        0.25,
        believed.covariance[0, 0],
    ]
    assert some.covariance[0, 2] == believed.covariance[1, 0]
    assert (some.covariance[1, [0, 2]] == 0).all()


@pytest.mark.parametrize(("gap", "variance"), [(0.0, 1.0), (1.0, 0.5), (-1.5, 0.3), (3.0, 0.4)])
def test_the_doubt_in_an_order_is_the_derivative_of_the_misorder(gap, variance):
    believed = Beliefs(np.array([gap, 0.0]), np.diag([variance / 2, variance / 2]))
    step = variance * 1e-4

    weight = doubt_weights(np.array([gap]), np.array([variance]))

    rise = misordered(gap, variance + step, believed, 0, 1) - misordered(
        gap, variance - step, believed, 0, 1
    )
    assert weight == pytest.approx(rise / (2 * step), rel=1e-4)


def test_a_gain_is_what_one_vote_takes_off_every_gap_weighted_by_its_doubt():
    believed = beliefs(cells_from_votes(*drawn(5, 60, seed=3), models=5))
    pairs = list(combinations(range(5), 2))

    gains = pair_gains(believed)

    for gain, (i, j) in zip(gains, pairs, strict=True):
        # The information of one more vote between i and j, and the covariance with it.
        gap = believed.log_odds[i] - believed.log_odds[j]
        u = np.eye(5)[i] - np.eye(5)[j]
        information = np.outer(u, u) * np.exp(gap) / (1 + np.exp(gap)) ** 2
        after = Beliefs(
            believed.log_odds,
            np.linalg.inv(np.linalg.inv(believed.covariance) + information),
        )
        expected = sum(
            float(
                doubt_weights(
                    np.array([believed.log_odds[k] - believed.log_odds[m]]),
                    np.array([gap_variance(believed, k, m)]),
                )[0]
            )
            * (gap_variance(believed, k, m) - gap_variance(after, k, m))
            for k, m in pairs
        )
        assert gain == pytest.approx(expected, rel=1e-9)


def test_a_vote_that_settles_an_open_order_is_worth_more_than_one_that_repeats_a_settled_one():
    # 0 and 1 are alike; 2 is far behind both; all met equally often.
    cells = won([[0, 20, 39], [20, 0, 39], [1, 1, 0]])

    open_order, settled, also_settled = pair_gains(beliefs(cells))

    assert open_order > 3 * settled
    assert settled == pytest.approx(also_settled)


def test_with_nothing_known_every_pair_is_worth_the_same():
    gains = pair_gains(no_beliefs().of(np.full(7, -1)))

    assert gains.min() > 0
    assert gains == pytest.approx(np.full(21, gains[0]))
    assert drawing_probabilities(gains) == pytest.approx(np.full(21, 1 / 21))


@given(
    st.lists(st.floats(0, 1e12, allow_subnormal=True), min_size=1, max_size=60),
)
def test_probabilities_add_up_and_none_is_below_the_floor_or_above_the_limit(gains):
    pairs = len(gains)

    probabilities = drawing_probabilities(np.array(gains))

    assert probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert probabilities.min() >= FLOOR / pairs * (1 - 1e-12)
    # What is cut off above the limit is spread over all pairs.
    assert probabilities.max() <= min((LIMIT * (1 - FLOOR) + 1) / pairs, 1) * (1 + 1e-12)


def test_the_more_a_pair_teaches_the_likelier_it_is():
    probabilities = drawing_probabilities(np.array([1.0, 1.2, 0.4, 0.0]))

    assert np.argsort(probabilities).tolist() == [3, 2, 0, 1]
    assert probabilities[3] == pytest.approx(FLOOR / 4)


def test_where_every_order_is_settled_beyond_a_float_the_draw_is_uniform():
    believed = Beliefs(np.array([0.0, 100.0, 200.0]), np.eye(3) * 1e-4)

    assert drawing_probabilities(pair_gains(believed)) == pytest.approx(np.full(3, 1 / 3))
