"""Reasons, withdrawals, reports and what is owned up to, over HTTP by plain forms and by htmx."""

from __future__ import annotations

import re

import pytest
from django.test import Client, override_settings

from arena.models import AnswerReport, Battle, Vote, VoteReason
from tests.frontend.forms import HTMX, voted
from tests.frontend.test_pages import shown, started
from tests.scripted_endpoint import ScriptedEndpoint


@pytest.fixture
def _reasons(transactional_db: None) -> None:
    """As a new arena offers them; tests that flush tables lose what migrations have put there."""
    for slug, tone in (("clear", "good"), ("accurate", "good"), ("too-long", "bad")):
        VoteReason.objects.get_or_create(slug=slug, defaults={"label": slug, "tone": tone})


def chips(html: str) -> dict[str, bool]:
    found = re.findall(r'name="reasons" value="([^"]+)"( checked)?>', html)
    return {slug: bool(checked) for slug, checked in found}


@pytest.mark.usefixtures("_reasons")
def test_reasons_and_a_comment_are_kept_with_the_vote(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    offered = chips(voted(client, path))
    said = {"turn": "0", "reasons": ["clear", "too-long"], "comment": "A <b>note</b>"}

    plain = client.post(f"{path}feedback/", said)
    html = client.get(plain["Location"]).content.decode()
    in_place = client.post(f"{path}feedback/", {**said, "reasons": ["accurate"]}, headers=HTMX)

    assert not any(offered.values())
    assert plain.status_code == 303
    assert {slug for slug, checked in chips(html).items() if checked} == {"clear", "too-long"}
    assert "A &lt;b&gt;note&lt;/b&gt;</textarea>" in html
    assert "Saved with your vote." in html
    assert in_place.status_code == 200
    assert 'id="feedback-said" hx-swap-oob' in in_place.content.decode()
    assert Vote.objects.get().reasons == ["accurate"]


@pytest.mark.usefixtures("_reasons")
def test_feedback_that_is_refused_is_not_lost(two_models: ScriptedEndpoint, client: Client) -> None:
    path = started(client)
    voted(client, path)
    said = {"turn": "0", "reasons": ["clear"], "comment": "x" * 2_001}

    plain = client.post(f"{path}feedback/", said)
    in_place = client.post(f"{path}feedback/", said, headers=HTMX)

    assert plain.status_code == in_place.status_code == 400
    assert f"{'x' * 2_001}</textarea>" in plain.content.decode()
    assert chips(plain.content.decode())["clear"]
    assert 'role="alert"' in in_place.content.decode()
    assert Vote.objects.get().comment == ""


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_vote_can_be_withdrawn_for_good(
    two_models: ScriptedEndpoint, client: Client, headers: dict[str, str]
) -> None:
    path = started(client)
    before = voted(client, path)

    response = client.post(f"{path}withdraw/", {"turn": "0"}, headers=headers)
    after = client.get(path).content.decode()

    assert "Withdraw my vote" in before
    assert response.status_code == (200 if headers else 303)
    assert "This vote was withdrawn" in (response.content.decode() if headers else after)
    assert "Withdraw my vote" not in after
    assert "Alpha Seven" in after
    assert Vote.objects.get().exclusion == "withdrawn"


def test_without_a_vote_there_is_nothing_to_withdraw_or_to_explain(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    shown(client, path, 'id="ballot"')

    for action in ("withdraw", "feedback"):
        response = client.post(f"{path}{action}/", {"turn": "0"}, headers=HTMX)
        assert 400 <= response.status_code < 500
        assert 'role="alert"' in response.content.decode()


def test_an_answer_is_reported_before_the_vote(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    shown(client, path, 'id="ballot"')
    said = {"answer": "0-b", "reason-0-b": "harmful", "note-0-b": "Look!", "reason-0-a": "other"}

    response = client.post(f"{path}report/", said)
    html = client.get(response["Location"]).content.decode()

    assert response["Location"] == f"{path}?reported=0-b#turn-0"
    assert "A moderator will read this answer." in html
    assert html.count("What is wrong with this answer?") == 1
    report = AnswerReport.objects.get()
    assert (report.answer.side, report.reason, report.note) == ("b", "harmful", "Look!")


def test_a_report_in_place_says_what_became_of_it(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    shown(client, path, 'id="ballot"')

    for sent, status, piece in (
        ({"answer": "0-a"}, 400, "Please choose a reason."),
        ({"answer": "0-a", "reason-0-a": "none"}, 400, "Please choose a reason."),
        ({"answer": "7-a", "reason-7-a": "other"}, 404, "There is no such battle of yours."),
        ({"answer": "0-a", "reason-0-a": "illegal"}, 200, "A moderator will read this answer."),
    ):
        response = client.post(f"{path}report/", sent, headers=HTMX)
        assert response.status_code == status, sent
        assert piece in response.content.decode()


def test_a_mangled_report_is_refused_on_the_page(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)

    for answer in ("", "a", "0-c", "\u00b2-a", "999999-a", "0-a<"):
        for headers in ({}, HTMX):
            response = client.post(f"{path}report/", {"answer": answer}, headers=headers)
            assert response.status_code == 400, answer
        assert client.get(path, {"reported": answer}).status_code == 200


def test_a_scrambled_answer_is_owned_up_to_after_the_vote(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    with override_settings(ARENA_GOLD_RATE=1.0):
        path = started(client)
    before = shown(client, path, 'id="ballot"')
    after = voted(client, path)

    side = Battle.objects.get().gold_side.upper()
    assert "scrambled" not in before
    assert f"Answer {side} was scrambled on purpose" in after
    assert "Your vote counts." not in after


def test_nobody_else_can_do_anything_to_a_battle(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    voted(client, path)
    unknown, other = Client(), Client()
    started(other)

    for stranger in (unknown, other):
        for action in ("turns", "feedback", "withdraw", "report"):
            sent = {"turn": "0", "prompt": "Hello?", "answer": "0-a", "reason-0-a": "other"}
            assert stranger.post(f"{path}{action}/", sent).status_code == 404, action
    assert Vote.objects.get().exclusion == ""
    assert not AnswerReport.objects.exists()
