"""The rows of a leaderboard: a number where one exists, a reason where none does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import t as student

from ratings.core.connectivity import ELSEWHERE, LOST_ALL, NO_VOTES, WON_ALL
from ratings.core.estimates import NO_INTERVAL, TOO_FEW_VOTERS
from ratings.core.outcomes import IntArray, Outcome, OutcomeCells, VoteDataError, Votes
from ratings.core.standings import NO_MAXIMUM, Method, standings
from tests.ratings.core.votes import connected_cells, drawn, votes


def test_a_young_arena_shows_what_it_knows_and_says_the_rest() -> None:
    result = standings(
        votes((0, 1, 0), (1, 0, 0), (0, 1, 2), (2, 0, 0), (1, 3, 0), models=5), seed=1
    )

    assert result.rating[:2] == pytest.approx([1000, 1000])
    assert result.lower[0] < 1000 < result.upper[0]
    assert np.isnan(result.rating[2:]).all()
    assert result.rank.tolist() == [1, 1, 0, 0, 0]
    assert result.rank_low.tolist() == [1, 1, 0, 0, 0]
    assert result.rank_high.tolist() == [2, 2, 0, 0, 0]
    assert result.votes.tolist() == [4, 4, 1, 1, 0]
    assert result.reasons == ("", "", WON_ALL, LOST_ALL, NO_VOTES)


def test_a_fresh_arena_has_no_numbers_and_no_infinity() -> None:
    for models in (0, 1, 4):
        result = standings(OutcomeCells(np.zeros((models, models, 4), dtype=np.int64)))

        assert np.isnan(result.rating).all()
        assert result.reasons == (NO_VOTES,) * models


def test_ties_alone_give_ratings_without_intervals() -> None:
    result = standings(votes((0, 1, 2), (0, 1, 3), models=2))

    assert result.rating == pytest.approx([1000, 1000])
    assert np.isnan(result.lower).all()
    assert result.reasons == (NO_INTERVAL, NO_INTERVAL)


def test_dropped_both_bad_votes_are_neither_counted_nor_connect() -> None:
    cells = votes((0, 1, 0), (0, 1, 1), (1, 2, 3), models=3)

    assert standings(cells).votes.tolist() == [2, 3, 1]
    dropped = standings(cells, both_bad="drop")
    assert dropped.votes.tolist() == [2, 2, 0]
    assert dropped.reasons[2] == NO_VOTES


@given(connected_cells())
@settings(max_examples=60, deadline=None)
def test_numbers_are_finite_and_in_order(cells: OutcomeCells) -> None:
    result = standings(cells, draws=500)

    assert result.rating.mean() == pytest.approx(1000)
    known = ~np.isnan(result.se)
    assert np.isfinite(result.rating).all()
    assert (result.lower[known] < result.rating[known]).all()
    assert (result.rating[known] < result.upper[known]).all()
    assert (result.rank_low <= result.rank).all()
    assert (result.rank <= result.rank_high).all()
    assert sum(reason == "" for reason in result.reasons) == known.sum()


def voted(count: int = 900, voters: int = 40, models: int = 5) -> tuple[Votes, IntArray]:
    voter = np.random.default_rng(2).integers(0, voters, count)
    return Votes(*drawn(models, count, seed=6), models), voter


def test_single_votes_and_their_counts_give_the_same_numbers() -> None:
    data, _ = voted()

    single, counted = standings(data, seed=3), standings(data.cells(), seed=3)

    for name in ("rating", "se", "lower", "upper", "rank_low", "rank_high", "votes"):
        assert np.array_equal(getattr(single, name), getattr(counted, name)), name


def test_intervals_by_voter_are_students_and_wider_where_voters_repeat_themselves() -> None:
    data, voter = voted()
    rows = np.repeat(np.arange(len(data)), 4)

    independent = standings(data.selected(rows))
    clustered = standings(data.selected(rows), clusters=[voter[rows]])

    assert clustered.rating == pytest.approx(independent.rating)
    assert (clustered.se > 1.5 * independent.se).all()
    assert 30 < clustered.degrees_of_freedom < 40
    half = student.ppf(0.975, clustered.degrees_of_freedom) * clustered.se
    assert clustered.upper - clustered.rating == pytest.approx(half)
    assert np.diag(clustered.covariance) == pytest.approx(clustered.se**2)
    assert any("clustered" in note for note in clustered.notes)
    assert any("independent" in note for note in independent.notes)


def test_fewer_than_ten_effective_voters_give_no_interval() -> None:
    data, voter = voted()

    few = standings(data, clusters=[voter % 9])

    assert np.isfinite(few.rating).all()
    assert np.isnan(few.lower).all()
    assert set(few.reasons) == {TOO_FEW_VOTERS}
    assert few.rank_low.tolist() == [1] * 5
    assert few.rank_high.tolist() == [5] * 5


def test_too_few_prompts_leave_intervals_that_hold_for_these_prompts() -> None:
    data, voter = voted()
    prompt = np.arange(len(data)) % 5

    one, both = standings(data, clusters=[voter]), standings(data, clusters=[voter, prompt])

    assert both.se == pytest.approx(one.se)
    assert any("only 5.0 equal prompts" in note for note in both.notes)
    enough = standings(data, clusters=[voter, np.arange(len(data)) % 20])
    assert enough.degrees_of_freedom == pytest.approx(19)
    assert any("clustered by prompt too" in note for note in enough.notes)


def test_dropped_votes_take_their_voters_and_features_with_them() -> None:
    data, voter = voted()
    length = np.random.default_rng(3).normal(size=(len(data), 1))
    kept = data.outcome != Outcome.BOTH_BAD

    dropped = standings(data, both_bad="drop", clusters=[voter], features=length)

    alone = standings(data.selected(kept), clusters=[voter[kept]], features=length[kept])
    assert dropped.dropped == (~kept).sum()
    assert dropped.rating == pytest.approx(alone.rating)
    assert dropped.se == pytest.approx(alone.se)
    assert dropped.effects == alone.effects


def test_only_models_of_the_rated_set_stand_in_the_way_of_single_votes() -> None:
    data, voter = voted()
    wider = Votes(
        np.append(data.model_a + 1, [0, 6]),
        np.append(data.model_b + 1, [1, 7]),
        np.append(data.outcome, [0, 2]),
        8,
    )

    inside = standings(data, clusters=[voter])
    outside = standings(wider, clusters=[np.append(voter, [50, 51])])

    assert outside.reasons[0] == WON_ALL
    assert outside.reasons[6] == outside.reasons[7] == ELSEWHERE
    assert outside.rating[1:6] == pytest.approx(inside.rating)
    assert outside.se[1:6] == pytest.approx(inside.se)


def test_groups_that_no_vote_connects_can_be_rated_each_by_itself() -> None:
    upper = [(0, 1, 0), (1, 0, 0), (0, 1, 0)]
    lower = [(2, 3, 0), (3, 4, 0), (4, 2, 0), (3, 2, 0)]
    cells = votes(*upper, *lower, models=6)

    largest, each = standings(cells), standings(cells, per_component=True)

    assert np.isnan(largest.rating[:2]).all()
    assert largest.reasons[:2] == (ELSEWHERE, ELSEWHERE)
    assert each.groups == 2
    assert each.group.tolist() == [1, 1, 0, 0, 0, -1]
    assert each.rating[:2].mean() == pytest.approx(1000)
    assert each.rating[2:5] == pytest.approx(largest.rating[2:5])
    # Ranks are within a group, and nothing is said across.
    assert each.rank.tolist()[:2] == [1, 2]
    assert sorted(each.rank[2:5]) == [1, 2, 3]
    assert np.isnan(each.covariance[0, 2])
    assert any("2 groups" in note for note in each.notes)


@pytest.mark.parametrize("method", ["davidson", "rao-kupper"])
def test_a_tie_parameter_is_an_effect_with_an_interval(method: Method) -> None:
    data, _ = voted()

    result = standings(data, method=method)

    (tie,) = result.effects
    assert tie.name == "tie"
    assert tie.lower < tie.value < tie.upper
    assert np.isfinite(result.se).all()


def test_a_tie_model_rates_those_that_decided_votes_connect() -> None:
    # Model 3 has one tie and one win: enough for Bradley-Terry, not where a tie is its own outcome.
    circle = [(0, 1, 0), (1, 2, 0), (2, 0, 0), (0, 1, 2), (1, 0, 0)] * 3
    cells = votes(*circle, (3, 0, 2), models=4)

    result = standings(cells, method="davidson")

    assert np.isfinite(result.rating).all()
    one_way = standings(votes((0, 1, 0), (0, 1, 2), models=2), method="davidson")
    assert np.isnan(one_way.rating).all()
    assert one_way.reasons[0].startswith(NO_MAXIMUM)


def test_what_shrinks_the_ratings_is_told_and_rates_models_that_only_lost() -> None:
    cells = votes((0, 1, 0), (1, 2, 0), (0, 2, 0), models=3)

    result = standings(cells, prior=1.0)

    assert result.rating[0] > result.rating[1] > result.rating[2]
    assert any(note.startswith("Prior: each model has 1 virtual votes") for note in result.notes)
    assert np.isnan(standings(cells).rating).all()


def test_a_prior_does_not_rank_across_groups() -> None:
    cells = votes((0, 1, 0), (2, 3, 0), (3, 4, 0), models=5)

    result = standings(cells, prior=1.0)

    assert result.rank.tolist() == [0, 0, 1, 2, 3]


def test_without_intervals_there_are_ranks_and_no_ranges() -> None:
    data, _ = voted()

    result = standings(data, interval="none")

    assert sorted(result.rank) == [1, 2, 3, 4, 5]
    assert result.rank_low.tolist() == result.rank_high.tolist() == [0] * 5
    assert np.isnan(result.se).all()
    assert set(result.reasons) == {""}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"method": "davidson"},
        {"position": True},
        {"weights": np.full((5, 5), 2.0)},
        {"prior": 3.0},
        {"clusters": True},
        {"features": True},
    ],
)
def test_the_bootstrap_agrees_with_the_sandwich(options: dict[str, Any]) -> None:
    data, voter = voted(count=3000, voters=300)
    if options.get("clusters"):
        options = {"clusters": [voter]}
    if options.get("features"):
        options = {"features": np.random.default_rng(1).normal(size=(len(data), 1))}

    drawn_again = standings(data, interval="bootstrap", rounds=400, **options)
    exact = standings(data, **options)

    assert drawn_again.rating == pytest.approx(exact.rating, abs=1e-6)
    assert drawn_again.se == pytest.approx(exact.se, rel=0.2)
    assert (drawn_again.lower < drawn_again.rating).all()
    for ours, other in zip(drawn_again.effects, exact.effects, strict=True):
        assert ours.se == pytest.approx(other.se, rel=0.2)


def test_elo_and_win_rates_are_on_the_scale_of_the_ratings() -> None:
    data, _ = voted(count=4000)

    rated = standings(data)
    elo, share = standings(data, method="elo"), standings(data, method="win-rate")

    for other in (elo, share):
        assert other.rating.mean() == pytest.approx(1000)
        assert np.corrcoef(rated.rating, other.rating)[0, 1] > 0.9
        assert sorted(other.rank) == [1, 2, 3, 4, 5]
    assert np.isnan(elo.se).all()
    assert (share.se > 0).all()
    assert any("order" in note for note in elo.notes)


@given(connected_cells(), connected_cells())
@settings(max_examples=40, deadline=None)
def test_data_counted_in_parts_is_rated_as_one(one: OutcomeCells, other: OutcomeCells) -> None:
    models = max(one.models, other.models)

    def padded(cells: OutcomeCells) -> OutcomeCells:
        missing = models - cells.models
        return OutcomeCells(np.pad(cells.counts, [(0, missing), (0, missing), (0, 0)]))

    merged = standings(padded(one) + padded(other), draws=100)
    turned = standings(padded(other) + padded(one), draws=100)

    assert np.array_equal(merged.rating, turned.rating)
    assert merged.votes.sum() == 2 * (one.votes + other.votes)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"method": "glicko"}, "method is 'glicko'"),
        ({"interval": "wald"}, "interval is 'wald'"),
        ({"both_bad": "half"}, "both_bad is 'half'"),
        ({"prior": -1.0}, "prior is -1.0"),
        ({"ridge": math.nan}, "ridge is nan"),
        ({"level": 1.0}, "level is 1.0"),
        ({"rounds": 1}, "rounds is 1"),
        ({"level": 0.9999, "interval": "bootstrap"}, "no quantiles of level 0.9999"),
        ({"weights": -np.ones((5, 5))}, "weights are finite and not negative"),
        ({"weights": np.ones((4, 4))}, "shape"),
        ({"clusters": [np.zeros(3, dtype=np.int64)]}, "clusters have shape"),
        ({"clusters": [np.zeros(900, dtype=np.int64)] * 3}, "one or two"),
        (
            {"clusters": [np.zeros(900, dtype=np.int64)] * 2, "interval": "bootstrap"},
            "no bootstrap of two ways",
        ),
        ({"features": np.zeros((3, 1))}, r"shape \(3, 1\), not \(900, features\)"),
        ({"features": np.full((900, 1), math.nan)}, "row 0: feature 0"),
        ({"features": np.zeros((900, 1)), "feature_names": ("x", "y")}, "1 features and 2 names"),
    ],
)
def test_options_that_mean_nothing_are_refused_in_one_line(
    options: dict[str, Any], says: str
) -> None:
    data, _ = voted()

    with pytest.raises(VoteDataError, match=says) as refusal:
        standings(data, **options)

    assert "\n" not in str(refusal.value)


def test_counts_have_neither_voters_nor_order() -> None:
    data, voter = voted()

    with pytest.raises(VoteDataError, match="single votes"):
        standings(data.cells(), clusters=[voter])
    with pytest.raises(VoteDataError, match="order"):
        standings(data.cells(), method="elo")
