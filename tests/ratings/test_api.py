"""The public JSON and CSV of the leaderboard, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from inference.models import LanguageModel
from ratings.services import boards_fit, snapshot_fit, voters_review
from tests.ratings.arena_votes import annotate, language_model, vote

Contestants = Mapping[str, LanguageModel]

LEADERBOARD = "/api/v1/leaderboard/"
COMPARE = "/api/v1/compare/"
PATHS = (
    LEADERBOARD,
    f"{LEADERBOARD}pairs/",
    f"{LEADERBOARD}history/ada/",
    f"{COMPARE}?models=ada,bea,dot",
)
ROW = {
    "rank", "rank_low", "rank_high", "model", "name", "organization", "licence", "status",
    "rating", "lower", "upper", "votes", "exclusion_rate", "leak_rate", "exclusions", "scores",
    "reason",
}  # fmt: skip


def test_of_voters_only_what_they_are_like_together_is_told(
    client: Client, voted: Contestants
) -> None:
    before = client.get("/api/v1/voters/")
    voters_review()

    after = client.get("/api/v1/voters/")

    assert before.json() == {"review": None}
    review = after.json()["review"]
    assert (review["voters"], review["tested"], review["flagged"]) == (14, 0, 0)
    # Ten decided votes of fourteen, six of them for the first.
    assert review["first_share"]["votes"] == 10
    assert review["first_share"]["value"] == pytest.approx(0.6)
    assert review["tie_share"]["value"] == pytest.approx(4 / 14)
    assert review["retest_share"] is None
    assert (
        client.get("/api/v1/voters/", headers={"If-None-Match": after["ETag"]}).status_code == 304
    )


def test_an_arena_without_votes_has_a_leaderboard(client: Client, contestants: Contestants) -> None:
    answer = client.get(LEADERBOARD)

    assert answer.status_code == 200
    assert answer.json()["snapshot"] is None
    assert [row["rating"] for row in answer.json()["results"]] == [None] * 4


def test_the_leaderboard_carries_its_snapshot_and_whole_rows(
    client: Client, voted: Contestants
) -> None:
    snapshot = snapshot_fit()

    body = client.get(LEADERBOARD).json()

    assert body["snapshot"]["id"] == str(snapshot.pk)
    assert body["snapshot"]["method"] == "bradley-terry"
    assert body["snapshot"]["filters"] == {"category": "overall", "style_control": False}
    assert body["snapshot"]["ledger_head"] == snapshot.ledger_head
    funnel = body["snapshot"]["funnel"]
    assert sum(count for key, count in funnel.items() if key != "raw") == funnel["raw"] == 14
    assert all(set(row) == ROW for row in body["results"])
    first, last = body["results"][0], body["results"][-1]
    assert (first["model"], first["rank"], first["scores"]) == ("ada", 1, {})
    assert first["lower"] < first["rating"] < first["upper"]
    assert (last["model"], last["rating"], last["reason"]) == ("dot", None, "no votes yet")


def test_a_leaderboard_that_was_kept_is_a_signed_head(
    client: Client, voted: Contestants, tmp_path: Path
) -> None:
    snapshot_fit()
    kept = tmp_path / "leaderboard.json"
    kept.write_bytes(client.get(LEADERBOARD).content)
    out = StringIO()

    call_command("verify_ledger", head=kept, stdout=out)

    assert "1 signed heads agree" in out.getvalue()


def test_no_answer_holds_a_number_that_json_does_not_know(
    client: Client, contestants: Contestants
) -> None:
    vote(contestants["ada"], contestants["bea"], "tie")
    snapshot_fit()

    for path in PATHS:
        json.loads(client.get(path).content, parse_constant=pytest.fail)


def test_csv_has_the_rows_of_the_json(client: Client, voted: Contestants) -> None:
    snapshot_fit()

    answer = client.get(LEADERBOARD, {"format": "csv"})

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    expected = client.get(LEADERBOARD).json()["results"]
    assert [row["model"] for row in rows] == [row["model"] for row in expected]
    assert float(rows[0]["rating"]) == expected[0]["rating"]
    assert rows[-1]["rating"] == ""


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_csv_runs_no_formula_in_a_spreadsheet(client: Client, db: None, name: str) -> None:
    language_model("evil", name=name)

    rows = csv.DictReader(StringIO(client.get(LEADERBOARD, {"format": "csv"}).content.decode()))

    assert [row["name"] for row in rows] == [f"'{name}"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"category": "poetry"}, "category"),
        ({"style_control": "perhaps"}, "style_control"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "2026-02-31"}, "as_of"),
        ({"as_of": "0001-01-01T00:00:00+10:00"}, "as_of"),
        ({"format": "xml"}, "format"),
    ],
)
def test_a_parameter_that_cannot_be_served_is_named(
    client: Client, db: None, query: dict[str, str], field: str
) -> None:
    answer = client.get(LEADERBOARD, query)

    assert answer.status_code == 400
    assert field in answer.content.decode()


def test_defaults_may_be_spelt_out(client: Client, voted: Contestants) -> None:
    snapshot_fit()
    spelt = {"category": "overall", "style_control": "false", "as_of": "", "format": "json"}

    assert client.get(LEADERBOARD, spelt).json() == client.get(LEADERBOARD).json()


@pytest.mark.parametrize(
    "as_of",
    ["2020-01-01", "2020-01-01T00:00:00+16:00", "2020-01-01T12:00:00Z", "2020-01-01T12:00:00"],
)
def test_before_the_first_snapshot_there_was_nothing(
    client: Client, voted: Contestants, as_of: str
) -> None:
    snapshot_fit()

    answer = client.get(LEADERBOARD, {"as_of": as_of})

    assert answer.json() == {"snapshot": None, "results": []}


def test_what_did_not_change_is_not_sent_again(client: Client, voted: Contestants) -> None:
    snapshot_fit()
    etag = client.get(LEADERBOARD).headers["ETag"]

    again = client.get(LEADERBOARD, headers={"If-None-Match": etag})
    vote(voted["ada"], voted["bea"], "a")
    snapshot_fit()
    changed = client.get(LEADERBOARD, headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_an_etag_that_stands_for_it(
    client: Client, voted: Contestants, path: str
) -> None:
    snapshot_fit()
    first = client.get(path)

    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    elsewhere = client.get(f"{path}{'&' if '?' in path else '?'}format=csv")
    vote(voted["ada"], voted["bea"], "a")
    snapshot_fit()
    changed = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert first.headers["Cache-Control"] == "no-cache"
    assert changed.status_code == 200
    assert len({a.headers["ETag"] for a in (first, elsewhere, changed)}) == 3


def test_a_renamed_model_is_sent_again(client: Client, voted: Contestants) -> None:
    snapshot_fit()
    etag = client.get(LEADERBOARD).headers["ETag"]
    LanguageModel.objects.filter(slug="ada").update(name="Ada the First")

    changed = client.get(LEADERBOARD, headers={"If-None-Match": etag})

    assert changed.status_code == 200
    assert changed.json()["results"][0]["name"] == "Ada the First"


@pytest.mark.parametrize("path", PATHS)
def test_the_number_of_queries_grows_with_nothing(
    client: Client, voted: Contestants, path: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        annotate(vote(voted["ada"], voted["bea"], "ab"[number % 2]), categories=(f"tag-{number}",))
    boards_fit()
    url = f"{path}{'&' if '?' in path else '?'}category=tag-3&as_of=2100-01-01"

    with django_assert_max_num_queries(8):
        answer = client.get(url)
    with django_assert_max_num_queries(4):
        unchanged = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.status_code == 200
    assert unchanged.status_code == 304


@pytest.mark.parametrize("path", PATHS)
def test_every_table_is_there_as_csv(client: Client, voted: Contestants, path: str) -> None:
    snapshot_fit()

    answer = client.get(f"{path}{'&' if '?' in path else '?'}format=csv")

    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    results = client.get(path).json()["results"]
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(rows) == len(results) > 0
    assert set(rows[0]) <= set(results[0])
    for name, text in rows[0].items():
        value = results[0][name]
        if isinstance(value, float):
            assert float(text) == value


@pytest.mark.parametrize("path", PATHS)
def test_a_category_without_a_snapshot_has_rows_that_wait(
    client: Client, voted: Contestants, path: str
) -> None:
    snapshot_fit()

    body = client.get(f"{path}{'&' if '?' in path else '?'}category=coding").json()

    if "history" not in path:
        assert body["snapshot"] is None
    if path == LEADERBOARD:
        assert [row["reason"] for row in body["results"]] == ["no votes yet"] * 4


def test_an_unknown_category_is_answered_with_those_that_there_are(
    client: Client, voted: Contestants
) -> None:
    error = client.get(LEADERBOARD, {"category": "poetry"}).json()["error"]

    assert error["field"] == "category"
    assert "there is: overall, coding, mathematics" in error["message"]


def test_a_category_has_its_own_numbers_with_and_without_style(
    client: Client, voted: Contestants
) -> None:
    for number in range(24):
        first, second = ("bea", "ada") if number % 2 else ("ada", "bea")
        wins = "a" if (first == "bea") == (number % 6 != 0) else "b"
        cast = vote(voted[first], voted[second], wins)
        annotate(cast, categories=("coding",), length=number % 4)
    boards_fit()

    overall = client.get(LEADERBOARD).json()
    coding = client.get(LEADERBOARD, {"category": "coding"}).json()
    styled = client.get(LEADERBOARD, {"category": "coding", "style_control": "true"}).json()

    assert [row["votes"] for row in coding["results"][:2]] == [24, 24]
    assert coding["results"][0]["model"] == "bea"
    assert coding["snapshot"]["filters"] == {"category": "coding", "style_control": False}
    assert coding["snapshot"]["effects"] == []
    assert styled["snapshot"]["filters"] == {"category": "coding", "style_control": True}
    assert [effect["name"] for effect in styled["snapshot"]["effects"]] == ["length"]
    assert overall["snapshot"]["funnel"]["raw"] == 38


def test_the_share_of_votes_that_do_not_count_is_published(
    client: Client, voted: Contestants
) -> None:
    vote(voted["dot"], voted["ada"], "a", leak="I am Model DOT")
    boards_fit()

    rows = {row["model"]: row for row in client.get(LEADERBOARD).json()["results"]}
    leaks = client.get(LEADERBOARD, {"category": "include-leaks"}).json()

    assert rows["dot"]["exclusion_rate"] == 1
    assert rows["ada"]["exclusion_rate"] == pytest.approx(1 / 11)
    assert rows["bea"]["exclusion_rate"] == 0
    assert leaks["snapshot"]["funnel"]["counted"] == 15
    assert {row["model"]: row["votes"] for row in leaks["results"]}["dot"] == 1


def test_history_and_pairs_of_a_model(client: Client, voted: Contestants) -> None:
    snapshot = snapshot_fit()

    history = client.get(f"{LEADERBOARD}history/ada/").json()
    pairs = client.get(f"{LEADERBOARD}pairs/").json()

    assert history["model"] == "ada"
    assert [point["snapshot"] for point in history["results"]] == [str(snapshot.pk)]
    assert pairs["snapshot"]["id"] == str(snapshot.pk)
    assert pairs["results"][0] == {
        "model_a": "ada",
        "model_b": "bea",
        "wins_a": 4,
        "wins_b": 2,
        "ties": 0,
        "both_bad": 0,
        "votes": 6,
        "observed": pytest.approx(2 / 3),
        "predicted": pytest.approx(0.6, abs=0.2),
    }


def test_the_history_of_nobody_is_not_found(client: Client, db: None) -> None:
    assert client.get(f"{LEADERBOARD}history/nobody/").status_code == 404


def test_pairs_before_the_first_snapshot(client: Client, db: None) -> None:
    assert client.get(f"{LEADERBOARD}pairs/").json() == {"snapshot": None, "results": []}


def test_nothing_can_be_written(client: Client, db: None) -> None:
    assert client.post(LEADERBOARD, {}, content_type="application/json").status_code == 405
