"""Frames of a stream, applied to an open page, give what a fresh page shows."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.blinding import AnswerView, BattleView, ModelView, TurnView, VoteView
from arena.events import Event, error_view
from arena.live import LiveSide, LiveTurn, battle_state
from arena.prompts import MAX_CHARACTERS
from frontend.fragments import BattleFragments, verdict_fragments
from frontend.panes import battle_turns
from frontend.reports import REPORT_REASONS
from frontend.verdicts import announcement, battle_feedback, verdict_of
from tests.frontend.dom import Element, apply_frame, parse

BATTLE_ID = uuid.UUID("6f1f4a53-9f0e-4f83-b7a5-0a0cf5a0a001")
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
MODELS = {
    side: ModelView(f"model-{side}", f"Model {side}", "Acme", "", "", "") for side in ("a", "b")
}
LEAK = "This assistant named itself"
HOSTILE = st.lists(
    st.sampled_from([*"<>&\"'`*_#-|[]() \n\tab", "\u202e", "</div>", "é", "\U0001f600", "**b**"])
).map("".join)


class Battle:
    """A battle in memory: its events as `arena.live` makes them, and the page at any moment."""

    def __init__(self, *, mode: str = "battle") -> None:
        self.mode = mode
        self.past: tuple[TurnView, ...] = ()
        self.vote: VoteView | None = None
        self._begin(0)

    def _begin(self, index: int) -> None:
        letters = "a" if self.mode == "direct" else "ab"
        sides = {side: LiveSide(answer_id=2 * index + n) for n, side in enumerate(letters)}
        self.live = LiveTurn(created_at=BEGUN, index=index, sides=sides)
        self.events: list[Event] = []
        self.live._publish = self.events.append  # type: ignore[method-assign, assignment]

    def add(self, side: str, text: str, *, leak: str = "") -> None:
        self.live.append(side, text)
        self.live.sides[side].leak = self.live.sides[side].leak or leak

    def end(self, side: str, state: str, error: str = "") -> None:
        self.live.sides[side].state, self.live.sides[side].error = state, error
        self.live.announce_end(side)

    def go_on(self) -> None:
        """The next turn."""
        self.past = self.view().turns
        self.vote = None
        self._begin(self.live.index + 1)

    def snapshot(self) -> Event:
        self.live.flush()
        return self.live._snapshot()

    def view(self) -> BattleView:
        answers = {
            side: AnswerView(now["state"], now["text"], error_view(now["error"]), now["leak"])
            for side, now in self.live.view().items()
        }
        state = battle_state({s: (a.state, bool(a.text)) for s, a in answers.items()})
        index = self.live.index
        turn = TurnView(index, "Why <b>?", f"ballot-{index}", answers, self.vote)
        turns = (*self.past, turn)
        voted = any(turn.vote for turn in turns)
        names = voted or self.mode != "battle"
        return BattleView(
            id=BATTLE_ID,
            mode=self.mode,
            state="voted" if self.vote else state,
            created_at=BEGUN,
            ended_at=None,
            turns=turns,
            models={side: MODELS[side] for side in answers} if names else None,
            pacing="none",
            gold_side="",
        )

    def page(self) -> Element:
        view = self.view()
        turns = battle_turns(view)
        context: dict[str, Any] = {
            "battle": view,
            "turns": turns,
            "verdict": verdict_of(view, turns[-1]),
            "feedback": battle_feedback(view),
            "announcement": announcement(view),
            "report_reasons": REPORT_REASONS,
            "max_characters": MAX_CHARACTERS,
            "message": "",
        }
        battle = parse(render_to_string("frontend/battle.html", context)).find("battle")
        assert battle is not None
        # How many turns it was loaded with is told once.
        battle.attributes["ws-connect"] = ""
        return battle


def frames_of(battle: Battle, fragments: BattleFragments, events: list[Event]) -> list[str]:
    """What the consumer sends for these events."""
    frames = []
    for event in events:
        if event["type"] == "delta":
            frames.append(fragments.delta(event))
            continue
        if not fragments.knows(event):
            frames.append(fragments.turns_added(battle.view()))
        frames += [fragments.render(event), verdict_fragments(battle.view())]
    return frames


@settings(max_examples=60, deadline=None)
@given(
    early=st.lists(st.tuples(st.sampled_from("ab"), HOSTILE, st.booleans()), max_size=3),
    late=st.lists(st.tuples(st.sampled_from("ab"), HOSTILE, st.booleans()), max_size=6),
    ends=st.lists(
        st.sampled_from(["complete", "stopped", "abandoned", "model_timeout"]),
        min_size=0,
        max_size=2,
    ),
)
def test_a_page_that_followed_the_stream_equals_a_fresh_one(
    early: list[tuple[str, str, bool]], late: list[tuple[str, str, bool]], ends: list[str]
) -> None:
    battle = Battle()
    page, fragments = battle.page(), BattleFragments(battle.view())
    for side, text, leaks in early:
        battle.add(side, text, leak="I am Model" if leaks else "")
    snapshot = battle.snapshot()
    battle.events.clear()

    for frame in frames_of(battle, fragments, [snapshot]):
        apply_frame(page, frame)
    for side, text, leaks in late:
        battle.add(side, text, leak="I am Model" if leaks and text else "")
        battle.live.flush()
    for side, end in zip("ab", ends, strict=False):
        state, error = ("failed", end) if end == "model_timeout" else (end, "")
        if state == "complete" and not battle.live.sides[side].text:
            battle.add(side, "x")
        battle.end(side, state, error)
    for frame in frames_of(battle, fragments, battle.events):
        apply_frame(page, frame)

    assert str(page) == str(battle.page())


def test_a_snapshot_on_reconnect_replaces_whatever_the_page_shows() -> None:
    battle = Battle()
    battle.add("a", "the beginning that this page has seen ")
    page = battle.page()
    battle.add("a", "and the part that was lost")

    for frame in frames_of(battle, BattleFragments(battle.view()), [battle.snapshot()]):
        apply_frame(page, frame)

    assert str(page) == str(battle.page())


def ended(battle: Battle, *sides: str) -> None:
    for side in sides:
        battle.add(side, f"answer {side} of turn {battle.live.index}")
        battle.end(side, "complete")


def voted(choice: str, *, exclusion: str = "") -> VoteView:
    return VoteView(choice, (), "", not exclusion, exclusion, BEGUN)


@pytest.mark.django_db
@pytest.mark.parametrize("choice", ["", "a", "both_bad"])
def test_a_page_that_followed_several_turns_equals_a_fresh_one(choice: str) -> None:
    battle = Battle()
    page, fragments = battle.page(), BattleFragments(battle.view())
    frames = frames_of(battle, fragments, [battle.snapshot()])
    ended(battle, "a", "b")
    battle.vote = voted(choice) if choice else None
    frames += frames_of(battle, fragments, battle.events)
    battle.go_on()
    frames += frames_of(battle, fragments, [battle.snapshot()])
    battle.events.clear()
    battle.add("b", "I am Model b", leak="I am Model b")
    ended(battle, "a", "b")
    frames += frames_of(battle, fragments, battle.events)

    for frame in frames:
        apply_frame(page, frame)

    assert str(page) == str(battle.page())
    note = {"": "Left without a vote.", "a": "You preferred Model a."}.get(choice, "both answers")
    assert note in str(page)
    assert (LEAK in str(page)) == (choice == "")


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["side_by_side", "direct"])
def test_a_page_of_named_models_that_followed_equals_a_fresh_one(mode: str) -> None:
    battle = Battle(mode=mode)
    page, fragments = battle.page(), BattleFragments(battle.view())
    first = battle.snapshot()
    battle.add("a", "I am Model a. ", leak="I am Model a")
    ended(battle, *battle.live.sides)

    for frame in frames_of(battle, fragments, [first, *battle.events]):
        apply_frame(page, frame)

    assert str(page) == str(battle.page())
    assert "Model a</a>" in str(page)
    assert LEAK not in str(page)
    assert ('id="ballot"' in str(page)) == (mode == "side_by_side")


@pytest.mark.django_db
@pytest.mark.parametrize("loaded", [1, 3])
def test_a_page_that_comes_back_gets_the_turns_that_there_are(loaded: int) -> None:
    battle = Battle()
    page = battle.page()
    ended(battle, "a", "b")
    battle.go_on()
    ended(battle, "a", "b")
    fragments = BattleFragments(battle.view(), turns=loaded)

    for frame in frames_of(battle, fragments, [battle.snapshot()]):
        apply_frame(page, frame)

    assert str(page) == str(battle.page())


def test_a_named_assistant_is_told_of_once() -> None:
    battle = Battle()
    fragments = BattleFragments(battle.view())
    fragments.render(battle.snapshot())
    battle.add("a", "I am Model a. ", leak="I am Model a")
    battle.live.flush()
    battle.add("a", "And more.")
    battle.live.flush()
    first, second = battle.events

    assert LEAK in fragments.delta(first)
    assert LEAK not in fragments.delta(second)


def test_text_that_moderation_takes_back_leaves_the_page() -> None:
    battle = Battle()
    page, fragments = battle.page(), BattleFragments(battle.view())
    battle.add("a", "a dreadful sentence")
    for frame in frames_of(battle, fragments, [battle.snapshot()]):
        apply_frame(page, frame)
    shown = str(page)
    battle.end("a", "failed", "answer_moderated")

    for frame in frames_of(battle, fragments, battle.events[-1:]):
        apply_frame(page, frame)

    assert "a dreadful sentence" in shown
    assert "a dreadful sentence" not in str(page)
    assert "withheld by the moderation" in str(page)


def test_an_answer_is_rendered_once_when_it_is_done() -> None:
    battle = Battle()
    fragments = BattleFragments(battle.view())
    fragments.render(battle.snapshot())
    battle.add("a", "**bo")
    battle.add("a", "ld**")
    battle.end("a", "complete")
    delta, done = battle.events

    assert "**bold**" in fragments.delta(delta)
    assert "<strong>bold</strong>" in fragments.render(done)
    assert fragments.render(done) == ""


def test_after_a_retry_elsewhere_only_the_changed_pane_is_replaced() -> None:
    battle = Battle()
    fragments = BattleFragments(battle.view())
    battle.add("a", "kept")
    battle.end("a", "complete")
    battle.add("b", "broken")
    battle.end("b", "failed", "model_timeout")
    fragments.render(battle.snapshot())
    battle.live.sides["b"] = LiveSide(answer_id=3, state="complete", text="mended", announced=True)

    frame = fragments.refresh(battle.view())

    assert "mended" in frame
    assert "kept" not in frame
