"""Reports of answers: who may make one, what a moderator's word does to votes, and back."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from arena.errors import BattleNotFoundError, InvalidInputError, RateLimitedError
from arena.exports.shapes import Pseudonyms, row_33k
from arena.models import AnswerReport, LedgerEntry, ModerationFinding, Vote, Voter
from arena.rate_limits import rate_limits_parse
from arena.selectors import votes_with_conversations
from arena.selectors.oversight import answer_is_withheld
from arena.services.exclusions import votes_reinstate
from arena.services.reports import answer_report, report_decide
from tests.arena.conversation import HELLO, conversation_make


@pytest.fixture
def moderator(db):
    return get_user_model().objects.create_user("moderator")


def report(conversation, **changed):
    return answer_report(
        **{
            "voter_id": conversation.voter_id,
            "address": "192.0.2.1",
            "battle_id": conversation.battle.pk,
            "turn_index": 0,
            "side": "a",
            "reason": "harmful",
            "note": "",
            **changed,
        }
    )


def decide(made, moderator, *, uphold):
    return report_decide(report_id=made.pk, uphold=uphold, decided_by_id=moderator.pk)


def exclusion_of(vote):
    return Vote.objects.get(pk=vote.pk).exclusion


@pytest.mark.django_db
@pytest.mark.parametrize("side", ["a", "b"])
def test_an_answer_is_reported_before_the_vote_and_once(side):
    conversation = conversation_make()

    made = report(conversation, side=side, note=" It tells how.\r\nIndeed. ")
    again = report(conversation, side=side, reason="other", note="")

    assert made.answer == conversation.answer(side)
    assert (made.state, made.reason, made.note) == ("open", "harmful", "It tells how.\nIndeed.")
    assert again.pk == made.pk
    assert AnswerReport.objects.count() == 1


@pytest.mark.django_db
def test_the_answer_that_is_shown_now_is_the_one_reported():
    conversation = conversation_make()
    retried = conversation.answer("a")
    retried.pk, retried.attempt, retried.text = None, 1, "Another answer."
    retried.save(force_insert=True)

    assert report(conversation).answer == retried


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changed",
    [
        {"voter_id": uuid.uuid4()},
        {"battle_id": uuid.uuid4()},
        {"turn_index": 1},
        {"turn_index": 10**30},
    ],
)
def test_nobody_reports_what_is_not_theirs_or_not_there(changed):
    conversation = conversation_make()

    with pytest.raises(BattleNotFoundError):
        report(conversation, **changed)

    assert not AnswerReport.objects.exists()
    assert not Voter.objects.exclude(pk=conversation.voter_id).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("side", "c"), ("side", None), ("side", ["a"]), ("reason", "ugly"), ("reason", None),
        ("reason", {}), ("note", "x" * 2001), ("note", "a\x00b"), ("note", 7), ("note", "\ud83d"),
        ("turn", -1), ("turn", "0"), ("turn", True), ("turn", None),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name(field, value):
    conversation = conversation_make()

    with pytest.raises(InvalidInputError) as refused:
        report(conversation, **{"turn_index" if field == "turn" else field: value})

    assert refused.value.field == field


@pytest.mark.django_db
@pytest.mark.usefixtures("_one_moment")
def test_reports_are_limited(settings):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("reports:voter=1/60")
    conversation = conversation_make()
    report(conversation)

    with pytest.raises(RateLimitedError):
        report(conversation, side="b")


@pytest.mark.django_db
def test_upholding_withholds_the_answer_and_takes_its_vote_out(moderator):
    conversation, other = conversation_make(), conversation_make()
    vote, other_vote = conversation.vote(), other.vote()
    made = report(conversation)

    decided = decide(made, moderator, uphold=True)

    assert (decided.state, decided.decided_by) == ("upheld", moderator)
    assert decided.decided_at is not None
    assert exclusion_of(vote) == "moderated"
    assert exclusion_of(other_vote) == ""
    entry = LedgerEntry.objects.get(kind="exclusion")
    assert '"by":"moderator"' in entry.payload.replace(" ", "")
    withheld = {side for side in "ab" if answer_is_withheld(conversation.answer(side))}
    assert withheld == {"a"}


@pytest.mark.django_db
def test_an_answer_that_is_withheld_is_in_no_export(moderator, django_assert_num_queries):
    conversation = conversation_make()
    vote = conversation.vote()
    decide(report(conversation, side="b"), moderator, uphold=True)
    votes_reinstate(votes=[vote.pk], by="operator")

    with django_assert_num_queries(4):
        row = row_33k(votes_with_conversations().get(exclusion=""), Pseudonyms())

    assert [message["content"] for message in row["conversation_a"]] == [HELLO[0], HELLO[1]]
    assert [message["content"] for message in row["conversation_b"]] == [HELLO[0], ""]


@pytest.mark.django_db
def test_a_vote_after_upholding_does_not_count_and_one_on_what_came_before_does(moderator):
    conversation = conversation_make(HELLO, HELLO)
    decide(report(conversation, turn_index=1), moderator, uphold=True)

    assert conversation.vote(turn=1).exclusion == "moderated"
    other = conversation_make(HELLO, HELLO)
    decide(report(other, turn_index=1), moderator, uphold=True)
    assert other.vote(turn=0).exclusion == ""


@pytest.mark.django_db
def test_upholding_takes_out_later_votes_of_the_conversation_and_no_earlier_ones(moderator):
    conversation = conversation_make(HELLO, HELLO)
    vote = conversation.vote(turn=1)
    decide(report(conversation, turn_index=0), moderator, uphold=True)
    assert exclusion_of(vote) == "moderated"

    earlier = conversation_make(HELLO, HELLO)
    kept = earlier.vote(turn=0)
    decide(report(earlier, turn_index=1), moderator, uphold=True)
    assert exclusion_of(kept) == ""


@pytest.mark.django_db
def test_dismissing_what_was_upheld_lets_the_vote_count_again(moderator):
    conversation = conversation_make()
    vote = conversation.vote()
    made = report(conversation)
    decide(made, moderator, uphold=True)

    decided = decide(made, moderator, uphold=False)

    assert decided.state == "dismissed"
    assert exclusion_of(vote) == ""
    assert not answer_is_withheld(made.answer)
    kinds = list(LedgerEntry.objects.order_by("sequence").values_list("kind", flat=True))
    assert kinds == ["vote", "exclusion", "reinstatement"]


@pytest.mark.django_db
@pytest.mark.parametrize("against", ["a report", "a finding", "another reason"])
def test_a_vote_that_something_else_speaks_against_stays_out(moderator, against):
    conversation = conversation_make()
    vote = conversation.vote()
    made = report(conversation)
    decide(made, moderator, uphold=True)
    if against == "a report":
        decide(report(conversation, side="b"), moderator, uphold=True)
    elif against == "a finding":
        ModerationFinding.objects.create(
            turn=conversation.turns[0], category="hate", score=0.9, action="warn", moderator="m/1"
        )
    else:
        Vote.objects.filter(pk=vote.pk).update(exclusion="rigged")

    decide(made, moderator, uphold=False)

    assert exclusion_of(vote) in {"moderated", "rigged"}
    assert not LedgerEntry.objects.filter(kind="reinstatement").exists()


@pytest.mark.django_db
def test_a_vote_that_the_rules_left_out_while_a_report_stood_is_not_let_in_unchecked(moderator):
    conversation = conversation_make()
    made = report(conversation)
    decide(made, moderator, uphold=True)
    vote = conversation.vote()

    decide(made, moderator, uphold=False)

    assert exclusion_of(vote) == "moderated"


@pytest.mark.django_db
def test_the_same_decision_again_changes_nothing(moderator):
    conversation = conversation_make()
    conversation.vote()
    made = report(conversation)
    first = decide(made, moderator, uphold=True)
    other = get_user_model().objects.create_user("other")

    again = decide(made, other, uphold=True)

    assert (again.decided_by, again.decided_at) == (moderator, first.decided_at)
    assert LedgerEntry.objects.filter(kind="exclusion").count() == 1


@pytest.mark.django_db
def test_dismissing_an_open_report_touches_no_vote(moderator):
    conversation = conversation_make()
    conversation.vote()

    decide(report(conversation), moderator, uphold=False)

    assert set(LedgerEntry.objects.values_list("kind", flat=True)) == {"vote"}


@pytest.mark.django_db(transaction=True)
def test_no_vote_slips_in_while_a_report_is_upheld(moderator):
    """Whichever of the two comes first, the vote does not count."""
    for _ in range(5):
        conversation = conversation_make()
        made = report(conversation)
        together = threading.Barrier(2)

        def at_once(act, together=together):
            def run():
                together.wait(10)
                try:
                    act()
                finally:
                    connection.close()

            return threading.Thread(target=run)

        threads = [
            at_once(conversation.vote),
            at_once(lambda made=made: decide(made, moderator, uphold=True)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

        vote = Vote.objects.get(turn=conversation.turns[0])
        assert vote.exclusion == "moderated"
