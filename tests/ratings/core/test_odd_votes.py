"""Odd votes give a right number or a reason, and never a wrong number without a word."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from ratings.core.connectivity import ELSEWHERE
from ratings.core.estimates import NO_REPLICATES, TOO_FEW_VOTERS
from ratings.core.outcomes import OutcomeCells, VoteDataError, Votes
from ratings.core.standing_table import NO_ERROR
from ratings.core.standings import NO_MAXIMUM, standings
from tests.ratings.core.votes import drawn, votes

MODELS = 5


def voted(count: int = 1500) -> Votes:
    return Votes(*drawn(MODELS, count, seed=4), MODELS)


def test_votes_of_weight_0_connect_nothing() -> None:
    data = voted()
    weights = np.ones((MODELS, MODELS))
    weights[:3, 3:] = weights[3:, :3] = 0.0
    across = (data.model_a < 3) != (data.model_b < 3)

    for given in (data, data.cells()):
        result = standings(given, weights=weights)

        alone = standings(data.selected(~across))
        assert result.rating[:3] == pytest.approx(alone.rating[:3])
        assert np.isnan(result.rating[3:]).all()
        assert result.reasons[3:] == (ELSEWHERE, ELSEWHERE)
        assert result.dropped == across.sum()


def test_dropped_votes_of_weight_0_take_their_voters_with_them() -> None:
    data = voted()
    weights = np.ones((MODELS, MODELS))
    weights[:4, 4] = weights[4, :4] = 0.0
    kept = (data.model_a < 4) & (data.model_b < 4)
    voter = np.arange(len(data)) % 40

    result = standings(data, weights=weights, clusters=[voter])

    assert result.se[:4] == pytest.approx(
        standings(data.selected(kept), clusters=[voter[kept]]).se[:4]
    )


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_weights_whose_squares_overflow_are_refused(scale: float) -> None:
    with pytest.raises(VoteDataError, match="weights lie between"):
        standings(voted(), weights=np.full((MODELS, MODELS), scale))


@pytest.mark.parametrize("seed", range(12))
def test_a_feature_that_only_tells_models_apart_is_refused_whatever_the_rounding(seed: int) -> None:
    data = voted()
    of_model = np.random.default_rng(seed).integers(0, 3, MODELS) / 3 + np.eye(MODELS)[0]
    feature = (of_model[data.model_a] - of_model[data.model_b])[:, None]

    result = standings(data, features=feature)

    assert np.isnan(result.rating).all()
    assert result.reasons[0].startswith(NO_MAXIMUM)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_a_feature_changes_its_effect_and_nothing_else(unit: float) -> None:
    data = voted()
    feature = np.random.default_rng(1).normal(size=(len(data), 1))

    plain, scaled = standings(data, features=feature), standings(data, features=unit * feature)

    assert scaled.rating == pytest.approx(plain.rating)
    assert scaled.effects[0].value * unit == pytest.approx(plain.effects[0].value)
    assert scaled.effects[0].se * unit == pytest.approx(plain.effects[0].se)


def test_a_missing_feature_is_named_by_the_row_that_the_caller_gave() -> None:
    data = voted()
    features = np.zeros((len(data), 1))
    features[700] = np.nan

    assert (data.outcome[:700] == 3).any()
    with pytest.raises(VoteDataError, match="row 700: feature 0"):
        standings(data, features=features, both_bad="drop")


@pytest.mark.parametrize("interval", ["sandwich", "bootstrap"])
def test_an_effect_that_rests_on_one_voter_has_no_interval_and_the_others_keep_theirs(
    interval: str,
) -> None:
    data, voter = voted(), np.arange(1500) % 50
    features = np.random.default_rng(1).normal(size=(len(data), 2))
    features[voter != 7, 0] = 0.0

    result = standings(data, features=features, clusters=[voter], interval=interval)  # type: ignore[arg-type]

    without = standings(data, features=features[:, 1:], clusters=[voter], interval=interval)  # type: ignore[arg-type]
    lone, other = result.effects
    assert np.isfinite(lone.value)
    assert np.isnan([lone.se, lone.lower, lone.upper]).all()
    assert other.se == pytest.approx(without.effects[0].se, rel=0.05)
    assert result.se == pytest.approx(without.se, rel=0.05)


def test_voters_may_have_numbers_of_any_size() -> None:
    data, voter = voted(), np.arange(1500) % 50
    prompt = np.arange(1500) % 37

    small = standings(data, clusters=[voter, prompt])
    large = standings(data, clusters=[voter * 2**40 + 2**61, prompt * 2**50])

    assert large.se == pytest.approx(small.se)


@pytest.mark.parametrize(
    ("cluster", "says"),
    [(np.arange(1500) - 1, "row 0: a negative"), (np.arange(1500.0), "not integers")],
)
def test_voters_that_are_no_numbers_are_refused(cluster: np.ndarray, says: str) -> None:
    with pytest.raises(VoteDataError, match=says):
        standings(voted(), clusters=[cluster])


def test_a_model_that_few_voters_met_has_no_interval_though_there_are_many_voters() -> None:
    data, voter = voted(), np.arange(1500) % 50
    new = np.arange(40)
    data = Votes(
        np.append(data.model_a, np.full(40, MODELS)),
        np.append(data.model_b, new % MODELS),
        np.append(data.outcome, new % 3),
        MODELS + 1,
    )

    few = standings(data, clusters=[np.append(voter, 100 + new % 4)])
    enough = standings(data, clusters=[np.append(voter, 100 + new % 5)])

    assert few.reasons == ("",) * MODELS + (TOO_FEW_VOTERS,)
    assert np.isfinite(few.se[:MODELS]).all()
    assert np.isnan(few.se[MODELS])
    assert enough.reasons[MODELS] == ""


def test_voters_whose_votes_cancel_do_not_make_ratings_certain() -> None:
    # Every voter prefers whatever is shown first, and sees every pair both ways.
    rows = [(i, j) for i in range(3) for j in range(3) if i != j]
    a, b = np.tile(rows, (30, 1)).T
    voter = np.repeat(np.arange(30), len(rows))

    result = standings(Votes(a, b, np.zeros(len(a), dtype=np.int64), 3), clusters=[voter])

    assert np.isnan(result.se).all()
    assert result.reasons == (NO_ERROR,) * 3
    assert result.rank_high.tolist() == [3, 3, 3]


def test_a_bootstrap_whose_rounds_mostly_fail_gives_no_interval() -> None:
    result = standings(votes((0, 1, 0), (1, 0, 0), models=2), interval="bootstrap")

    assert np.isnan(result.se).all()
    assert result.reasons == (NO_REPLICATES,) * 2
    assert result.rank_high.tolist() == [2, 2]


def test_few_voters_widen_bootstrap_intervals_as_student_says() -> None:
    data, voter = voted(), np.arange(1500) % 12

    result = standings(data, clusters=[voter], interval="bootstrap", rounds=20_000, seed=1)

    width = (result.upper - result.lower) / 2
    assert width / result.se == pytest.approx(student.ppf(0.975, 11), rel=0.06)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.int32])
def test_counts_in_narrow_integers_do_not_wrap_around(kind: type[np.integer]) -> None:
    counts = np.zeros((2, 2, 4), dtype=kind)
    counts[0, 1] = counts[1, 0] = [100, 30, 100, 100]

    narrow, wide = OutcomeCells(counts), OutcomeCells(counts.astype(np.int64))

    assert (narrow + narrow).votes == 4 * 330
    assert np.array_equal(standings(narrow).rating, standings(wide).rating)
    assert np.array_equal(standings(narrow).votes, standings(wide).votes)


def test_a_win_rate_says_which_options_it_leaves_aside() -> None:
    data, weights = voted(), np.ones((MODELS, MODELS))
    weights[0, 1] = weights[1, 0] = 0.0

    plain = standings(data, method="win-rate")
    result = standings(
        data, method="win-rate", prior=2.0, weights=weights, clusters=[np.arange(len(data)) % 20]
    )

    assert result.se == pytest.approx(plain.se)
    assert result.dropped == 0
    assert result.notes == (
        "win-rate takes every vote as it is: prior, weights, clusters changed nothing.",
        "Intervals treat every vote as independent of the others, whoever cast it.",
    )
