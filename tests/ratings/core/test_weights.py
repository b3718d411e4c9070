"""What a vote of a pair weighs, and what is refused as a weight."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ratings.core.comparisons import PairComparisons
from ratings.core.fitting import fit
from ratings.core.likelihoods import LIKELIHOODS
from ratings.core.outcomes import FloatArray, VoteDataError, Votes
from ratings.core.weights import (
    balanced_weights,
    effective_sample_size,
    propensity_weights,
    refuse_bad_weights,
)
from tests.ratings.core.votes import votes


def test_pairs_weigh_the_inverse_of_their_votes_once_they_have_enough() -> None:
    cells = votes(*[(0, 1, 0)] * 70, *[(1, 0, 0)] * 30, (1, 2, 0), models=3)

    weights = balanced_weights(cells, fewest=50)

    assert weights[1, 2] / weights[0, 1] == pytest.approx(2)
    assert weights[0, 2] == weights[1, 2] == weights[2, 1]
    # Over the votes the mean weight is 1, so that a prior weighs what it says.
    assert (100 * weights[0, 1] + weights[1, 2]) / 101 == pytest.approx(1)


def test_equal_weights_lose_no_votes_and_unequal_ones_do() -> None:
    votes_of = np.array([[0, 100], [0, 0]])

    assert effective_sample_size(np.full((2, 2), 7.0), votes_of) == pytest.approx(100)
    mixed = np.array([[0, 90, 0], [0, 0, 10], [0, 0, 0]])
    weights = np.array([[0, 1.0, 0], [1, 0, 9], [0, 9, 0]])
    assert effective_sample_size(weights, mixed) == pytest.approx((90 + 90) ** 2 / (90 + 810))


def unequal_arena(seed: int = 4) -> tuple[Votes, FloatArray]:
    """Votes on pairs drawn with known, very unequal probabilities, where no one scale fits all.

    Model 2 beats 0 although it loses to 1, so what Bradley-Terry finds depends on how often each
    pair meets.
    """
    random = np.random.default_rng(seed)
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    probability = np.array([0.8, 0.15, 0.05])
    drawn = random.choice(3, 60_000, p=probability)
    a, b = pairs[drawn].T
    a_wins = random.random(len(a)) < np.array([0.7, 0.3, 0.7])[drawn]
    issued = np.zeros((3, 3))
    for (first, second), share in zip(pairs, probability, strict=True):
        issued[first, second] = issued[second, first] = share * len(a)
    return Votes(a, b, np.where(a_wins, 0, 1), 3), issued


def test_propensity_weights_rate_as_if_every_pair_had_been_drawn_alike() -> None:
    data, issued = unequal_arena()
    uniform = np.ones((3, 3)) - np.eye(3)
    cells = data.cells()

    weights = propensity_weights(issued, uniform, cells)
    weighted = fit(
        PairComparisons(cells.pairs(), 3, weights), likelihood=LIKELIHOODS["bradley-terry"]
    )
    plain = fit(PairComparisons(cells.pairs(), 3), likelihood=LIKELIHOODS["bradley-terry"])

    # In a circle of equal shares nobody is ahead.
    assert weighted.log_odds == pytest.approx([0.0] * 3, abs=0.03)
    assert np.abs(plain.log_odds).max() > 0.2
    counts = cells.counts.sum(axis=2)
    assert (weights * (counts + counts.T)).sum() / 2 == pytest.approx(len(data))
    assert effective_sample_size(weights, counts) < 0.5 * len(data)


def test_a_pair_that_could_not_be_drawn_is_refused_by_name() -> None:
    data, issued = unequal_arena()
    issued[1, 2] = issued[2, 1] = 0

    with pytest.raises(VoteDataError, match="models 1 and 2 could never be drawn"):
        propensity_weights(issued, np.ones((3, 3)) - np.eye(3), data.cells())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({(0, 1): -1.0, (1, 0): -1.0}, "models 0 and 1 is -1.0"),
        ({(0, 1): np.nan, (1, 0): np.nan}, "models 0 and 1 is nan"),
        ({(2, 1): np.inf}, "models 2 and 1 is inf"),
        ({(0, 1): 2.0}, "both orders"),
    ],
)
def test_weights_that_are_none_are_refused(change: dict[Any, float], says: str) -> None:
    weights = np.ones((3, 3))
    for place, value in change.items():
        weights[place] = value

    with pytest.raises(VoteDataError, match=says):
        refuse_bad_weights(weights, models=3)
