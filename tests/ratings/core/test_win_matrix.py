"""What was observed between two models, and what their ratings foretell."""

from __future__ import annotations

import numpy as np
import pytest

from ratings.core.win_matrix import win_matrix
from tests.ratings.core.votes import votes

CELLS = votes((0, 1, 0), (1, 0, 1), (0, 1, 2), (1, 0, 3), models=3)


def test_observed_shares_count_a_tie_as_half_a_win_from_either_side() -> None:
    result = win_matrix(CELLS, np.array([0.2, -0.2, np.nan]))

    assert result.votes[0, 1] == result.votes[1, 0] == 4
    assert result.observed[0, 1] == pytest.approx(0.75)
    assert result.observed[1, 0] == pytest.approx(0.25)
    assert np.isnan(result.observed[0, 2])
    dropped = win_matrix(CELLS, np.zeros(3), both_bad="drop")
    assert dropped.observed[0, 1] == pytest.approx(2.5 / 3)


def test_predictions_follow_the_ratings_and_the_tie_model() -> None:
    log_odds = np.array([0.5, -0.5, np.nan])

    plain = win_matrix(CELLS, log_odds).predicted
    assert plain[0, 1] == pytest.approx(1 / (1 + np.exp(-1)))
    assert plain[0, 1] + plain[1, 0] == pytest.approx(1)
    assert np.isnan(plain[[0, 2], [0, 0]]).all()

    half = np.exp(0.5)
    davidson = win_matrix(CELLS, log_odds, method="davidson", tie=0.3).predicted
    total = half + 1 / half + np.exp(0.3)
    assert davidson[0, 1] == pytest.approx((half + np.exp(0.3) / 2) / total)
