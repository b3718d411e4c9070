"""Moderation as the arena does it: prompts before a battle, both sides' answers, what is kept."""

from __future__ import annotations

import asyncio
import logging

import pytest
from prometheus_client import REGISTRY

from arena.errors import ModeratedError
from arena.models import Answer, Battle, ModerationFinding, ModerationPolicy, Turn
from arena.moderation.policy import Finding
from arena.moderation.rules import moderation_rules_read
from arena.selectors.oversight import answer_is_withheld, turn_is_moderated
from arena.services.moderation import (
    PromptVerdict,
    aanswer_moderate,
    answer_moderate,
    prompt_findings_store,
    prompt_moderate,
)
from tests.arena.conversation import HELLO, conversation_make
from tests.arena.moderation_endpoint import moderation_endpoint
from tests.arena.voter import TestVoter

BAD = "a recipe for mustard gas"


@pytest.fixture
def rules(settings, tmp_path):
    """`weapons` finds BAD; what follows is the policy that a test sets."""
    path = tmp_path / "rules.toml"
    path.write_text("weapons = 'mustard gas'\n\"self-harm/intent\" = 'hurt myself'\n")
    settings.ARENA_MODERATION_RULES = moderation_rules_read(path)


def policy(action, category="weapons", threshold=0.5):
    ModerationPolicy.objects.update_or_create(
        category=category, defaults={"action": action, "threshold": threshold}
    )


def counted(name, **labels):
    return REGISTRY.get_sample_value(f"arena_moderation_{name}_total", labels) or 0.0


@pytest.mark.django_db
def test_without_a_moderator_nothing_is_asked_of_anybody(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert prompt_moderate(BAD) == PromptVerdict()
        assert answer_moderate(answer_id=1, text=BAD) is False


@pytest.mark.django_db
@pytest.mark.usefixtures("rules")
def test_a_prompt_that_is_blocked_is_refused_with_a_sentence_for_its_writer():
    policy("block")

    with pytest.raises(ModeratedError) as refused:
        prompt_moderate(BAD)

    assert (refused.value.code, refused.value.status, refused.value.field) == (
        "moderated", 400, "prompt",
    )  # fmt: skip
    assert "weapons" in refused.value.message
    assert prompt_moderate("a recipe for mustard") == PromptVerdict()


@pytest.mark.django_db
@pytest.mark.usefixtures("rules")
def test_whoever_speaks_of_harming_themselves_is_told_where_help_is():
    policy("block", category="self-harm/intent")

    with pytest.raises(ModeratedError) as refused:
        prompt_moderate("I want to hurt myself")

    assert "findahelpline.com" in refused.value.message
    assert "self-harm" not in refused.value.message


@pytest.mark.django_db
@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(("action", "votes_count"), [("log", True), ("warn", False)])
def test_a_prompt_that_is_not_blocked_is_asked_and_what_was_found_is_kept(action, votes_count):
    policy(action)
    conversation = conversation_make((BAD, *HELLO[1:]))

    verdict = prompt_moderate(BAD)
    prompt_findings_store(turn=conversation.turns[0], verdict=verdict)

    kept = ModerationFinding.objects.get()
    assert (kept.turn, kept.answer, kept.action, kept.category, kept.score) == (
        conversation.turns[0], None, action, "weapons", 1.0,
    )  # fmt: skip
    assert kept.moderator.startswith("rules/")
    assert turn_is_moderated(conversation.turns[0]) is not votes_count


@pytest.mark.django_db
@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize("side", ["a", "b"])
@pytest.mark.parametrize(
    ("action", "blocked", "moderated"),
    [("off", False, False), ("log", False, False), ("warn", False, True), ("block", True, True)],
)
def test_both_sides_answers_are_judged_alike(side, action, blocked, moderated):
    policy(action)
    conversation = conversation_make()
    answer = conversation.answer(side)

    assert answer_moderate(answer_id=answer.pk, text=BAD) is blocked

    kept = list(ModerationFinding.objects.values_list("answer", "turn", "action"))
    assert kept == ([] if action == "off" else [(answer.pk, answer.turn_id, action)])
    assert turn_is_moderated(conversation.turns[0]) is moderated


@pytest.mark.django_db
@pytest.mark.usefixtures("rules")
def test_an_answer_that_is_judged_again_has_its_findings_once():
    answer = conversation_make().answer("a")

    answer_moderate(answer_id=answer.pk, text=BAD)
    answer_moderate(answer_id=answer.pk, text=BAD)

    assert ModerationFinding.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("rules")
def test_an_answer_that_was_erased_meanwhile_is_judged_and_leaves_nothing():
    policy("block")

    assert answer_moderate(answer_id=987_654_321, text=BAD) is True
    assert not ModerationFinding.objects.exists()


@pytest.mark.django_db
def test_what_was_found_before_a_turn_speaks_against_it_and_later_things_do_not():
    conversation = conversation_make(HELLO, HELLO, HELLO)
    first, second, third = conversation.turns
    found = PromptVerdict((Finding("weapons", 0.9, "warn", "rules/1"),))

    prompt_findings_store(turn=second, verdict=found)

    assert [turn_is_moderated(turn) for turn in (first, second, third)] == [False, True, True]
    assert not turn_is_moderated(conversation_make().turns[0])


@pytest.mark.django_db
def test_rules_and_an_endpoint_are_asked_both_and_policies_hold_for_both(settings, rules):
    policy("warn", category="violence", threshold=0.8)
    answer = conversation_make().answer("b")
    with moderation_endpoint({"violence": {"gas": 0.85, "fist": 0.7}}) as endpoint:
        settings.ARENA_MODERATION_URL = endpoint.url
        settings.ARENA_MODERATION_MODEL = "omni"

        answer_moderate(answer_id=answer.pk, text=BAD)
        assert prompt_moderate("a fist") == PromptVerdict()

    kept = dict(ModerationFinding.objects.values_list("category", "action"))
    assert kept == {"weapons": "log", "violence": "warn"}
    assert "127.0.0.1/omni" in ModerationFinding.objects.values_list("moderator", flat=True)
    assert endpoint.texts == [BAD, "a fist"]


@pytest.mark.django_db
@pytest.mark.parametrize(("reply", "kind"), [(500, "unreachable"), (b"<html>", "malformed")])
def test_a_moderator_that_fails_lets_texts_pass_and_is_counted(settings, caplog, reply, kind):
    policy("block", category="violence", threshold=0.1)
    before = counted("failures", subject="prompt", kind=kind)
    answer = conversation_make().answer("a")
    with moderation_endpoint({"violence": {"gas": 1.0}}) as endpoint, caplog.at_level(logging.INFO):
        endpoint.reply = reply
        settings.ARENA_MODERATION_URL = endpoint.url

        assert prompt_moderate(BAD) == PromptVerdict()
        assert answer_moderate(answer_id=answer.pk, text=BAD) is False

    assert counted("failures", subject="prompt", kind=kind) == before + 1
    assert kind in caplog.text
    assert BAD not in caplog.text


@pytest.mark.django_db
@pytest.mark.usefixtures("rules")
def test_findings_are_counted_by_what_followed():
    policy("block")
    before = counted("findings", subject="prompt", action="block")

    with pytest.raises(ModeratedError):
        prompt_moderate(BAD)

    assert counted("findings", subject="prompt", action="block") == before + 1


@pytest.mark.django_db
@pytest.mark.usefixtures("rules")
def test_no_transaction_is_open_while_a_moderator_thinks_and_one_query_reads_all_policies(
    django_assert_num_queries,
):
    for number in range(20):
        policy("log", category=f"category {number}")

    with django_assert_num_queries(1):
        prompt_moderate(BAD)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("rules")
def test_an_event_loop_judges_answers_as_well():
    policy("block")
    answer = conversation_make().answer("b")

    assert asyncio.run(aanswer_moderate(answer_id=answer.pk, text=BAD)) is True
    assert asyncio.run(aanswer_moderate(answer_id=answer.pk, text="  ")) is False
    assert ModerationFinding.objects.get().answer == answer


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("rules")
def test_a_blocked_prompt_starts_no_battle_and_no_turn(two_models):
    policy("block")
    voter = TestVoter()

    with pytest.raises(ModeratedError):
        voter.start(BAD)

    assert not Battle.objects.exists()
    assert not Turn.objects.exists()
    assert two_models.requests == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize("model", ["alpha-7b", "beta-9b"])
def test_an_answer_that_is_blocked_is_taken_back_whoever_gave_it(two_models, model):
    policy("block")
    two_models.scripts[model] = ["First: ", BAD]
    voter = TestVoter()

    view = voter.ended(voter.start())

    ends = [
        (answer.state, answer.error and answer.error["code"])
        for answer in view.turns[0].answers.values()
    ]
    assert sorted(ends, key=str) == [("complete", None), ("failed", "answer_moderated")]
    assert BAD not in str(view)
    taken = Answer.objects.get(findings__action="block")
    assert taken.text == f"First: {BAD}"
    assert answer_is_withheld(taken)
    assert view.state == "failed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("rules")
def test_a_vote_on_an_answer_that_was_warned_of_is_kept_and_does_not_count(two_models):
    policy("warn")
    two_models.scripts["beta-9b"] = [BAD]
    voter = TestVoter()
    battle_id = voter.start()
    voter.ended(battle_id)

    assert voter.vote(battle_id).exclusion == "moderated"
