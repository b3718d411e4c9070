"""The rules by which a vote does not count, each at its border."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from arena import validity
from arena.errors import NotVotableError
from arena.models import Answer, Battle, Turn, Vote, Voter
from arena.services.battles import battle_regenerate, battle_stop
from arena.services.votes import vote_cast
from inference.models import LanguageModel, Organization
from tests.arena.conversation import HELLO, conversation_make
from tests.scripted_endpoint import Fault, Gate

WORDS_15 = "word " * 15


@pytest.fixture
def models(transactional_db):
    maker = Organization.objects.create(slug="acme", name="Acme")
    return [
        LanguageModel.objects.create(slug=slug, name=slug, organization=maker) for slug in "xyz"
    ]


def finished_battle(models, *, voter=None, prompt="Why?", text="Because.", seconds=60, **other):
    """A battle whose answers are complete, the first words `seconds` ago."""
    battle = Battle.objects.create(
        **{
            "voter": voter or Voter.objects.create(),
            "model_a": models[0],
            "model_b": models[1],
            "sampler": "uniform/1",
            "probability": 1.0,
            "consent_version": "test",
            **other,
        }
    )
    turn = Turn.objects.create(battle=battle, index=0, prompt=prompt)
    for side in "ab":
        Answer.objects.create(
            turn=turn,
            side=side,
            state="complete",
            text=text,
            first_token_at=timezone.now() - timedelta(seconds=seconds),
        )
    return turn


def cast(turn, choice="a"):
    return vote_cast(
        voter_id=turn.battle.voter_id,
        address="192.0.2.1",
        battle_id=turn.battle_id,
        turn_index=turn.index,
        choice=choice,
        ballot=turn.ballot,
    )


@pytest.mark.parametrize(
    ("text", "seconds", "reason"),
    [
        (WORDS_15, 0.0, "too_fast"),  # 30 words in all
        (WORDS_15, 0.7, ""),  # 30 / 50 of a second are past
        (WORDS_15[:-5], 0.0, ""),  # 28 words are taken in at a glance
        (WORDS_15 * 10, 5.0, "too_fast"),
        (WORDS_15 * 10, 7.0, ""),
    ],
)
def test_nobody_reads_that_fast(models, text, seconds, reason):
    assert cast(finished_battle(models, text=text, seconds=seconds)).exclusion == reason


def test_a_prompt_that_everybody_asks_does_not_rule_the_ratings(models, monkeypatch):
    monkeypatch.setattr(validity, "PROMPT_VOTES", 3)
    monkeypatch.setattr(validity, "PROMPT_SHARE", 0.5)

    found = [cast(finished_battle(models, prompt="hi")).exclusion for _ in range(4)]
    assert found == ["", "", "", "duplicate"]
    # Three of six votes are no more than half.
    for number in range(4):
        cast(finished_battle(models, prompt=f"other {number}"))
    assert cast(finished_battle(models, prompt="hi")).exclusion == ""


def test_a_voter_has_so_many_votes_a_day(models, settings):
    settings.ARENA_VOTES_PER_DAY = 2
    voter = Voter.objects.create()

    found = [
        cast(finished_battle(models, voter=voter, prompt=str(number))).exclusion
        for number in range(3)
    ]
    assert found == ["", "", "rate_cap"]
    assert cast(finished_battle(models)).exclusion == ""
    Vote.objects.update(cast_at=timezone.now() - timedelta(days=1))
    assert cast(finished_battle(models, voter=voter, prompt="next day")).exclusion == ""


def test_votes_on_named_models_and_gold_battles_do_not_count(models):
    named = finished_battle(models, mode="side_by_side", probability=None)
    gold = finished_battle(models, gold_side="b")

    assert cast(named).exclusion == "named"
    assert cast(gold).exclusion == "gold"


def test_a_battle_of_which_has_been_published_comes_too_late(models):
    turn = finished_battle(models)
    day_begun = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for created_at, reason in (
        (day_begun - timedelta(days=1), ""),
        (day_begun - timedelta(days=1, seconds=1), "late"),
    ):
        Vote.objects.all().delete()
        Battle.objects.update(created_at=created_at)
        assert cast(turn).exclusion == reason


def test_rules_out_of_force_find_nothing_but_those_of_the_battle_itself(models, settings):
    settings.ARENA_VALIDITY_RULES = []

    assert cast(finished_battle(models, text=WORDS_15, seconds=0)).exclusion == ""
    assert cast(finished_battle(models, gold_side="a")).exclusion == "gold"


@pytest.mark.django_db(transaction=True)
def test_answers_that_the_voter_stopped_are_judged_and_not_counted(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Some words", gate, " and more."]
    battle_id = voter.start()
    gate.reached.wait(10)
    # Both sides have text, or there is nothing to judge.
    while not all(answer.text for answer in voter.view(battle_id).turns[0].answers.values()):
        pass
    battle_stop(voter_id=voter.id, battle_id=battle_id)
    assert voter.ended(battle_id).state == "votable"
    gate.open()

    assert voter.vote(battle_id).exclusion == "unfinished"


@pytest.mark.django_db(transaction=True)
def test_a_side_that_was_seen_to_fail_is_judged_and_not_counted(voter, two_models):
    two_models.scripts["alpha-7b"] = ["Half", Fault.CUT]
    battle_id = voter.start()
    assert voter.ended(battle_id).state == "failed"
    two_models.scripts["alpha-7b"] = ["Whole."]
    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)
    assert voter.ended(battle_id).state == "votable"

    assert voter.vote(battle_id).exclusion == "error"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("later", "reason"),
    [
        ({"leak": "I am Alpha Seven"}, "leak"),
        ({"state": Answer.State.FAILED, "error": Answer.Error.REFUSED}, "error"),
        ({}, ""),
    ],
)
def test_what_a_later_turn_told_speaks_against_a_vote_on_an_earlier_one(later, reason):
    """Who asks for the names in the second turn, and then votes on the first, knows them."""
    conversation = conversation_make(HELLO, HELLO)
    if later:
        Answer.objects.filter(turn=conversation.turns[1], side="b").update(**later)

    assert conversation.vote(turn=0).exclusion == reason


@pytest.mark.django_db
def test_no_turn_is_voted_on_while_a_later_one_is_being_answered():
    """Its words are shown before they are saved, so whether they name anybody is not known."""
    conversation = conversation_make(HELLO, HELLO)
    Answer.objects.filter(turn=conversation.turns[1], side="b").update(state="streaming")

    with pytest.raises(NotVotableError):
        conversation.vote(turn=0)
