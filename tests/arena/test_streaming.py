"""What readers see while answers come: paced alike, leaks told at once, withheld text gone."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import errors
from arena.events import Event
from arena.gold import Spoiler
from arena.live import LiveSide, LiveTurn
from arena.models import Answer, ModerationFinding, ModerationPolicy
from arena.moderation.rules import moderation_rules_read
from arena.pacing import Pacing
from arena.runner import runner
from arena.self_identification import Detector, ModelNames
from arena.services import moderation
from arena.services.battles import battle_regenerate, battle_stop
from arena.stream import battle_stream
from tests.arena.voter import TestVoter, wait_until
from tests.scripted_endpoint import Fault, Gate

database = pytest.mark.django_db(transaction=True)
PACING = Pacing(1000)  # forty characters a tick


@pytest.fixture
def _paced(settings, monkeypatch):
    settings.ARENA_PACING = PACING
    monkeypatch.setattr("arena.pacing.START_SECONDS", 0.04)


def followed(voter: TestVoter, battle_id: uuid.UUID) -> list[Event]:
    """All events of a battle up to the last end, as a program reads them."""

    async def read() -> list[Event]:
        return [e async for e in battle_stream(battle_id=battle_id, voter_id=voter.id)]

    return asyncio.run(read())


def side_of(slug: str) -> str:
    return next(
        a.side for a in Answer.objects.all() if a.turn.battle.language_model(a.side).slug == slug
    )


def texts(voter: TestVoter, battle_id: uuid.UUID) -> dict[str, str]:
    return {side: a.text for side, a in voter.view(battle_id).turns[-1].answers.items()}


# --- pacing --------------------------------------------------------------------------------------


@database
@pytest.mark.usefixtures("_paced")
def test_with_pacing_every_frame_has_as_much_of_either_side_until_one_ends(voter, two_models):
    two_models.scripts["alpha-7b"] = ["x" * 400]
    two_models.scripts["beta-9b"] = ["seven b"] * 60

    events = followed(voter, voter.start())

    told = {side: events[0][side]["text"] for side in "ab"}
    assert len(told["a"]) == len(told["b"])
    deltas = [event for event in events if event["type"] == "delta"]
    for event in deltas:
        for side in {"a", "b"} & set(event):
            assert event[side]["offset"] == len(told[side])
            told[side] += event[side]["text"]
        assert len(told["a"]) == len(told["b"]) or {len(text) for text in told.values()} == {
            400,
            420,
        }
    assert sorted(told.values()) == ["seven b" * 60, "x" * 400]
    assert [e["type"] for e in events].count("answer_done") == 2
    assert events[-1]["state"] == "votable"


@database
@pytest.mark.usefixtures("_paced")
def test_a_fast_answer_is_held_everywhere_while_the_other_stalls_and_stop_keeps_what_was_shown(
    voter, two_models
):
    two_models.scripts["alpha-7b"] = ["x" * 100, Gate(), "never told"]
    two_models.scripts["beta-9b"] = ["y" * 500]
    battle_id = voter.start()

    wait_until(lambda: len(texts(voter, battle_id)["a"]) == 80, "the last tick before the stall")
    assert sorted(texts(voter, battle_id).values()) == ["x" * 80, "y" * 80]
    wait_until(
        lambda: sorted(Answer.objects.values_list("text", flat=True)) == ["x" * 80, "y" * 80],
        "what other processes read is paced too",
    )
    snapshot = first_event(voter, battle_id)
    assert {len(snapshot[side]["text"]) for side in "ab"} == {80}

    battle_stop(voter_id=voter.id, battle_id=battle_id)

    view = voter.ended(battle_id)
    assert view.state == "votable"
    assert {(a.state, len(a.text)) for a in view.turns[0].answers.values()} == {("stopped", 80)}
    assert set(Answer.objects.values_list("state", "finish_reason", "text")) == {
        ("stopped", "", "x" * 80),
        ("stopped", "", "y" * 80),
    }


def first_event(voter: TestVoter, battle_id: uuid.UUID) -> Event:
    async def read() -> Event:
        stream = battle_stream(battle_id=battle_id, voter_id=voter.id)
        try:
            return await anext(stream)
        finally:
            await stream.aclose()

    return asyncio.run(read())


@database
@pytest.mark.usefixtures("_paced")
def test_nothing_is_shown_of_the_first_to_answer_until_the_other_does(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = [gate, "At last."]
    battle_id = voter.start()

    assert gate.reached.wait(10)
    wait_until(lambda: two_models.open_streams == 1, "the other answer has come")

    assert {(a.state, a.text) for a in voter.view(battle_id).turns[0].answers.values()} == {
        ("pending", "")
    }
    gate.open()
    assert sorted(a.text for a in voter.ended(battle_id).turns[0].answers.values()) == [
        "At last.", "Hi.",
    ]  # fmt: skip


@database
@pytest.mark.usefixtures("_paced")
def test_a_side_that_fails_without_a_word_is_told_when_the_other_begins(voter, two_models, caplog):
    gate = Gate()
    two_models.scripts["alpha-7b"] = [Fault.STATUS_400]
    two_models.scripts["beta-9b"] = [gate, "Hi."]
    battle_id = voter.start()

    wait_until(lambda: "model_refused" in caplog.text, "the failure is known here")
    assert {a.state for a in voter.view(battle_id).turns[0].answers.values()} == {"pending"}

    gate.open()
    states = {a.state for a in voter.ended(battle_id).turns[0].answers.values()}
    assert states == {"failed", "complete"}


@database
@pytest.mark.usefixtures("_paced")
def test_answers_that_nobody_watches_are_abandoned_with_what_was_shown(voter, two_models, settings):
    settings.ARENA_ORPHAN_SECONDS = 0.5
    two_models.scripts["alpha-7b"] = ["x" * 100, Gate()]
    two_models.scripts["beta-9b"] = ["y" * 500]
    voter.start()

    wait_until(lambda: Answer.objects.filter(state="abandoned").count() == 2, "abandonment")

    assert sorted(Answer.objects.values_list("text", flat=True)) == ["x" * 80, "y" * 80]


# --- leaks ---------------------------------------------------------------------------------------


@database
def test_a_reader_is_told_of_a_leak_while_the_answer_comes(voter, two_models):
    gate = Gate()
    leak = "I am Alpha Seven, an assistant made by Acme Intelligence. "
    two_models.scripts["alpha-7b"] = ["Hello. ", leak, "More follows. ", gate, "The end."]
    battle_id = voter.start()
    side = side_of("alpha-7b")
    other = "b" if side == "a" else "a"

    wait_until(lambda: voter.view(battle_id).turns[0].answers[side].leak, "the leak is seen")
    wait_until(lambda: Answer.objects.get(side=side).leak, "and saved with the partial text")
    gate.open()
    events = followed(voter, battle_id)

    assert events[0][side]["leak"] is True
    ends = {event["side"]: event for event in events if event["type"] == "answer_done"}
    assert ends[side][side]["leak"] is True
    assert "leak" not in events[0][other]
    assert "leak" not in ends[other][other]
    assert "Alpha Seven" in Answer.objects.get(side=side).leak
    assert Answer.objects.get(side=other).leak == ""
    voter.ended(battle_id)
    wait_until(lambda: runner.live(battle_id) is None, "the text is read from the database")
    assert first_event(voter, battle_id)[side]["leak"] is True

    two_models.scripts["alpha-7b"] = ["Hello."]
    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)
    assert not voter.ended(battle_id).turns[0].answers[side].leak
    assert Answer.objects.get(side=side, attempt=0).leak


def live_turn(**sides: LiveSide) -> tuple[LiveTurn, list[Event]]:
    turn = LiveTurn(created_at=datetime(2026, 1, 1, tzinfo=UTC), index=0, sides=sides)
    events: list[Event] = []
    turn._publish = events.append  # type: ignore[method-assign, assignment]
    return turn, events


def test_a_leak_that_is_certain_at_the_end_is_told_with_the_end():
    names = ModelNames(names=("Alpha Seven",), organization=("Acme Intelligence",))
    turn, events = live_turn(a=LiveSide(1, scanner=Detector([names]).scanner()), b=LiveSide(2))
    turn.append("a", "I am Alpha Seven")
    turn.flush()
    turn.finish("a")
    turn.sides["a"].state = "complete"
    turn.announce_end("a")

    assert "leak" not in events[0]["a"]
    assert events[1]["a"]["leak"] is True
    assert "Alpha Seven" in turn.sides["a"].leak


# --- both sides look alike -----------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.sampled_from("ab")),
        st.tuples(st.just("end"), st.sampled_from("ab")),
        st.tuples(st.just("flush"), st.just("")),
        st.tuples(st.just("snapshot"), st.just("")),
    ),
    max_size=25,
)


def played(steps: list[tuple[str, str]], states: dict[str, str]) -> list[Event]:
    turn, events = live_turn(a=LiveSide(1), b=LiveSide(2))
    for step, side in steps:
        if step == "text" and not turn.sides[side].ended:
            turn.append(side, "word ")
        elif step == "end" and not turn.sides[side].ended:
            turn.finish(side)
            turn.sides[side].state = states[side]
            turn.sides[side].error = "model_timeout" if states[side] == "failed" else ""
            turn.announce_end(side)
        elif step == "flush":
            turn.flush()
        elif step == "snapshot":
            turn.flush()
            events.append(turn._snapshot())
    return [{key: value for key, value in event.items() if key != "seq"} for event in events]


@hypothesis.settings(deadline=None)
@given(STEPS, st.sampled_from(["complete", "stopped", "failed", "abandoned"]))
def test_what_is_told_of_one_side_has_the_form_of_what_is_told_of_the_other(steps, state):
    other = {"a": "b", "b": "a", "": ""}
    events = played(steps, {"a": state, "b": state})
    mirrored = played([(step, other[side]) for step, side in steps], {"a": state, "b": state})

    assert events == [mirror(event) for event in mirrored]
    for event in events:
        if "a" in event and "b" in event:
            assert event["a"].keys() == event["b"].keys()


def mirror(event: Event) -> Event:
    other = {"a": "b", "b": "a"}
    return {
        other.get(key, key): other[value] if key == "side" else value
        for key, value in event.items()
    }


# --- gold ----------------------------------------------------------------------------------------


@database
def test_in_a_gold_battle_one_side_is_scrambled_and_the_other_is_not(voter, two_models, settings):
    settings.ARENA_GOLD_RATE = 1.0
    said = "One two three four five six seven eight nine ten eleven twelve thirteen."
    two_models.scripts["alpha-7b"] = two_models.scripts["beta-9b"] = [said[:10], said[10:]]

    view = voter.ended(voter.start())

    gold = Answer.objects.get(side=Answer.objects.all()[0].turn.battle.gold_side)
    spoiler = Spoiler(seed=gold.pk)
    spoilt = spoiler.feed(said) + spoiler.finish()
    assert spoilt != said
    assert gold.text == spoilt == view.turns[0].answers[gold.side].text
    assert Answer.objects.exclude(pk=gold.pk).get().text == said


# --- moderation ----------------------------------------------------------------------------------


@pytest.fixture
def _no_foul_words(settings, tmp_path, transactional_db):
    rules = tmp_path / "rules.toml"
    rules.write_text("foul = 'foul word'\n")
    settings.ARENA_MODERATION_RULES = moderation_rules_read(rules)
    ModerationPolicy.objects.update_or_create(
        category="foul", defaults={"action": "block", "threshold": 0.5}
    )


@database
@pytest.mark.usefixtures("_no_foul_words")
@pytest.mark.parametrize("slug", ["alpha-7b", "beta-9b"])
def test_an_answer_that_must_not_stand_is_withdrawn_and_kept_for_moderators(
    voter, two_models, slug
):
    two_models.scripts[slug] = ["A foul ", "word indeed."]
    battle_id = voter.start()
    events = followed(voter, battle_id)
    side = side_of(slug)

    end = next(event for event in events if event["type"] == "answer_failed")
    assert (end["side"], end["state"]) == (side, "failed")
    assert end[side]["error"]["code"] == "answer_moderated"
    assert end[side]["offset"] == 0
    answer = voter.view(battle_id).turns[0].answers[side]
    assert (answer.state, answer.text) == ("failed", "")
    again = followed(voter, battle_id)
    assert again[0][side]["text"] == ""
    assert Answer.objects.get(side=side).text == "A foul word indeed."
    assert ModerationFinding.objects.get().answer == Answer.objects.get(side=side)
    with pytest.raises(errors.NotVotableError):
        voter.vote(battle_id)


@database
@pytest.mark.usefixtures("_no_foul_words")
def test_a_stopped_answer_is_moderated_like_a_whole_one(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["A foul word ", gate]
    battle_id = voter.start()
    wait_until(lambda: "A foul word " in texts(voter, battle_id).values(), "the partial answer")

    battle_stop(voter_id=voter.id, battle_id=battle_id)

    answer = voter.ended(battle_id).turns[0].answers[side_of("alpha-7b")]
    assert (answer.state, answer.text) == ("failed", "")


@database
def test_a_moderation_that_breaks_lets_the_answer_end(voter, two_models, monkeypatch, caplog):
    async def broken(**_: Any) -> bool:
        raise RuntimeError("out of order")

    monkeypatch.setattr(moderation, "aanswer_moderate", broken)

    assert voter.ended(voter.start()).state == "votable"
    assert "could not be moderated" in caplog.text
