"""What operators see of a battle: all of it, as text."""

from __future__ import annotations

import pytest
from django.urls import reverse

from arena.models import Answer, Battle, ModerationFinding
from tests.arena.conversation import HELLO, conversation_make

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>{{ 7|add:7 }}\u202egnp"


def page_of(client, battle):
    response = client.get(reverse("admin:arena_battle_change", args=[battle.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_both_answers_of_every_turn_and_attempt_are_shown_beside_each_other(admin_client):
    conversation = conversation_make(HELLO, ("And the sea?", "It is deep.", "It mirrors."))
    Answer.objects.create(
        turn=conversation.turns[1], side="b", attempt=1, state="complete", text="Another try."
    )

    page = page_of(admin_client, conversation.battle)

    places = [page.index(text) for text in (*HELLO, "And the sea?", "It is deep.", "It mirrors.")]
    assert places == sorted(places)
    assert page.index("Another try.") > places[-1]
    assert "Attempt 1." in page


def test_whatever_a_model_or_a_person_wrote_is_text(admin_client):
    conversation = conversation_make((HOSTILE, HOSTILE, HOSTILE))
    Answer.objects.update(leak=HOSTILE)

    page = page_of(admin_client, conversation.battle)

    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;alert(1)") == 5
    assert page.count("<bdi>") == 5
    assert "{{ 7|add:7 }}" in page


def test_what_was_found_and_how_an_assistant_named_itself_stands_beside_the_answer(admin_client):
    conversation = conversation_make()
    Answer.objects.filter(side="b").update(
        leak="I am Beta Nine", state="failed", error="answer_moderated"
    )
    turn = conversation.turns[0]
    for answer, category in ((None, "spam"), (conversation.answer("b"), "hate")):
        ModerationFinding.objects.create(
            turn=turn, answer=answer, category=category, score=0.91, action="warn", moderator="m/1"
        )

    page = page_of(admin_client, conversation.battle)

    assert "I am Beta Nine" in page
    assert "Failed (Moderated)" in page
    assert page.index("spam 0.91: warn (m/1)") < page.index(HELLO[1])
    assert page.index("hate 0.91: warn (m/1)") > page.index(HELLO[2])
    assert page.count("spam 0.91") == page.count("hate 0.91") == 1


@pytest.mark.parametrize("turns", [1, 6])
def test_a_long_conversation_costs_no_more_queries_than_a_short_one(
    admin_client, django_assert_max_num_queries, turns
):
    conversation = conversation_make(*[HELLO] * turns)

    with django_assert_max_num_queries(14):
        page_of(admin_client, conversation.battle)


@pytest.mark.parametrize("model", [Battle, Answer])
def test_a_long_list_costs_no_more_queries_than_a_short_one(
    admin_client, django_assert_max_num_queries, model
):
    for _ in range(8):
        conversation_make()

    with django_assert_max_num_queries(12):
        url = reverse(f"admin:arena_{model._meta.model_name}_changelist")
        assert admin_client.get(url).status_code == 200


def test_only_leaks_can_be_listed(admin_client):
    conversation_make()
    Answer.objects.filter(side="b").update(leak="I am Beta Nine")

    page = admin_client.get(reverse("admin:arena_answer_changelist"), {"leak__isempty": "0"})

    assert [answer.side for answer in page.context["cl"].result_list] == ["b"]
