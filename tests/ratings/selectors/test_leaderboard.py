"""The leaderboard has every model once, in order, as of any moment, in few queries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from inference.models import LanguageModel
from ratings.core.connectivity import LOST_ALL, NO_VOTES, WON_ALL
from ratings.models import RatingSnapshot
from ratings.selectors import history, leaderboard, pairs, snapshot_latest
from ratings.services import snapshot_fit
from tests.ratings.arena_votes import language_model, vote

Contestants = Mapping[str, LanguageModel]


def test_before_the_first_snapshot_every_model_waits(contestants: Contestants) -> None:
    assert snapshot_latest() is None
    assert [(row.model, row.rating, row.reason) for row in leaderboard(snapshot=None)] == [
        (slug, None, NO_VOTES) for slug in ("ada", "bea", "cyd", "dot")
    ]


def test_rated_models_come_first_and_the_others_say_why(voted: Contestants) -> None:
    language_model("eve")
    vote(voted["ada"], voted["dot"], "a")
    snapshot_fit()
    language_model("fay")

    rows = leaderboard(snapshot=snapshot_latest())

    assert [row.model for row in rows] == ["ada", "bea", "cyd", "dot", "eve", "fay"]
    assert [row.rank for row in rows] == [1, 2, 3, None, None, None]
    assert [row.reason for row in rows[3:]] == [LOST_ALL, NO_VOTES, NO_VOTES]
    assert rows[0].organization == "Some Maker"


def test_one_vote_rates_nobody_and_hides_nobody(contestants: Contestants) -> None:
    vote(contestants["cyd"], contestants["bea"], "a")
    snapshot_fit()

    rows = leaderboard(snapshot=snapshot_latest())

    assert [(row.model, row.rating) for row in rows] == [
        ("bea", None),
        ("cyd", None),
        ("ada", None),
        ("dot", None),
    ]
    assert [row.reason for row in rows] == [LOST_ALL, WON_ALL, NO_VOTES, NO_VOTES]


def test_a_retired_model_stays_while_it_has_votes(voted: Contestants) -> None:
    for slug in ("cyd", "dot"):
        voted[slug].status = LanguageModel.Status.RETIRED
        voted[slug].retired_on = datetime(2026, 1, 1, tzinfo=UTC).date()
        voted[slug].retired_reason = "replaced"
        voted[slug].save()
    snapshot_fit()

    rows = leaderboard(snapshot=snapshot_latest())

    assert [(row.model, row.status) for row in rows] == [
        ("ada", "active"),
        ("bea", "active"),
        ("cyd", "retired"),
    ]


def test_the_past_is_shown_as_it_was_published(voted: Contestants) -> None:
    first = snapshot_fit()
    RatingSnapshot.objects.filter(pk=first.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    language_model("eve")
    vote(voted["cyd"], voted["ada"], "a")
    snapshot_fit()

    then = snapshot_latest(as_of=datetime(2026, 1, 2, tzinfo=UTC))
    before = snapshot_latest(as_of=datetime(2025, 12, 31, tzinfo=UTC))

    assert then == first
    rows = leaderboard(snapshot=then, joined_later=False)
    assert [row.model for row in rows] == ["ada", "bea", "cyd", "dot"]
    assert before is None
    assert leaderboard(snapshot=before, joined_later=False) == []


def test_the_number_of_queries_does_not_grow_with_the_models(
    voted: Contestants, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        language_model(f"extra-{number}")
    snapshot_fit()

    with django_assert_num_queries(3):
        assert len(leaderboard(snapshot=snapshot_latest())) == 24


def test_the_history_of_a_model_runs_from_old_to_new(voted: Contestants) -> None:
    first = snapshot_fit()
    RatingSnapshot.objects.update(created_at=first.created_at - timedelta(days=1))
    vote(voted["bea"], voted["ada"], "a")
    second = snapshot_fit()

    points = history(model=voted["ada"])

    assert [point.snapshot for point in points] == [first.pk, second.pk]
    assert points[0].rating is not None
    assert points[1].rating is not None
    assert points[1].rating < points[0].rating
    assert points[1].votes == points[0].votes + 1


def test_pairs_join_both_orders_and_predict_what_the_ratings_say(voted: Contestants) -> None:
    snapshot_fit()
    snapshot = snapshot_latest()
    assert snapshot is not None

    rows = {(row.model_a, row.model_b): row for row in pairs(snapshot=snapshot)}

    assert set(rows) == {("ada", "bea"), ("ada", "cyd"), ("bea", "cyd")}
    met = rows["ada", "bea"]
    assert (met.wins_a, met.wins_b, met.ties, met.both_bad) == (4, 2, 0, 0)
    assert met.observed == pytest.approx(2 / 3)
    assert (rows["ada", "cyd"].wins_a, rows["ada", "cyd"].both_bad) == (2, 2)
    expected_wins = sum(
        (row.predicted or 0) * row.votes for row in rows.values() if row.model_a == "ada"
    )
    # At the maximum of the likelihood every model has the wins that its ratings predict.
    assert expected_wins == pytest.approx(4 + 3)
