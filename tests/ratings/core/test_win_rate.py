"""Win rates are the shares that one would count by hand."""

from __future__ import annotations

import evalica
import numpy as np
import pytest
from hypothesis import given, settings

from ratings.core.outcomes import OutcomeCells, PairCounts
from ratings.core.win_rate import win_rates
from tests.ratings.core.votes import connected_cells, drawn, votes, won


def test_opponents_count_the_same_in_one_rate_and_votes_in_the_other() -> None:
    # Model 0 won 9 of 10 votes against 1, none of 2 against 2.
    rates = win_rates(won([[0, 9, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0], [0] * 4]).pairs(), models=4)

    assert rates.share[:3].tolist() == pytest.approx([0.45, 0.1, 1])
    assert rates.vote_share[:3].tolist() == pytest.approx([0.75, 0.1, 1])
    assert rates.opponents.tolist() == [2, 1, 1, 0]
    assert np.isnan([rates.share[3], rates.vote_share[3], rates.share_se[3]]).all()


def test_a_tie_is_half_a_win() -> None:
    rates = win_rates(votes((0, 1, 2), (1, 0, 3), (0, 1, 0), (0, 1, 0), models=2).pairs(), models=2)

    assert rates.share.tolist() == rates.vote_share.tolist() == [0.75, 0.25]
    assert rates.log_odds.tolist() == pytest.approx([np.log(3), -np.log(3)])


def test_who_won_or_lost_everything_has_no_place_on_the_scale() -> None:
    rates = win_rates(won([[0, 2, 1], [0, 0, 1], [0, 1, 0]]).pairs(), models=3)

    assert rates.share.tolist() == [1, 0.25, 0.25]
    assert np.isnan([rates.log_odds[0], rates.log_odds_se[0]]).all()
    assert np.isfinite([rates.log_odds[1], rates.log_odds_se[1]]).all()
    assert np.isfinite(rates.share_se).all()


@given(connected_cells())
@settings(max_examples=60, deadline=None)
def test_a_peer_has_the_same_average_and_the_order_of_a_pair_does_not_matter(
    cells: OutcomeCells,
) -> None:
    pairs = cells.pairs()
    ours = win_rates(pairs, models=cells.models)

    shares = evalica.average_win_rate(*spread(pairs)).scores
    assert ours.share == pytest.approx(shares[list(range(cells.models))].to_numpy(), abs=1e-12)
    ordered = win_rates(cells.ordered_pairs(), models=cells.models)
    assert ordered.share == pytest.approx(ours.share, abs=1e-12)
    assert ordered.share_se == pytest.approx(ours.share_se, abs=1e-12)


def spread(pairs: PairCounts) -> tuple[list[int], list[int], list[evalica.Winner]]:
    """Single votes, as evalica takes them."""
    first, second, winners = [], [], []
    for label, counts in (
        (evalica.Winner.X, pairs.wins_first),
        (evalica.Winner.Y, pairs.wins_second),
        (evalica.Winner.Draw, pairs.ties),
    ):
        times = counts.astype(int)
        first += np.repeat(pairs.first, times).tolist()
        second += np.repeat(pairs.second, times).tolist()
        winners += [label] * int(times.sum())
    return first, second, winners


def test_errors_are_those_of_votes_drawn_again() -> None:
    models, count = 5, 600
    strength = np.random.default_rng(1).normal(0, 0.7, models)
    a, b, _ = drawn(models, count, seed=1)
    chance = 1 / (1 + np.exp(strength[b] - strength[a]))
    random = np.random.default_rng(2)

    def again() -> tuple[np.ndarray, np.ndarray]:
        outcome = np.where(random.random(count) < chance, 0, 1)
        outcome = np.where(random.random(count) < 0.2, 2, outcome)
        rates = win_rates(
            votes(*zip(a, b, outcome, strict=True), models=models).pairs(), models=models
        )
        return rates.log_odds, rates.log_odds_se

    log_odds, se = zip(*(again() for _ in range(1_000)), strict=True)

    assert np.mean(se, axis=0) / np.std(log_odds, axis=0) == pytest.approx(1, abs=0.08)


def test_a_pair_that_met_once_is_not_certain() -> None:
    rates = win_rates(won([[0, 1, 1], [0, 0, 0], [0, 0, 0]]).pairs(), models=3)

    assert (rates.share_se > 0.2).all()
