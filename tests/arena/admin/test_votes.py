"""Votes in the admin: never edited, left out and let in again by entries of the ledger."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from arena.models import LedgerEntry, Vote, VoteReason
from tests.arena.conversation import HELLO, conversation_make

pytestmark = pytest.mark.django_db

VOTES = "admin:arena_vote_changelist"


def act(client, action, votes, **fields):
    body = {"action": action, "_selected_action": [vote.pk for vote in votes], **fields}
    return client.post(reverse(VOTES), body, follow=True)


def exclusions():
    return list(Vote.objects.order_by("ledger_entry").values_list("exclusion", flat=True))


def test_a_reason_is_asked_for_before_votes_are_excluded(admin_client):
    votes = [conversation_make().vote() for _ in range(3)]

    asked = act(admin_client, "exclude_votes", votes[:2])

    assert exclusions() == ["", "", ""]
    assert asked.templates[0].name == "admin/arena/vote/exclude.html"
    assert "2 selected votes" in asked.content.decode()

    hidden = {"select_across": "0", "confirmed": "Exclude"}
    done = act(admin_client, "exclude_votes", votes[:2], reason="rigged", **hidden)

    assert exclusions() == ["rigged", "rigged", ""]
    assert "2 excluded." in done.content.decode()
    entry = json.loads(LedgerEntry.objects.filter(kind="exclusion")[0].payload)
    assert (entry["reason"], entry["by"]) == ("rigged", "operator")
    assert set(LogEntry.objects.values_list("user__username", "change_message")) == {
        ("admin", "Excluded: rigged")
    }


def test_the_form_that_asks_is_the_one_that_is_understood(admin_client):
    """What the page holds is sent back as it is, and one reason with it."""
    votes = [conversation_make().vote()]
    form = act(admin_client, "exclude_votes", votes).content.decode()

    for name, value in (
        ("_selected_action", votes[0].pk), ("select_across", "0"), ("action", "exclude_votes"),
    ):  # fmt: skip
        assert f'<input type="hidden" name="{name}" value="{value}">' in form
    assert 'name="confirmed"' in form
    assert 'name="csrfmiddlewaretoken"' in form
    assert '<option value="rigged">' in form


@pytest.mark.parametrize("reason", ["", "because"])
def test_without_a_reason_that_there_is_nothing_happens(admin_client, reason):
    votes = [conversation_make().vote()]

    act(admin_client, "exclude_votes", votes, reason=reason, confirmed="Exclude")

    assert exclusions() == [""]


def test_votes_that_do_not_count_stay_as_they_are_and_that_is_said(admin_client):
    votes = [conversation_make().vote() for _ in range(2)]
    Vote.objects.filter(pk=votes[0].pk).update(exclusion="leak")

    done = act(admin_client, "exclude_votes", votes, reason="test", confirmed="Exclude")

    assert exclusions() == ["leak", "test"]
    assert "1 did not count already" in done.content.decode()


def test_votes_count_again_but_for_those_that_never_can(admin_client):
    votes = [conversation_make().vote() for _ in range(5)]
    reasons = ["rigged", "leak", "named", "gold", "withdrawn"]
    for vote, reason in zip(votes, reasons, strict=True):
        Vote.objects.filter(pk=vote.pk).update(exclusion=reason)

    done = act(admin_client, "reinstate_votes", votes)

    assert exclusions() == ["", "", "named", "gold", "withdrawn"]
    assert "2 count again." in done.content.decode()
    assert LedgerEntry.objects.filter(kind="reinstatement").count() == 2


def test_who_may_only_look_can_do_nothing(staff):
    client = staff("arena.view_vote")
    vote = conversation_make().vote()

    assert client.get(reverse(VOTES)).status_code == 200
    act(client, "exclude_votes", [vote], reason="rigged", confirmed="Exclude")
    act(client, "reinstate_votes", [vote])

    assert exclusions() == [""]
    assert "exclude_votes" not in client.get(reverse(VOTES)).content.decode()


def test_who_may_change_votes_can_exclude_and_still_edit_nothing(staff):
    client = staff("arena.view_vote", "arena.change_vote")
    vote = conversation_make().vote()

    act(client, "exclude_votes", [vote], reason="rigged", confirmed="Exclude")
    edited = client.post(reverse("admin:arena_vote_change", args=[vote.pk]), {"choice": "b"})

    assert exclusions() == ["rigged"]
    assert edited.status_code == 403


def test_a_vote_shows_what_was_read_and_not_who_voted(admin_client):
    conversation = conversation_make(HELLO, ("Later?", "Yes.", "No."))
    vote = conversation.vote()

    page = admin_client.get(reverse("admin:arena_vote_change", args=[vote.pk])).content.decode()

    assert HELLO[1] in page
    assert "Later?" not in page
    assert str(conversation.voter_id) not in page


def test_lists_of_votes_cost_few_queries(admin_client, django_assert_max_num_queries):
    for _ in range(8):
        conversation_make().vote()

    with django_assert_max_num_queries(12):
        assert admin_client.get(reverse(VOTES)).status_code == 200
    with django_assert_max_num_queries(12):
        admin_client.get(reverse("admin:arena_ledgerentry_changelist"))


def test_reasons_are_added_and_turned_off_and_neither_renamed_nor_deleted(admin_client):
    add = reverse("admin:arena_votereason_add")
    fields = {"label": "Kind", "tone": "good", "position": "20", "is_active": "on"}
    admin_client.post(add, {"slug": "kind", **fields})
    reason = VoteReason.objects.get(slug="kind")
    change = reverse("admin:arena_votereason_change", args=[reason.pk])

    admin_client.post(change, {"slug": "other", "label": "Friendly", "tone": "good", "position": 1})

    reason.refresh_from_db()
    assert (reason.slug, reason.label, reason.is_active) == ("kind", "Friendly", False)
    delete = reverse("admin:arena_votereason_delete", args=[reason.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
