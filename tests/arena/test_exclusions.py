"""Whether a vote counts is said by entries of the ledger, each reversible but a withdrawal."""

from __future__ import annotations

import json

import pytest

from arena import errors
from arena.ledger_verification import ledger_verify
from arena.models import LedgerEntry, Vote
from arena.services.exclusions import vote_withdraw, votes_exclude, votes_reinstate
from tests.arena.voter import TestVoter
from tests.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vote(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    return voter.vote(battle_id)


def entries():
    return [(entry.kind, json.loads(entry.payload).get("reason")) for entry in ledger_verify()][1:]


def test_an_exclusion_and_its_reversal_are_entries_that_name_no_person(vote):
    assert votes_exclude(votes=[vote.pk], reason="moderated", by="moderator") == 1
    vote.refresh_from_db()
    assert vote.exclusion == "moderated"
    assert votes_reinstate(votes=[vote.pk], reason="moderated", by="moderator") == 1
    vote.refresh_from_db()
    assert vote.exclusion == ""

    assert entries() == [("exclusion", "moderated"), ("reinstatement", None)]
    last = json.loads(LedgerEntry.objects.order_by("-sequence")[1].payload)
    assert last == {"schema": 1, "vote": 1, "reason": "moderated", "by": "moderator"}


def test_what_is_said_already_is_not_said_again(vote):
    votes_exclude(votes=[vote.pk], reason="outlier", by="rules/2")

    assert votes_exclude(votes=[vote.pk], reason="moderated", by="moderator") == 0
    assert votes_reinstate(votes=[vote.pk], reason="moderated", by="moderator") == 0
    assert entries() == [("exclusion", "outlier")]


@pytest.mark.parametrize("reason", ["", "withdrawn", "x" * 21])
def test_a_reason_that_is_none_is_refused(vote, reason):
    with pytest.raises(ValueError, match="no reason for an exclusion"):
        votes_exclude(votes=[vote.pk], reason=reason, by="moderator")
    assert entries() == []


def test_a_withdrawal_is_for_good(voter, vote):
    battle_id = vote.turn.battle_id

    for _ in range(2):
        assert (
            vote_withdraw(voter_id=voter.id, battle_id=battle_id, turn_index=0).exclusion
            == "withdrawn"
        )
    assert votes_reinstate(votes=[vote.pk], by="moderator") == 0

    assert entries() == [("withdrawal", None)]
    assert voter.vote(battle_id).pk == vote.pk  # the same request again: the same answer
    with pytest.raises(errors.BallotSpentError):
        voter.vote(battle_id, "b")
    view = voter.view(battle_id)
    assert (view.state, view.turns[0].vote.counted) == ("voted", False)


def test_only_ones_own_vote_can_be_withdrawn(voter, vote):
    battle_id = vote.turn.battle_id

    with pytest.raises(errors.BattleNotFoundError):
        vote_withdraw(voter_id=TestVoter().id, battle_id=battle_id, turn_index=0)
    for index in (1, -1, None, "0", 10**30, False):
        with pytest.raises(errors.NotVotableError):
            vote_withdraw(voter_id=voter.id, battle_id=battle_id, turn_index=index)
    assert entries() == []


def test_those_who_exclude_at_one_moment_exclude_once(vote):
    counts = at_once([lambda: votes_exclude(votes=[vote.pk], reason="outlier", by="rules/2")] * 4)

    assert sorted(counts) == [0, 0, 0, 1]
    assert entries() == [("exclusion", "outlier")]
    assert Vote.objects.get().exclusion == "outlier"
