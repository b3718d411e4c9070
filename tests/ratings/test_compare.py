"""Models against each other: probabilities follow from ratings, intervals are those of the pair."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from scipy.stats import t as student

from inference.models import LanguageModel
from ratings.core.outcomes import Outcome, Votes
from ratings.core.standings import standings
from ratings.models import RatingSnapshot
from ratings.services import boards_fit, snapshot_fit, snapshots_thin
from tests.ratings.arena_votes import annotate, vote

Contestants = Mapping[str, LanguageModel]


def compared(client: Client, models: str, **query: str) -> Any:
    return client.get("/api/v1/compare/", {"models": models, **query}).json()


def test_a_pair_has_the_interval_of_its_difference(client: Client, voted: Contestants) -> None:
    snapshot_fit()

    row = compared(client, "bea,ada")["results"][0]

    a, b, tie, bad = Outcome
    table = np.array(
        [(0, 1, a), (1, 0, b), (0, 1, b), (1, 2, a), (2, 1, tie), (2, 0, bad), (0, 2, a)] * 2
    )
    found = standings(Votes(table[:, 0], table[:, 1], table[:, 2], 4), clusters=[np.arange(14)])
    variance = found.covariance[0, 0] + found.covariance[1, 1] - 2 * found.covariance[0, 1]
    half = student.ppf(0.975, found.degrees_of_freedom) * math.sqrt(variance)
    points = found.rating[0] - found.rating[1]
    assert (row["model_a"], row["model_b"]) == ("ada", "bea")
    for name, value in {"": points, "_lower": points - half, "_upper": points + half}.items():
        assert row[f"difference{name}"] == pytest.approx(value, abs=0.01)
        expected = 1 / (1 + 10 ** (-value / 400))
        assert row[f"probability{name}"] == pytest.approx(expected, abs=1e-4)
    counts = [row[name] for name in ("wins_a", "wins_b", "ties", "both_bad", "votes")]
    assert counts == [4, 2, 0, 0, 6]
    assert row["observed"] == pytest.approx(4 / 6)
    assert row["reason"] == ""


def test_every_pair_of_the_models_is_compared_once(client: Client, voted: Contestants) -> None:
    snapshot_fit()

    rows = compared(client, "cyd,ada,bea,ada")["results"]

    pairs = [(row["model_a"], row["model_b"]) for row in rows]
    assert pairs == [("ada", "bea"), ("ada", "cyd"), ("bea", "cyd")]
    assert [rows[1][name] for name in ("wins_a", "wins_b", "ties", "both_bad")] == [2, 0, 0, 2]


def test_a_pair_that_is_not_rated_says_why(client: Client, voted: Contestants) -> None:
    snapshot_fit()

    row = compared(client, "ada,dot")["results"][0]

    assert row["reason"] == "no votes yet"
    assert row["probability"] is row["difference"] is row["observed"] is None


def test_few_voters_leave_no_interval(client: Client, contestants: Contestants) -> None:
    for choice in "ab":
        vote(contestants["ada"], contestants["bea"], choice)
    snapshot_fit()

    row = compared(client, "ada,bea")["results"][0]

    assert row["probability"] == pytest.approx(0.5)
    assert row["probability_lower"] is None
    assert row["reason"] == "too few voters for an interval"


def test_every_category_that_rates_a_pair_is_there(client: Client, voted: Contestants) -> None:
    for number in range(24):
        cast = vote(voted["ada"], voted["bea"], "ab"[number % 3 == 0])
        annotate(cast, categories=("coding",), length=1 + number % 2)
    annotate(vote(voted["ada"], voted["dot"], "a"), categories=("mathematics",))
    fitted = boards_fit()

    body = compared(client, "ada,bea")
    coding = compared(client, "ada,bea", category="coding", style_control="yes")

    others = {part["category"]: part for part in body["categories"]}
    assert set(others) == {
        "coding",
        "exclude-ties",
        "exclude-short",
        "include-leaks",
        "exclude-flagged",
    }
    assert others["coding"]["results"][0]["votes"] == 24
    ids = {str(s.pk): str(board) for board, s in fitted.items()}
    assert ids[others["coding"]["snapshot"]] == "coding"
    assert ids[coding["snapshot"]["id"]] == "coding, style controlled"
    assert "overall" in {part["category"] for part in coding["categories"]}


def test_the_past_is_compared_as_it_was(client: Client, voted: Contestants) -> None:
    first = snapshot_fit()
    long_ago = timezone.now() - timedelta(days=30)
    RatingSnapshot.objects.filter(pk=first.pk).update(created_at=long_ago)
    vote(voted["bea"], voted["ada"], "a")
    snapshot_fit()
    day = long_ago.date().isoformat()

    then = compared(client, "ada,bea", as_of=day)
    snapshots_thin()
    thinned = compared(client, "ada,bea", as_of=day)

    assert then["snapshot"]["id"] == str(first.pk)
    assert then["results"][0]["votes"] == 6
    assert thinned["results"][0]["probability"] == then["results"][0]["probability"]
    assert thinned["results"][0]["probability_lower"] is None
    assert "not kept" in thinned["results"][0]["reason"]


def test_before_the_first_snapshot_nothing_is_known(client: Client, contestants: Contestants):
    body = compared(client, "ada,bea")

    assert body["snapshot"] is None
    assert body["categories"] == []
    assert body["results"][0]["reason"] == "no votes yet"


@pytest.mark.parametrize(
    "models", ["", "ada", "ada,ada", "ada,nobody", ",".join(f"m{n}" for n in range(11))]
)
def test_models_that_cannot_be_compared_are_named(
    client: Client, contestants: Contestants, models: str
) -> None:
    answer = client.get("/api/v1/compare/", {"models": models})

    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "models"
