"""A vote: one ballot, one choice, one entry in the ledger, and what does not count."""

from __future__ import annotations

import json
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from arena import errors
from arena.ledger import LedgerBrokenError
from arena.ledger_verification import ledger_verify
from arena.models import Answer, Battle, LedgerEntry, Turn, Vote, VoteSecret
from arena.services.battles import battle_regenerate
from tests.arena.voter import TestVoter
from tests.at_once import at_once
from tests.scripted_endpoint import Gate

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_vote_reveals_both_models_and_enters_the_ledger(voter):
    battle_id = voter.start()
    voter.ended(battle_id)

    vote = voter.vote(battle_id, "tie")

    view = voter.view(battle_id)
    assert view.state == "voted"
    assert {model.slug for model in view.models.values()} == {"alpha-7b", "beta-9b"}
    payload = json.loads(vote.ledger_entry.payload)
    assert payload["choice"] == "tie"
    assert "sky" not in vote.ledger_entry.payload
    assert str(voter.id) not in vote.ledger_entry.payload
    assert len(list(ledger_verify())) == 1


@pytest.mark.parametrize("choice", Vote.Choice.values)
def test_every_choice_is_kept_as_it_was_made(voter, choice):
    battle_id = voter.start()
    voter.ended(battle_id)

    assert voter.vote(battle_id, choice).choice == choice


def test_the_same_vote_again_is_the_same_vote_and_another_choice_is_refused(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    first = voter.vote(battle_id, "a")

    assert voter.vote(battle_id, "a").pk == first.pk
    with pytest.raises(errors.BallotSpentError):
        voter.vote(battle_id, "b")
    assert Vote.objects.count() == 1


def test_twenty_votes_at_one_moment_are_one_vote(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    ballot = voter.view(battle_id).turns[0].ballot
    outcomes = at_once(
        [partial(voter.vote, battle_id, "ab"[n % 2], ballot=ballot) for n in range(20)]
    )

    votes = [outcome for outcome in outcomes if isinstance(outcome, Vote)]
    refused = [outcome for outcome in outcomes if outcome not in votes]
    assert len({vote.pk for vote in votes}) == 1
    assert all(isinstance(outcome, errors.BallotSpentError) for outcome in refused)
    assert Vote.objects.count() == 1
    assert [entry.kind for entry in ledger_verify()] == ["vote"]


def test_the_database_itself_refuses_a_second_vote_on_a_turn(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    vote = voter.vote(battle_id)

    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.create(
            turn=vote.turn,
            voter=vote.voter,
            choice="b",
            ledger_entry=LedgerEntry.objects.create(
                sequence=99, kind="vote", payload="{}", previous_hash="x", hash="y"
            ),
        )


def test_no_vote_before_both_answers_are_complete(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Wait ", gate, "for it."]
    battle_id = voter.start()
    gate.reached.wait(10)

    with pytest.raises(errors.NotVotableError, match="not complete"):
        voter.vote(battle_id)

    gate.open()
    voter.ended(battle_id)
    voter.vote(battle_id)


@pytest.mark.parametrize("changed", [{"ballot": "x" * 22}, {"ballot": None}, {"ballot": "\ud800"}])
def test_a_foreign_ballot_is_refused(voter, changed):
    battle_id = voter.start()
    voter.ended(battle_id)

    with pytest.raises(errors.BallotUnknownError):
        voter.vote(battle_id, **changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"choice": "c"},
        {"choice": None},
        {"choice": ["a"]},
        {"turn_index": "0"},
        {"turn_index": True},
        {"turn_index": -1},
        {"reasons": "fast"},
        {"reasons": ["x" * 61]},
        {"reasons": ["a\x00"]},
        {"reasons": [str(n) for n in range(11)]},
    ],
)
def test_a_malformed_vote_is_refused_by_name(voter, changed):
    battle_id = voter.start()
    voter.ended(battle_id)

    with pytest.raises(errors.InvalidInputError) as refused:
        voter.vote(battle_id, **changed)
    assert refused.value.field in {"choice", "turn", "reasons"}


def test_another_voters_battle_does_not_exist(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    ballot = voter.view(battle_id).turns[0].ballot
    stranger = TestVoter()

    with pytest.raises(errors.BattleNotFoundError):
        stranger.view(battle_id)
    with pytest.raises(errors.BattleNotFoundError):
        voter.vote(battle_id, voter_id=stranger.id, ballot=ballot)


@pytest.mark.parametrize("turn_index", [1, 40_000, 10**30])
def test_a_turn_that_is_not_there_does_not_exist(voter, turn_index):
    battle_id = voter.start()
    voter.ended(battle_id)

    with pytest.raises(errors.BattleNotFoundError):
        voter.vote(battle_id, turn_index=turn_index)


def test_a_retry_issues_a_new_ballot(voter):
    battle_id = voter.start()
    old = voter.ended(battle_id).turns[0].ballot
    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)
    voter.ended(battle_id)

    with pytest.raises(errors.BallotUnknownError):
        voter.vote(battle_id, ballot=old)
    voter.vote(battle_id)


def test_an_answer_that_names_its_model_is_kept_and_not_counted(voter, two_models):
    two_models.scripts["alpha-7b"] = ["As a model by ACME Intelligence, I agree."]
    battle_id = voter.start()
    voter.ended(battle_id)

    vote = voter.vote(battle_id)

    assert vote.exclusion == "leak"
    assert [entry.kind for entry in ledger_verify()] == ["vote", "exclusion"]


def test_a_leak_in_an_answer_that_was_retried_is_a_leak(voter, two_models):
    two_models.scripts["alpha-7b"] = ["I am Alpha Seven."]
    battle_id = voter.start()
    voter.ended(battle_id)
    two_models.scripts["alpha-7b"] = ["I shall not say."]
    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)
    voter.ended(battle_id)

    vote = voter.vote(battle_id)

    assert vote.exclusion == "leak"
    assert json.loads(vote.ledger_entry.payload)["attempts"] == {"a": 1, "b": 1}


def test_a_prompt_that_names_a_model_is_no_leak(voter):
    battle_id = voter.start("Is Alpha Seven by Acme Intelligence any good?")
    voter.ended(battle_id)

    assert voter.vote(battle_id).exclusion == ""


def test_the_same_prompt_on_the_same_pair_again_is_a_duplicate(voter):
    exclusions = []
    for _ in range(2):
        battle_id = voter.start()
        voter.ended(battle_id)
        exclusions.append(voter.vote(battle_id).exclusion)

    assert exclusions == ["", "duplicate"]


def test_two_votes_at_one_moment_on_the_same_question_count_once(voter):
    battles = [voter.start(), voter.start()]
    for battle_id in battles:
        voter.ended(battle_id)
    at_once([partial(voter.vote, battle_id) for battle_id in battles])

    assert sorted(Vote.objects.values_list("exclusion", flat=True)) == ["", "duplicate"]


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (lambda: Vote.objects.update(choice="b"), "choice is 'a', but 'b' in the tables"),
        (lambda: Battle.objects.update(probability=0.5), "probability is 1.0, but 0.5"),
        (lambda: Battle.objects.update(pacing="common/60"), "pacing is 'none', but 'common/60'"),
        (lambda: Turn.objects.update(index=3), "turn is 0, but 3 in the tables"),
        (lambda: VoteSecret.objects.update(salts={}), "of its prompt cannot be read"),
        (lambda: VoteSecret.objects.update(salts={"prompt": "hi"}), "of its prompt cannot be read"),
        (lambda: Answer.objects.filter(side="b").delete(), "answer_b is gone from the tables"),
        (lambda: Vote.objects.update(exclusion="leak"), "excluded as 'leak'"),
        (lambda: Turn.objects.update(prompt="Another question"), "prompt is not what"),
        (lambda: Answer.objects.filter(side="b").update(text="Better"), "answer_b is not what"),
        (lambda: Vote.objects.all().delete(), "gone from the table"),
    ],
)
def test_what_is_changed_beside_the_ledger_is_found(voter, tamper, says):
    battle_id = voter.start()
    voter.ended(battle_id)
    voter.vote(battle_id, "a")

    tamper()

    with pytest.raises(LedgerBrokenError, match=says):
        list(ledger_verify())


def test_an_exclusion_cannot_be_undone_beside_the_ledger(voter, two_models):
    two_models.scripts["alpha-7b"] = ["I am Alpha Seven."]
    battle_id = voter.start()
    voter.ended(battle_id)
    voter.vote(battle_id)

    Vote.objects.update(exclusion="")

    with pytest.raises(LedgerBrokenError, match="'leak' here"):
        list(ledger_verify())


def test_without_its_salts_a_vote_still_verifies(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    voter.vote(battle_id)

    VoteSecret.objects.all().delete()
    Answer.objects.update(text="[erased]")

    assert len(list(ledger_verify())) == 1
