"""Rankings from metrics: what is averaged, in which direction, and how sure the ranks are."""

from __future__ import annotations

import math
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings.metric_scores import Metric, MetricScore, RankingError, normalized_score
from ratings.rankings import (
    BEST_OF_SEVERAL,
    INDEPENDENT,
    ONE_PAIR_AT_A_TIME,
    Ranking,
    metric_ranking,
)

ARC = Metric("arc", floor=0.25)
GSM = Metric("gsm8k", floor=0.0)
TOXIC = Metric("toxicity", higher_is_better=False)
SPEED = Metric("speed", unit="tokens/s")
LATENCY = Metric("latency", higher_is_better=False, unit="ms")


def score(model: str, metric: Metric, value: float, half_width: float | None = None, **more):
    ends = {}
    if half_width is not None:
        ends = {"lower": value - half_width, "upper": value + half_width}
    return MetricScore(model, metric.name, value, **{"n": 100, **ends, **more})


def ranks(ranking: Ranking) -> dict[str, tuple[int | None, int | None, int | None]]:
    return {row.model: (row.rank, row.rank_low, row.rank_high) for row in ranking.rows}


def values(ranking: Ranking) -> dict[str, float | None]:
    return {row.model: row.value for row in ranking.rows}


def test_by_one_metric_the_highest_comes_first_and_ties_share_a_rank():
    scores = [score("a", ARC, 0.4), score("b", ARC, 0.7), score("c", ARC, 0.4)]

    ranking = metric_ranking(scores, [ARC])

    assert [(row.rank, row.model, row.value) for row in ranking.rows] == [
        (1, "b", 0.7),
        (2, "a", 0.4),
        (2, "c", 0.4),
    ]
    # Nothing is known of the errors, so any order is left open.
    assert {(row.rank_low, row.rank_high) for row in ranking.rows} == {(1, 3)}
    assert {row.reason for row in ranking.rows} == {"no interval: a score comes without one"}


def test_where_lower_is_better_the_lowest_comes_first():
    scores = [score("slow", LATENCY, 900, 10), score("fast", LATENCY, 20, 5)]

    ranking = metric_ranking(scores, [LATENCY])

    assert ranks(ranking) == {"fast": (1, 1, 1), "slow": (2, 2, 2)}
    assert (ranking.unit, ranking.higher_is_better) == ("ms", False)


def test_an_average_weighs_all_metrics_alike_and_propagates_the_errors():
    scores = [score("a", ARC, 0.5, 0.03, se=0.015), score("a", GSM, 0.8, 0.04, se=0.02)]

    (row,) = metric_ranking(scores, [ARC, GSM]).rows

    assert row.value == pytest.approx(0.65)
    assert (row.lower, row.upper) == pytest.approx((0.625, 0.675))
    assert row.n == 200
    assert {name: found.value for name, found in row.scores.items()} == {"arc": 0.5, "gsm8k": 0.8}


def test_lopsided_intervals_stay_lopsided():
    scores = [
        MetricScore("a", "arc", 0.98, 0.92, 1.0, n=50),
        MetricScore("a", "gsm8k", 0.5, 0.42, 0.58, n=50),
    ]

    (row,) = metric_ranking(scores, [ARC, GSM]).rows

    assert row.lower == pytest.approx(0.74 - math.hypot(0.06, 0.08) / 2)
    assert row.upper == pytest.approx(0.74 + math.hypot(0.02, 0.08) / 2)


def test_own_weights_are_shares_and_a_weight_of_nothing_needs_no_score():
    scores = [
        score("a", ARC, 0.4),
        score("a", GSM, 0.8),
        score("b", ARC, 0.6),
        score("b", GSM, 0.0),
    ]

    ranking = metric_ranking(scores, [ARC, GSM, SPEED], weights={"arc": 3, "gsm8k": 1, "speed": 0})

    assert values(ranking) == {"a": pytest.approx(0.5), "b": pytest.approx(0.45)}


def test_scores_of_metrics_that_do_not_count_are_not_shown_as_if_they_did():
    scores = [score("a", ARC, 0.4), score("a", GSM, 0.8)]

    (row,) = metric_ranking(scores, [ARC, GSM], weights={"arc": 1}).rows

    assert (list(row.scores), row.n) == (["arc"], 100)


def test_normalized_scores_run_from_the_floor_to_a_hundred():
    scores = [
        score("good", ARC, 0.85, 0.05),
        score("good", GSM, 0.5, 0.1),
        score("guesses", ARC, 0.2, 0.1),
        score("guesses", GSM, 0.0, 0.0),
    ]

    ranking = metric_ranking(scores, [ARC, GSM], normalized=True)

    good, guesses = ranking.rows
    assert good.value == pytest.approx((80 + 50) / 2)
    assert good.lower == pytest.approx(65 - math.hypot(100 * 0.05 / 0.75, 10) / 2)
    assert (guesses.value, guesses.lower) == (0, 0)
    assert guesses.upper == pytest.approx(100 * 0.05 / 0.75 / 2)
    assert ranking.unit == "of 100"


def test_normalizing_turns_metrics_round_whose_best_is_zero():
    rude = normalized_score(MetricScore("a", "toxicity", 0.25, 0.2, 0.4, se=0.05), TOXIC)
    half_as_bad = normalized_score(
        score("b", TOXIC, 0.25), Metric("toxicity", higher_is_better=False, floor=0.5)
    )

    assert (rude.value, rude.lower, rude.upper) == pytest.approx((75, 60, 80))
    assert rude.se == pytest.approx(5)
    assert half_as_bad.value == pytest.approx(50)


def test_a_model_that_lacks_a_score_has_no_rank_and_says_which():
    scores = [score("a", ARC, 0.4), score("a", GSM, 0.5), score("b", ARC, 0.9)]

    ranking = metric_ranking(scores, [ARC, GSM])

    assert ranks(ranking) == {"a": (1, 1, 1), "b": (None, None, None)}
    without = ranking.rows[-1]
    assert (without.value, without.reason) == (None, "no score on gsm8k")
    assert without.scores["arc"].value == 0.9


def test_of_a_training_the_best_checkpoint_is_ranked_and_the_choice_is_told():
    scores = [
        score("step-1", ARC, 0.4, training="run"),
        score("step-2", ARC, 0.6, training="run"),
        score("step-3", ARC, 0.5, training="run"),
        score("alone", ARC, 0.55),
        score("alone-too", ARC, 0.1),
    ]

    best = metric_ranking(scores, [ARC], best_checkpoints=True)

    assert [row.model for row in best.rows] == ["step-2", "alone", "alone-too"]
    assert [row.training for row in best.rows] == ["run", "", ""]
    assert BEST_OF_SEVERAL in best.notes
    assert len(metric_ranking(scores, [ARC]).rows) == 5


def test_the_best_checkpoint_is_the_lowest_where_lower_is_better():
    scores = [score(f"step-{ms}", LATENCY, ms, training="run") for ms in (30, 10, 20)]

    (row,) = metric_ranking(scores, [LATENCY], best_checkpoints=True).rows

    assert row.model == "step-10"


def test_a_checkpoint_without_a_score_stays_listed_since_it_might_be_the_best():
    scores = [
        score("step-1", ARC, 0.4, training="run"),
        score("step-1", GSM, 0.4, training="run"),
        score("step-2", ARC, 0.9, training="run"),
    ]

    ranking = metric_ranking(scores, [ARC, GSM], best_checkpoints=True)

    assert ranks(ranking) == {"step-1": (1, 1, 1), "step-2": (None, None, None)}
    assert BEST_OF_SEVERAL not in ranking.notes


def test_ranks_are_told_apart_by_the_interval_of_the_difference_not_by_overlap():
    # The intervals overlap; that of the difference, 0.10 ± 0.085, does not reach zero.
    near = [score("a", ARC, 0.60, 0.06), score("b", ARC, 0.50, 0.06)]
    nearer = [score("a", ARC, 0.58, 0.06), score("b", ARC, 0.50, 0.06)]

    assert ranks(metric_ranking(near, [ARC])) == {"a": (1, 1, 1), "b": (2, 2, 2)}
    assert ranks(metric_ranking(nearer, [ARC])) == {"a": (1, 1, 2), "b": (2, 1, 2)}


def test_the_ends_that_face_each_other_decide():
    # 0.05 apart: what counts is how far a may lie below its value and b above its own.
    facing = [MetricScore("a", "arc", 0.55, 0.54, 0.99), MetricScore("b", "arc", 0.5, 0.1, 0.51)]
    averted = [MetricScore("a", "arc", 0.55, 0.4, 0.56), MetricScore("b", "arc", 0.5, 0.49, 0.6)]

    assert ranks(metric_ranking(facing, [ARC])) == {"a": (1, 1, 1), "b": (2, 2, 2)}
    assert ranks(metric_ranking(averted, [ARC])) == {"a": (1, 1, 2), "b": (2, 1, 2)}

    rates = [
        MetricScore("a", "toxicity", 0.5, 0.1, 0.51),
        MetricScore("b", "toxicity", 0.55, 0.54, 0.99),
    ]
    assert ranks(metric_ranking(rates, [TOXIC])) == {"a": (1, 1, 1), "b": (2, 2, 2)}


def test_with_standard_errors_the_ranges_hold_for_all_models_at_once():
    # 2.2 standard errors between neighbours: enough for one pair, too little for 45 at once.
    step = 2.2 * 0.01 * math.sqrt(2)
    some = [score(f"m{place}", ARC, 0.9 - place * step, 1.96 * 0.01) for place in range(10)]
    known = [score(f"m{place}", ARC, 0.9 - place * step, se=0.01) for place in range(10)]

    pairwise, at_once = metric_ranking(some, [ARC]), metric_ranking(known, [ARC])

    assert ranks(pairwise)["m4"] == (5, 5, 5)
    assert ranks(at_once)["m4"] == (5, 4, 6)
    assert (pairwise.simultaneous, at_once.simultaneous) == (False, True)
    assert pairwise.notes == (INDEPENDENT, ONE_PAIR_AT_A_TIME)
    assert at_once.notes == (INDEPENDENT,)
    assert at_once.rows[0].lower == pytest.approx(0.9 - 1.96 * 0.01, abs=1e-5)


def test_one_item_right_or_wrong_is_not_certain_though_its_error_is_computed_as_zero():
    scores = [
        MetricScore("right", "arc", 1.0, 0.21, 1.0, n=1, se=0.0),
        MetricScore("wrong", "arc", 0.0, 0.0, 0.79, n=1, se=0.0),
    ]

    ranking = metric_ranking(scores, [ARC])

    assert ranks(ranking) == {"right": (1, 1, 2), "wrong": (2, 1, 2)}


def test_normalized_the_highest_comes_first_whatever_the_metric():
    scores = [score("rude", TOXIC, 0.6), score("kind", TOXIC, 0.1)]

    ranking = metric_ranking(scores, [TOXIC], normalized=True)

    assert [row.model for row in ranking.rows] == ["kind", "rude"]
    assert [row.value for row in ranking.rows] == pytest.approx([90, 40])


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(1e-3, 0.3)), min_size=1, max_size=8),
    st.booleans(),
    st.booleans(),
)
def test_every_rank_lies_in_its_range_whatever_the_scores(found, with_error, higher):
    metric = Metric("share", higher_is_better=higher)
    scores = [
        score(f"m{place}", metric, value, 1.96 * se, **({"se": se} if with_error else {}))
        for place, (value, se) in enumerate(found)
    ]

    ranking = metric_ranking(scores, [metric])

    for row in cast(Any, ranking.rows):
        assert 1 <= row.rank_low <= row.rank <= row.rank_high <= len(found)
        assert row.lower <= row.value <= row.upper


def test_nothing_scored_is_an_empty_ranking():
    assert metric_ranking([], [ARC]).rows == ()


@pytest.mark.parametrize(
    ("metrics", "options", "message"),
    [
        ([ARC], {"weights": {"mmlu": 1}}, "no metric 'mmlu'; there are: arc"),
        ([ARC, ARC], {}, "named twice"),
        ([ARC, GSM], {"weights": {"arc": -1, "gsm8k": 2}}, "the weight of arc is -1"),
        ([ARC], {"weights": {"arc": math.nan}}, "the weight of arc is nan"),
        ([ARC], {"weights": {"arc": 0}}, "no finite positive sum"),
        ([], {}, "no finite positive sum"),
        ([ARC, SPEED], {}, "arc and speed differ in unit or direction"),
        ([ARC, TOXIC], {}, "arc and toxicity differ in unit or direction"),
        ([SPEED], {"normalized": True}, "the score of a on speed is 90.0: only shares"),
        ([GSM], {}, "unknown metric: 'arc'"),
        ([ARC], {"level": 1.0}, "the level is 1.0"),
    ],
)
def test_what_cannot_be_ranked_by_is_refused_in_one_line(metrics, options, message):
    scores = [score("a", metric, 90.0 if metric is SPEED else 0.5) for metric in metrics]
    if message.startswith("unknown"):
        scores = [score("a", ARC, 0.5)]

    with pytest.raises(RankingError, match=message) as caught:
        metric_ranking(scores, metrics, **options)

    assert "\n" not in str(caught.value)


def test_two_scores_or_two_trainings_of_one_model_are_refused():
    twice = [score("a", ARC, 0.5), score("a", ARC, 0.6)]
    two_trainings = [score("a", ARC, 0.5, training="x"), score("a", GSM, 0.5, training="y")]

    with pytest.raises(RankingError, match="a has two scores on arc"):
        metric_ranking(twice, [ARC])
    with pytest.raises(RankingError, match="a is said to be of two trainings"):
        metric_ranking(two_trainings, [ARC, GSM])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Metric("m", floor=1.0),
        lambda: Metric("m", floor=-0.1),
        lambda: Metric("m", floor=math.nan),
        lambda: Metric("m", higher_is_better=False, floor=0.0),
        lambda: Metric(""),
        lambda: MetricScore("a", "m", math.nan),
        lambda: MetricScore("a", "m", math.inf),
        lambda: MetricScore("a", "m", 0.5, lower=0.4),
        lambda: MetricScore("a", "m", 0.5, lower=0.6, upper=0.7),
        lambda: MetricScore("a", "m", 0.5, lower=0.3, upper=0.4),
        lambda: MetricScore("a", "m", 0.5, n=-1),
        lambda: MetricScore("a", "m", 0.5, se=-0.1),
    ],
)
def test_impossible_metrics_and_scores_are_refused_where_they_are_made(make):
    with pytest.raises(RankingError) as caught:
        make()

    assert "\n" not in str(caught.value)
