"""Events of a battle as HTML for the htmx ws extension: what to put where in an open page.

A frame is a row of out-of-band swaps. Applied to the page in order, frames give what a fresh page
would show. Knows nothing of sockets; the texts of the events are hostile and leave here escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from arena.blinding import BattleView
from arena.events import Event
from arena.prompts import MAX_CHARACTERS
from frontend.panes import (
    DIRECT,
    TurnPanes,
    answer_body,
    battle_turns,
    is_blind,
    leak_sentence,
    side_label,
    status_sentence,
    stream_id,
)
from frontend.reports import REPORT_REASONS
from frontend.verdicts import announcement, battle_feedback, verdict_of

SIDES = ("a", "b")
REGIONS = {
    "verdict": "verdict.html",
    "feedback": "feedback.html",
    "withdraw": "withdraw.html",
    "go-on": "go_on.html",
    "follow-up": "follow_up.html",
}
# Whose text is taken back: it must leave the pages that have shown it.
WITHHELD = "answer_moderated"


@dataclass
class _Shown:
    """What a pane shows now."""

    state: str
    text: str
    leak: bool


class BattleFragments:
    """The frames of one connection. Remembers what its page shows, since ends carry no text.

    `turns` is how many turns the page showed when it was loaded.
    """

    def __init__(self, view: BattleView, *, turns: int | None = None) -> None:
        self._turns = len(view.turns) if turns is None else turns
        # A page that has come back may have got turns since it was loaded, or missed some.
        self._sure = self._turns == len(view.turns)
        self._alone = view.mode == DIRECT
        self._blind = _blind_turns(view)
        self._shown: dict[tuple[int, str], _Shown] = {}

    def knows(self, event: Event) -> bool:
        """Whether the page has the turn that the event is about; else `turns_added` comes first."""
        return self._sure and event["turn"] < self._turns

    def turns_added(self, view: BattleView) -> str:
        """The turns that the page lacks, all that a fresh page would show of them."""
        if self._sure and self._turns >= len(view.turns):
            return ""
        turns = battle_turns(view)
        if self._sure:
            content = "".join(turn_section(view, turn) for turn in turns[self._turns :])
            frame = f'<div id="turns" hx-swap-oob="beforeend">{content}</div>'
        else:
            frame = swap("turns", SafeString("".join(turn_section(view, turn) for turn in turns)))
        self._turns, self._sure, self._blind = len(turns), True, _blind_turns(view)
        self._shown = {
            (turn.index, side): _Shown(answer.state, answer.text, answer.leak)
            for turn in view.turns
            for side, answer in turn.answers.items()
        }
        return frame

    def delta(self, event: Event) -> str:
        """Text to append; cheap enough for an event loop."""
        frame = []
        for side in SIDES:
            if side in event:
                answer, shown = event[side], self._shown[event["turn"], side]
                shown.text += answer["text"]
                target = stream_id(event["turn"], side)
                frame.append(
                    f'<div id="{target}" hx-swap-oob="beforeend">{escape(answer["text"])}</div>'
                )
                if answer.get("leak") and not shown.leak:
                    shown.leak = True
                    frame.append(self._leak(event["turn"], side, found=True))
        return "".join(frame)

    def render(self, event: Event) -> str:
        """Any event that replaces what panes show: `snapshot`, `answer_done`, `answer_failed`.

        Empty where they show it already: after a snapshot ends are told once more.
        """
        frame = []
        for side in SIDES:
            if side in event:
                answer = event[side]
                known = self._shown.get((event["turn"], side))
                text, leak = answer["text"], bool(answer.get("leak"))
                if event["type"] != "snapshot" and known:
                    # Only a snapshot brings the text along.
                    text, leak = known.text, leak or known.leak
                if answer["error"] and answer["error"]["code"] == WITHHELD:
                    text = ""
                if _Shown(answer["state"], text, leak) != known:
                    frame.append(
                        self._pane(
                            event["turn"], side, answer["state"], text, answer["error"], leak=leak
                        )
                    )
        return "".join(frame)

    def refresh(self, view: BattleView) -> str:
        """The panes whose answer is another one than the page shows: a retry in another tab."""
        added = self.turns_added(view)
        turn = view.turns[-1]
        return added + "".join(
            self._pane(turn.index, side, answer.state, answer.text, answer.error, leak=answer.leak)
            for side, answer in turn.answers.items()
            if self._shown.get((turn.index, side)) != _Shown(answer.state, answer.text, answer.leak)
        )

    def _pane(
        self,
        turn: int,
        side: str,
        state: str,
        text: str,
        error: Mapping[str, str] | None,
        *,
        leak: bool,
    ) -> str:
        self._shown[turn, side] = _Shown(state, text, leak)
        body = answer_body(turn=turn, side=side, state=state, text=text, error=error)
        status = format_html(
            '<span class="visually-hidden">{} </span>{}',
            side_label(side, alone=self._alone),
            status_sentence(state=state, text=text),
        )
        return (
            swap(f"answer-{turn}-{side}", body)
            + swap(f"status-{turn}-{side}", status)
            + self._leak(turn, side, found=leak)
        )

    def _leak(self, turn: int, side: str, *, found: bool) -> str:
        sentence = leak_sentence() if found and turn in self._blind else ""
        return swap(f"leak-{turn}-{side}", SafeString(escape(sentence)))


def _blind_turns(view: BattleView) -> set[int]:
    return {turn.index for turn in view.turns if is_blind(view, turn)}


def turn_section(view: BattleView, turn: TurnPanes) -> str:
    """A whole turn, as a fresh page shows it."""
    context = {"battle": view, "turn": turn, "report_reasons": REPORT_REASONS}
    return render_to_string("frontend/battle/turn.html", context)


def verdict_fragments(view: BattleView, *, message: str = "") -> str:
    """Everything that depends on the battle's state: vote bar, actions, names after the vote.

    `message` says what was wrong with the last action. Reads the database.
    """
    turns = battle_turns(view)
    context: dict[str, Any] = {
        "battle": view,
        "verdict": verdict_of(view, turns[-1]),
        "feedback": battle_feedback(view),
        "message": message,
        "max_characters": MAX_CHARACTERS,
    }
    frame: list[str] = []
    for turn in turns:
        for pane in turn.panes:
            identity = render_to_string("frontend/battle/identity.html", {"pane": pane})
            frame.append(swap(f"identity-{turn.index}-{pane.side}", identity))
        frame.append(swap(f"note-{turn.index}", SafeString(escape(turn.note))))
    for region, template in REGIONS.items():
        frame.append(swap(region, render_to_string(f"frontend/battle/{template}", context)))
    if context["feedback"] is None:
        frame.append(feedback_said_fragment(saved=False))
    frame.append(swap("announcement", SafeString(escape(announcement(view)))))
    return "".join(frame)


def feedback_said_fragment(*, saved: bool, problem: str = "") -> str:
    """What became of the feedback, beside its form: what was typed stays."""
    context = {"saved": saved, "problem": problem}
    return swap("feedback-said", render_to_string("frontend/battle/feedback_said.html", context))


def report_fragment(*, turn: int, side: str, problem: str = "") -> str:
    """What became of a report: thanks in the form's place, or what was wrong beside it."""
    part = "problem" if problem else "form"
    said = render_to_string("frontend/battle/report_said.html", {"problem": problem})
    return swap(f"report-{part}-{turn}-{side}", said)


def swap(target: str, content: SafeString) -> SafeString:
    """One out-of-band swap: replaces what the element with the id `target` holds."""
    return mark_safe(  # noqa: S308 - both parts are made of escaped pieces
        f'<div id="{target}" hx-swap-oob="innerHTML">{content}</div>'
    )
