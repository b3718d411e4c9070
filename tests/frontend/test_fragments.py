"""Frames of a stream, applied to an open page, give what a fresh page shows."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.blinding import AnswerView, BattleView, TurnView
from arena.events import Event, error_view
from arena.live import LiveSide, LiveTurn, battle_state
from frontend.fragments import BattleFragments, verdict_fragments
from frontend.panes import announcement, battle_turns, battle_verdict
from tests.frontend.dom import Element, apply_frame, parse

BATTLE_ID = uuid.UUID("6f1f4a53-9f0e-4f83-b7a5-0a0cf5a0a001")
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = st.lists(
    st.sampled_from([*"<>&\"'`*_#-|[]() \n\tab", "\u202e", "</div>", "é", "\U0001f600", "**b**"])
).map("".join)


class Battle:
    """A battle in memory: its events as `arena.live` makes them, and the page at any moment."""

    def __init__(self) -> None:
        sides = {"a": LiveSide(answer_id=1), "b": LiveSide(answer_id=2)}
        self.live = LiveTurn(created_at=BEGUN, index=0, sides=sides)
        self.events: list[Event] = []
        self.live._publish = self.events.append  # type: ignore[method-assign, assignment]

    def end(self, side: str, state: str, error: str = "") -> None:
        self.live.sides[side].state, self.live.sides[side].error = state, error
        self.live.announce_end(side)

    def snapshot(self) -> Event:
        self.live.flush()
        return self.live._snapshot()

    def view(self) -> BattleView:
        told = self.live.view()
        answers = {
            side: AnswerView(now["state"], now["text"], error_view(now["error"]))
            for side, now in told.items()
        }
        state = battle_state({s: (a.state, bool(a.text)) for s, a in answers.items()})
        turn = TurnView(0, "Why <b>?", "ballot-1", answers, None)
        return BattleView(BATTLE_ID, "battle", state, BEGUN, None, (turn,), None)

    def page(self) -> Element:
        view = self.view()
        context: dict[str, Any] = {
            "battle": view,
            "turns": battle_turns(view),
            "verdict": battle_verdict(view),
            "announcement": announcement(view.state),
            "message": "",
        }
        battle = parse(render_to_string("frontend/battle.html", context)).find("battle")
        assert battle is not None
        return battle


def frames_of(battle: Battle, fragments: BattleFragments, events: list[Event]) -> list[str]:
    """What the consumer sends for these events."""
    frames = []
    for event in events:
        if event["type"] == "delta":
            frames.append(fragments.delta(event))
        else:
            frames += [fragments.render(event), verdict_fragments(battle.view())]
    return frames


@settings(max_examples=60, deadline=None)
@given(
    early=st.lists(st.tuples(st.sampled_from("ab"), HOSTILE), max_size=3),
    late=st.lists(st.tuples(st.sampled_from("ab"), HOSTILE), max_size=6),
    ends=st.lists(
        st.sampled_from(["complete", "stopped", "abandoned", "model_timeout"]),
        min_size=0,
        max_size=2,
    ),
)
def test_a_page_that_followed_the_stream_equals_a_fresh_one(
    early: list[tuple[str, str]], late: list[tuple[str, str]], ends: list[str]
) -> None:
    battle, fragments = Battle(), BattleFragments()
    page = battle.page()
    for side, text in early:
        battle.live.append(side, text)
    snapshot = battle.snapshot()
    battle.events.clear()

    for frame in frames_of(battle, fragments, [snapshot]):
        apply_frame(page, frame)
    for side, text in late:
        battle.live.append(side, text)
        battle.live.flush()
    for side, end in zip("ab", ends, strict=False):
        state, error = ("failed", end) if end == "model_timeout" else (end, "")
        if state == "complete" and not battle.live.sides[side].text:
            battle.live.append(side, "x")
        battle.end(side, state, error)
    for frame in frames_of(battle, fragments, battle.events):
        apply_frame(page, frame)

    assert str(page) == str(battle.page())


def test_a_snapshot_on_reconnect_replaces_whatever_the_page_shows() -> None:
    battle = Battle()
    battle.live.append("a", "the beginning that this page has seen ")
    page = battle.page()
    battle.live.append("a", "and the part that was lost")

    for frame in frames_of(battle, BattleFragments(), [battle.snapshot()]):
        apply_frame(page, frame)

    assert str(page) == str(battle.page())


def test_an_answer_is_rendered_once_when_it_is_done() -> None:
    battle, fragments = Battle(), BattleFragments()
    fragments.render(battle.snapshot())
    battle.live.append("a", "**bo")
    battle.live.append("a", "ld**")
    battle.end("a", "complete")
    delta, done = battle.events

    assert "**bold**" in fragments.delta(delta)
    assert "<strong>bold</strong>" in fragments.render(done)
    assert fragments.render(done) == ""


def test_after_a_retry_elsewhere_only_the_changed_pane_is_replaced() -> None:
    battle, fragments = Battle(), BattleFragments()
    battle.live.append("a", "kept")
    battle.end("a", "complete")
    battle.live.append("b", "broken")
    battle.end("b", "failed", "model_timeout")
    fragments.render(battle.snapshot())
    battle.live.sides["b"] = LiveSide(answer_id=3, state="complete", text="mended", announced=True)

    frame = fragments.refresh(battle.view())

    assert "mended" in frame
    assert "kept" not in frame
