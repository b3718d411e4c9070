"""Reasons and a comment after a vote."""

from __future__ import annotations

import uuid

import pytest

from arena.errors import BattleNotFoundError, InvalidInputError, NotVotedError
from arena.models import LedgerEntry, Vote, VoteReason
from arena.services.feedback import reasons_clean, vote_feedback
from tests.arena.conversation import conversation_make

pytestmark = pytest.mark.django_db


def say(conversation, **changed):
    return vote_feedback(
        **{
            "voter_id": conversation.voter_id,
            "battle_id": conversation.battle.pk,
            "turn_index": 0,
            **changed,
        }
    )


def test_the_latest_word_is_kept_and_the_ledger_does_not_grow():
    conversation = conversation_make()
    vote = conversation.vote(reasons=["clear"])

    say(conversation, reasons=["accurate", "too-long", "accurate"], comment="  One.\r\nTwo. ")
    kept = Vote.objects.get(pk=vote.pk)
    assert (kept.reasons, kept.comment) == (["accurate", "too-long"], "One.\nTwo.")

    say(conversation)
    kept.refresh_from_db()
    assert (kept.reasons, kept.comment) == ([], "")
    assert LedgerEntry.objects.count() == 1


def test_nothing_is_said_before_the_vote():
    with pytest.raises(NotVotedError) as refused:
        say(conversation_make(), reasons=["clear"])

    assert (refused.value.code, refused.value.status) == ("not_voted", 409)


@pytest.mark.parametrize("changed", [{"voter_id": uuid.uuid4()}, {"battle_id": uuid.uuid4()}])
def test_nobody_speaks_for_anybody_else(changed):
    conversation = conversation_make()
    conversation.vote()

    with pytest.raises(BattleNotFoundError):
        say(conversation, comment="x", **changed)

    assert not Vote.objects.exclude(comment="").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("comment", "x" * 2001), ("comment", "a\x1bb"), ("comment", 7), ("comment", ["a"]),
        ("comment", "\ud83d"), ("turn", 0.0), ("turn", -1),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name(field, value):
    conversation = conversation_make()
    conversation.vote()

    with pytest.raises(InvalidInputError) as refused:
        say(conversation, **{"turn_index" if field == "turn" else field: value})

    assert refused.value.field == field


def test_reasons_are_those_that_operators_offer_now():
    VoteReason.objects.filter(slug="creative").update(is_active=False)
    assert reasons_clean(["clear", "clear"]) == ["clear"]

    with pytest.raises(InvalidInputError, match="follows-instructions") as refused:
        reasons_clean(["creative"])

    assert refused.value.field == "reasons"
    assert "creative" not in refused.value.message


@pytest.mark.parametrize(
    "reasons", ["clear", None, 7, {"clear": 1}, [["clear"]], [None], [7], ["clear"] * 11, ["CLEAR"]]
)
def test_reasons_of_any_other_shape_are_refused(reasons):
    with pytest.raises(InvalidInputError) as refused:
        reasons_clean(reasons)
    assert refused.value.field == "reasons"


def test_a_vote_without_reasons_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert reasons_clean(()) == []
