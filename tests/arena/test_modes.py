"""Side by side and direct chats, and conversations of several turns."""

from __future__ import annotations

import json

import pytest

from arena import errors
from arena.ledger_verification import ledger_verify
from arena.models import Battle, LedgerEntry
from arena.services.battles import MAX_TURNS, battle_regenerate, battle_start, turn_add
from inference.models import LanguageModel
from tests.at_once import at_once
from tests.scripted_endpoint import Fault, Gate

pytestmark = pytest.mark.django_db(transaction=True)


def start(voter, mode, *slugs, prompt="Why?"):
    return battle_start(
        voter_id=voter.id,
        address="192.0.2.1",
        mode=mode,
        prompt=prompt,
        consent=True,
        models=list(slugs),
    ).pk


def go_on(voter, battle_id, prompt="And then?"):
    return turn_add(
        voter_id=voter.id, address="192.0.2.1", battle_id=battle_id, prompt=prompt
    ).index


def test_side_by_side_names_both_from_the_start_and_its_vote_does_not_count(voter):
    battle_id = start(voter, "side_by_side", "beta-9b", "alpha-7b")

    view = voter.view(battle_id)
    assert (view.models["a"].slug, view.models["b"].slug) == ("beta-9b", "alpha-7b")
    voter.ended(battle_id)
    vote = voter.vote(battle_id, "b")
    assert vote.exclusion == "named"
    payload = json.loads(vote.ledger_entry.payload)
    assert (payload["mode"], payload["probability"]) == ("side_by_side", None)
    assert [entry.kind for entry in ledger_verify()] == ["vote", "exclusion"]


def test_a_direct_chat_has_one_side_and_no_ballot(voter):
    battle_id = start(voter, "direct", "alpha-7b")

    view = voter.ended(battle_id)
    assert list(view.turns[0].answers) == ["a"]
    assert view.turns[0].ballot is None
    assert go_on(voter, battle_id) == 1
    assert voter.ended(battle_id).state == "votable"
    with pytest.raises(errors.NotVotableError):
        voter.vote(battle_id, ballot="x")
    assert LedgerEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("mode", "slugs"),
    [
        ("battle", ["alpha-7b"]),
        ("side_by_side", []),
        ("side_by_side", ["alpha-7b"]),
        ("side_by_side", ["alpha-7b", "alpha-7b"]),
        ("side_by_side", ["alpha-7b", "nobody"]),
        ("side_by_side", ["alpha-7b", "beta-9b", "alpha-7b"]),
        ("side_by_side", ["alpha-7b", None]),
        ("direct", []),
        ("direct", ["alpha-7b", "beta-9b"]),
        ("direct", [["alpha-7b"]]),
    ],
)
def test_the_wrong_models_are_named(voter, mode, slugs):
    with pytest.raises(errors.InvalidInputError) as refused:
        start(voter, mode, *slugs)
    assert refused.value.field == "models"
    assert not Battle.objects.exists()


@pytest.mark.parametrize("mode", [None, "duel", 3, [], {}])
def test_an_unknown_mode_is_named(voter, mode):
    with pytest.raises(errors.InvalidInputError) as refused:
        start(voter, mode)
    assert refused.value.field == "mode"


def test_each_side_goes_on_with_its_own_answers(voter, two_models):
    battle_id = voter.start("First?")
    voter.ended(battle_id)
    two_models.scripts.update({"alpha-7b": ["Second of one."], "beta-9b": ["Second of two."]})

    go_on(voter, battle_id, "Second?")
    view = voter.ended(battle_id)

    assert [turn.prompt for turn in view.turns] == ["First?", "Second?"]
    asked = {body["model"]: body["messages"] for body in two_models.requests[-2:]}
    assert [m["content"] for m in asked["alpha-7b"]] == [
        "First?", "Hello from side one.", "Second?",
    ]  # fmt: skip
    assert [m["content"] for m in asked["beta-9b"]] == ["First?", "Hi.", "Second?"]


def test_every_turn_has_its_ballot_and_the_first_vote_alone_counts(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    go_on(voter, battle_id)
    view = voter.ended(battle_id)
    assert view.models is None
    assert view.turns[0].ballot != view.turns[1].ballot

    second = voter.vote(battle_id, "a", turn_index=1)
    assert second.exclusion == ""
    assert voter.view(battle_id).models is not None
    first = voter.vote(battle_id, "b", turn_index=0, ballot=view.turns[0].ballot)
    assert first.exclusion == "revealed"

    assert go_on(voter, battle_id) == 2
    assert voter.view(battle_id).models is not None
    voter.ended(battle_id)
    assert voter.vote(battle_id, "tie", turn_index=2).exclusion == "revealed"


def test_a_turn_needs_whole_answers_before_it(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Wait ", gate, Fault.CUT]
    battle_id = voter.start()
    gate.reached.wait(10)

    with pytest.raises(errors.NotContinuableError, match="still being written"):
        go_on(voter, battle_id)
    gate.open()
    voter.ended(battle_id)
    with pytest.raises(errors.NotContinuableError, match="retry it first"):
        go_on(voter, battle_id)


def test_of_two_next_turns_at_one_moment_one_is_taken(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    outcomes = at_once([lambda: go_on(voter, battle_id)] * 4)

    view = voter.ended(battle_id)
    taken = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert sorted(taken) == list(range(1, len(view.turns)))
    refused = [outcome for outcome in outcomes if outcome not in taken]
    assert all(isinstance(outcome, errors.NotContinuableError) for outcome in refused)


def test_a_conversation_comes_to_an_end(voter, monkeypatch):
    assert MAX_TURNS == 50
    monkeypatch.setattr("arena.services.battles.MAX_TURNS", 2)
    battle_id = voter.start()
    voter.ended(battle_id)
    go_on(voter, battle_id)
    voter.ended(battle_id)

    with pytest.raises(errors.NotContinuableError, match="at most 2 turns"):
        go_on(voter, battle_id)


def test_a_paused_model_keeps_its_battles_and_answers_no_more(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    LanguageModel.objects.filter(slug="alpha-7b").update(status="paused")

    for action in (
        lambda: go_on(voter, battle_id),
        lambda: battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id),
    ):
        with pytest.raises(
            (errors.NotContinuableError, errors.NotRetryableError), match="answers no more"
        ):
            action()
    assert voter.view(battle_id).state == "votable"
    assert voter.vote(battle_id).exclusion == ""


def test_anothers_battle_cannot_be_continued(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    stranger = type(voter)()

    with pytest.raises(errors.BattleNotFoundError):
        go_on(stranger, battle_id)


def test_a_retirement_is_entered_once_for_each_word_of_it(voter):
    model = LanguageModel.objects.get(slug="alpha-7b")
    model.status, model.retired_on, model.retired_reason = "retired", "2026-11-01", "Too old."
    model.save()
    model.save()
    model.retired_reason = "Replaced by beta."
    model.save()

    payloads = [json.loads(e.payload) for e in LedgerEntry.objects.filter(kind="retirement")]
    assert [payload["reason"] for payload in payloads] == ["Too old.", "Replaced by beta."]
    assert payloads[0]["model"] == "alpha-7b"
    assert len(list(ledger_verify())) == 2
