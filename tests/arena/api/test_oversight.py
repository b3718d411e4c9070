"""Reports and feedback over REST: shapes, codes, and that nothing is told before the vote."""

from __future__ import annotations

import json

import pytest
from django.http import HttpResponse

from arena.models import AnswerReport, VoteReason
from arena.rate_limits import rate_limits_parse
from arena.voters import voter_id_keep
from tests.arena.conversation import conversation_make

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation():
    return conversation_make()


@pytest.fixture
def post(client, conversation):
    """Post JSON about the conversation, as its voter."""
    signed = HttpResponse()
    voter_id_keep(signed, conversation.voter_id)
    client.cookies = signed.cookies

    def send(path, **body):
        return client.post(
            f"/api/v1/battles/{conversation.battle.pk}/{path}/",
            json.dumps(body),
            content_type="application/json",
        )

    return send


def test_a_report_is_taken_before_the_vote_and_tells_its_state_only(post):
    response = post("report", turn=0, side="a", reason="harmful", note="Look.")

    assert (response.status_code, response.json()) == (201, {"state": "open"})
    assert response["Cache-Control"] == "no-store"
    assert post("report", turn=0, side="a", reason="other").json() == {"state": "open"}
    assert AnswerReport.objects.get().note == "Look."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "side"),
        ({"turn": 0, "side": "c", "reason": "harmful"}, "side"),
        ({"turn": 0, "side": "a", "reason": "ugly"}, "reason"),
        ({"turn": "0", "side": "a", "reason": "harmful"}, "turn"),
        ({"turn": 0, "side": "a", "reason": "harmful", "note": "a\x00"}, "note"),
    ],
)
def test_a_report_that_cannot_be_read_names_the_field(post, body, field):
    response = post("report", **body)

    error = response.json()["error"]
    assert (response.status_code, error["code"], error["field"]) == (400, "invalid", field)


def test_nobody_reports_anothers_answers(post, client):
    other = conversation_make().battle.pk
    body = json.dumps({"turn": 0, "side": "a", "reason": "harmful"})
    for own_cookie in (True, False):
        if not own_cookie:
            client.cookies.clear()
        response = client.post(
            f"/api/v1/battles/{other}/report/", body, content_type="application/json"
        )
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    assert not AnswerReport.objects.exists()


@pytest.mark.usefixtures("_one_moment")
def test_too_many_reports_are_429_with_a_time_to_come_back(post, settings):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("reports:voter=1/60")
    post("report", turn=0, side="a", reason="harmful")

    response = post("report", turn=0, side="b", reason="harmful")

    assert (response.status_code, response.json()["error"]["code"]) == (429, "rate_limited")
    assert int(response["Retry-After"]) >= 1


def test_feedback_follows_a_vote_and_comes_back_with_the_battle(post, conversation):
    early = post("feedback", turn=0, reasons=["clear"], comment="")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_voted")
    assert "models" not in early.json()
    conversation.vote()

    response = post("feedback", turn=0, reasons=["clear", "too-long"], comment="Well said.")

    vote = response.json()["turns"][0]["vote"]
    assert response.status_code == 200
    assert (vote["reasons"], vote["comment"]) == (["clear", "too-long"], "Well said.")


def test_feedback_with_a_reason_that_there_is_not_names_those_that_there_are(post, conversation):
    conversation.vote()

    response = post("feedback", turn=0, reasons=["because"])

    error = response.json()["error"]
    assert (response.status_code, error["field"]) == (400, "reasons")
    assert "accurate" in error["message"]


def test_the_reasons_on_offer_are_listed_in_their_order(client):
    VoteReason.objects.filter(slug="accurate").update(position=99)
    VoteReason.objects.filter(slug="complete").update(is_active=False)

    listed = client.get("/api/v1/vote-reasons/").json()

    assert (listed["next"], listed["previous"]) == (None, None)
    slugs = [reason["slug"] for reason in listed["results"]]
    assert slugs[-1] == "accurate"
    assert "complete" not in slugs
    assert listed["results"][0] == {"slug": "clear", "label": "Clear", "tone": "good"}
