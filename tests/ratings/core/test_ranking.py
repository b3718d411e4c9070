"""Ranks say no more than the votes: their ranges hold for all models at once."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from ratings.core.bradley_terry import fit_bradley_terry
from ratings.core.outcomes import cells_from_votes
from ratings.core.ranking import rank_ranges
from tests.ratings.core.votes import chatbot_arena

ALL_KNOWN = np.ones(3, dtype=bool)


def test_two_models_are_told_apart_where_one_interval_would_do_it() -> None:
    covariance = np.array([[25.0, -25.0], [-25.0, 25.0]])
    limit = norm.ppf(0.975) * 10

    def ranges(gap: float) -> tuple[list[int], list[int]]:
        ranks = rank_ranges(
            np.array([1000 + gap, 1000]), covariance, ALL_KNOWN[:2], seed=1, draws=40_000
        )
        return ranks.low.tolist(), ranks.high.tolist()

    assert ranges(limit * 1.03) == ([1, 2], [1, 2])
    assert ranges(limit * 0.97) == ([1, 1], [2, 2])


def test_three_independent_models_need_the_width_of_the_studentized_range() -> None:
    # The 95 % point of the studentized range of three means is 3.314, against 1.96 * sqrt(2).
    def told_apart(gap: float) -> bool:
        ranks = rank_ranges(
            np.array([1000 + gap, 1000, 1000 - gap]), np.eye(3), ALL_KNOWN, seed=1, draws=40_000
        )
        return np.array_equal(ranks.high, [1, 2, 3])

    assert told_apart(3.314 * 1.02)
    assert not told_apart(3.314 * 0.98)


def test_equal_ratings_share_the_better_rank() -> None:
    ranks = rank_ranges(np.array([900.0, 1100.0, 1100.0 + 1e-9]), np.eye(3), ALL_KNOWN, seed=1)

    assert ranks.rank.tolist() == [3, 1, 1]


def test_a_model_without_an_interval_may_take_any_rank() -> None:
    ranks = rank_ranges(
        np.array([1500.0, 1000.0, 500.0]), np.eye(3), np.array([True, False, True]), seed=1
    )

    assert ranks.low.tolist() == [1, 1, 2]
    assert ranks.high.tolist() == [2, 3, 3]


def test_the_same_seed_gives_the_same_ranges_in_any_numbering() -> None:
    cells, names = chatbot_arena()
    order = np.random.default_rng(0).permutation(len(names))

    def ranges(numbering: np.ndarray) -> np.ndarray:
        pairs = cells.restricted_to(numbering).pairs()
        fit = fit_bradley_terry(pairs, models=len(numbering))
        ranks = rank_ranges(fit.ratings, fit.ratings_covariance, fit.has_interval, seed=7)
        return np.array([ranks.rank, ranks.low, ranks.high])

    straight = ranges(np.arange(len(names)))

    assert np.array_equal(ranges(order), straight[:, order])
    assert (straight[1] <= straight[0]).all()
    assert (straight[0] <= straight[2]).all()


def test_all_true_ranks_are_covered_at_once_as_often_as_promised() -> None:
    random = np.random.default_rng(11)
    strength = np.array([0.5, 0.3, 0.1, -0.1, -0.3, -0.5])
    covered, replicates = 0, 200

    for replicate in range(replicates):
        a = random.integers(0, 6, 3000)
        b = (a + random.integers(1, 6, 3000)) % 6
        a_wins = random.random(3000) < 1 / (1 + np.exp(strength[b] - strength[a]))
        pairs = cells_from_votes(a, b, np.where(a_wins, 0, 1), models=6).pairs()
        fit = fit_bradley_terry(pairs, models=6)
        ranks = rank_ranges(
            fit.ratings, fit.ratings_covariance, fit.has_interval, seed=replicate, draws=2000
        )
        true = np.arange(1, 7)
        covered += bool(((ranks.low <= true) & (true <= ranks.high)).all())

    # 95 % promised; three standard deviations of the simulation below it are 90 %.
    assert covered / replicates > 0.90


def test_the_level_sets_how_wide_the_ranges_are() -> None:
    ratings = np.array([1002.0, 1000.0, 998.0])

    strict = rank_ranges(ratings, np.eye(3), ALL_KNOWN, level=0.999, seed=1)
    loose = rank_ranges(ratings, np.eye(3), ALL_KNOWN, level=0.5, seed=1)

    assert strict.high.tolist() == [3, 3, 3]
    assert loose.high.tolist() == [1, 2, 3]


def test_pointwise_ranges_look_at_one_pair_at_a_time() -> None:
    gap = norm.ppf(0.975) * np.sqrt(2)

    def told_apart(gap: float, *, simultaneous: bool) -> bool:
        ranks = rank_ranges(
            np.array([1000 + gap, 1000, 1000 - gap]),
            np.eye(3),
            ALL_KNOWN,
            simultaneous=simultaneous,
            seed=1,
        )
        return np.array_equal(ranks.high, [1, 2, 3])

    assert told_apart(gap * 1.01, simultaneous=False)
    assert not told_apart(gap * 0.99, simultaneous=False)
    assert not told_apart(gap * 1.01, simultaneous=True)


def test_few_degrees_of_freedom_widen_the_ranges_as_student_says() -> None:
    covariance = np.array([[25.0, -25.0], [-25.0, 25.0]])
    limit = student.ppf(0.975, 9) * 10

    def told_apart(gap: float) -> bool:
        ranks = rank_ranges(
            np.array([1000 + gap, 1000]),
            covariance,
            ALL_KNOWN[:2],
            degrees_of_freedom=9,
            seed=1,
            draws=100_000,
        )
        return bool(ranks.high[0] == 1)

    assert told_apart(limit * 1.03)
    assert not told_apart(limit * 0.97)


def test_a_tier_holds_all_that_are_not_surely_worse_than_its_best() -> None:
    ranks = rank_ranges(np.array([0.0, 100.0, 97.0, 96.0]), np.eye(4), np.ones(4, bool), seed=1)

    # The fourth is told apart from the best, though not from the one between them.
    assert ranks.tier.tolist() == [3, 1, 1, 2]


def test_a_covariance_of_fewer_clusters_than_models_still_gives_ranges() -> None:
    one_direction = np.outer([3.0, -1, -2], [3.0, -1, -2])

    ranks = rank_ranges(np.array([1100.0, 1000, 900]), one_direction, ALL_KNOWN, seed=1)

    assert ranks.high.tolist() == [1, 2, 3]


def test_models_whose_difference_never_varied_are_not_told_apart() -> None:
    together = np.outer([2.0, -1, -1], [2.0, -1, -1]) / 3

    ranks = rank_ranges(np.array([1100.0, 1000, 900]), together, ALL_KNOWN, seed=1)

    assert ranks.low.tolist() == [1, 2, 2]
    assert ranks.high.tolist() == [1, 3, 3]


def test_a_level_beyond_the_draws_takes_the_bound_of_bonferroni() -> None:
    level, pairs = 1 - 1e-6, 3
    critical = norm.isf(1e-6 / (2 * pairs))

    def told_apart(gap: float) -> bool:
        ratings = np.array([1000 + gap, 1000, 1000 - gap])
        ranks = rank_ranges(ratings, np.eye(3), ALL_KNOWN, level=level, seed=1)
        return bool((ranks.low == [1, 2, 3]).all())

    assert told_apart(1.01 * critical * math.sqrt(2))
    assert not told_apart(0.99 * critical * math.sqrt(2))


def test_no_rank_lies_outside_of_its_range() -> None:
    # Equal for the ranks, and yet told apart.
    ratings = np.array([1000.0, 1000.0 + 4e-7, 1000.0 - 4e-7])

    ranks = rank_ranges(ratings, np.eye(3) * 1e-16, ALL_KNOWN, seed=1)

    assert (ranks.low <= ranks.rank).all()
    assert (ranks.rank <= ranks.high).all()
