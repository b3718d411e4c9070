"""The moderators' pages: the queue of reports, a report's own page, policies, findings."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from arena.models import AnswerReport, ModerationFinding, ModerationPolicy, Vote
from arena.services.reports import answer_report
from tests.arena.conversation import HELLO, conversation_make

pytestmark = pytest.mark.django_db

QUEUE = "admin:arena_answerreport_changelist"


def reported(conversation=None, side="b", note="It tells how."):
    conversation = conversation or conversation_make()
    return answer_report(
        voter_id=conversation.voter_id,
        address="192.0.2.1",
        battle_id=conversation.battle.pk,
        turn_index=0,
        side=side,
        reason="harmful",
        note=note,
    )


def page_of(client, report):
    url = reverse("admin:arena_answerreport_change", args=[report.pk])
    return client.get(url).content.decode()


def decide(client, report, decision):
    url = reverse("admin:arena_answerreport_decide", args=[report.pk])
    return client.post(url, {"decision": decision}, follow=True)


def states():
    return list(AnswerReport.objects.order_by("pk").values_list("state", flat=True))


def listed(client, **filters):
    return list(client.get(reverse(QUEUE), filters).context["cl"].result_list)


def test_the_queue_holds_open_reports_the_oldest_first_and_others_on_demand(admin_client):
    first, second, third = reported(), reported(), reported()
    decide(admin_client, second, "uphold")

    assert listed(admin_client) == [first, third]
    assert listed(admin_client, state="upheld") == [second]
    assert listed(admin_client, state="dismissed") == []
    assert len(listed(admin_client, state="all")) == 3


def test_a_report_shows_both_answers_the_reported_one_marked_and_names_no_model(admin_client):
    conversation = conversation_make(HELLO, ("Later?", "Yes.", "No."))
    report = reported(conversation, note="<b>Look</b>")

    page = page_of(admin_client, report)

    assert page.index(HELLO[1]) < page.index("Reported.") < page.index(HELLO[2])
    assert page.count("Reported.") == 1
    assert "&lt;b&gt;Look&lt;/b&gt;" in page
    assert "Later?" not in page
    for secret in ("Alpha", "Beta", "alpha-7b", "beta-9b", str(conversation.voter_id)):
        assert secret not in page


@pytest.mark.parametrize(("decision", "state"), [("uphold", "upheld"), ("dismiss", "dismissed")])
def test_a_decision_is_made_below_the_report_and_signed(admin_client, decision, state):
    report = reported()
    page = page_of(admin_client, report)
    assert f'name="decision" value="{decision}"' in page
    assert reverse("admin:arena_answerreport_decide", args=[report.pk]) in page

    after = decide(admin_client, report, decision)

    report.refresh_from_db()
    assert (report.state, report.decided_by.username) == (state, "admin")
    assert f"1 {state}." in after.content.decode()
    assert LogEntry.objects.get().user.username == "admin"
    assert f'value="{decision}"' not in page_of(admin_client, report)


def test_upholding_takes_the_vote_out_and_dismissing_lets_it_in_again(admin_client):
    conversation = conversation_make()
    vote = conversation.vote()
    report = reported(conversation)

    decide(admin_client, report, "uphold")
    assert Vote.objects.get(pk=vote.pk).exclusion == "moderated"
    decide(admin_client, report, "dismiss")
    assert Vote.objects.get(pk=vote.pk).exclusion == ""


def test_several_reports_are_decided_at_once(admin_client):
    reports = [reported() for _ in range(3)]
    selected = [report.pk for report in reports[:2]]

    admin_client.post(reverse(QUEUE), {"action": "uphold", "_selected_action": selected})
    assert states() == ["upheld", "upheld", "open"]
    admin_client.post(
        reverse(QUEUE) + "?state=upheld", {"action": "dismiss", "_selected_action": selected[:1]}
    )
    assert states() == ["dismissed", "upheld", "open"]


def test_who_may_only_look_decides_nothing(staff):
    client = staff("arena.view_answerreport")
    report = reported()

    assert "decision" not in page_of(client, report)
    assert decide(client, report, "uphold").status_code == 403
    client.post(reverse(QUEUE), {"action": "uphold", "_selected_action": [report.pk]})
    assert states() == ["open"]


def test_a_moderator_decides_and_edits_nothing(staff):
    client = staff("arena.view_answerreport", "arena.change_answerreport")
    report = reported()

    edited = client.post(
        reverse("admin:arena_answerreport_change", args=[report.pk]), {"state": "upheld"}
    )
    assert edited.status_code == 403
    decide(client, report, "dismiss")
    assert states() == ["dismissed"]


def test_decisions_are_posted_by_those_who_are_logged_in(admin_client, client):
    report = reported()
    url = reverse("admin:arena_answerreport_decide", args=[report.pk])

    assert admin_client.get(url).status_code == 405
    admin_client.post(url, {"decision": "burn"})
    admin_client.post(
        reverse("admin:arena_answerreport_decide", args=[9**9]), {"decision": "uphold"}
    )
    client.logout()
    client.post(url, {"decision": "uphold"})

    assert states() == ["open"]


def test_policies_are_added_and_kept_between_nothing_and_certainty(admin_client):
    add = reverse("admin:arena_moderationpolicy_add")
    admin_client.post(add, {"category": "hate", "action": "block", "threshold": "0.8"})
    admin_client.post(add, {"category": "spam", "action": "block", "threshold": "1.2"})

    kept = ModerationPolicy.objects.values_list("category", "action", "threshold")
    assert list(kept) == [("hate", "block", 0.8)]


def test_findings_say_what_was_found_where(admin_client, django_assert_max_num_queries):
    for _ in range(6):
        conversation = conversation_make()
        for answer in (None, conversation.answer("b")):
            found = ModerationFinding.objects.create(
                turn=conversation.turns[0],
                answer=answer,
                category="hate",
                score=0.9,
                action="warn",
                moderator="m/1",
            )

    with django_assert_max_num_queries(14):
        page = admin_client.get(reverse("admin:arena_moderationfinding_changelist"))
    assert page.content.decode().count("answer b, turn 0") == 6
    assert page.content.decode().count("prompt, turn 0") == 6
    own = admin_client.get(reverse("admin:arena_moderationfinding_change", args=[found.pk]))
    assert HELLO[2] in own.content.decode()


def test_the_queue_costs_few_queries(admin_client, django_assert_max_num_queries):
    for _ in range(8):
        reported()

    with django_assert_max_num_queries(12):
        assert len(listed(admin_client)) == 8
