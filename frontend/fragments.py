"""Events of a battle as HTML for the htmx ws extension: what to put where in an open page.

A frame is a row of out-of-band swaps. Applied to the page in order, frames give what a fresh page
would show. Knows nothing of sockets; the texts of the events are hostile and leave here escaped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.template.loader import render_to_string
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from arena.blinding import BattleView
from arena.events import Event
from frontend.panes import (
    announcement,
    answer_body,
    battle_verdict,
    side_label,
    status_sentence,
    stream_id,
)

SIDES = ("a", "b")


@dataclass
class _Shown:
    """What a pane shows now."""

    state: str
    text: str


@dataclass
class BattleFragments:
    """The frames of one connection. Remembers what its page shows, since ends carry no text."""

    _shown: dict[str, _Shown] = field(default_factory=dict)

    def delta(self, event: Event) -> str:
        """Text to append; cheap enough for an event loop."""
        frame = []
        for side in SIDES:
            if side in event:
                text = event[side]["text"]
                self._shown[side].text += text
                target = stream_id(event["turn"], side)
                frame.append(f'<div id="{target}" hx-swap-oob="beforeend">{escape(text)}</div>')
        return "".join(frame)

    def render(self, event: Event) -> str:
        """Any event that replaces what panes show: `snapshot`, `answer_done`, `answer_failed`.

        Empty where they show it already: after a snapshot ends are told once more.
        """
        frame = []
        for side in SIDES:
            if side in event:
                answer = event[side]
                known = self._shown.get(side)
                # Only a snapshot brings the text along.
                text = answer["text"] if event["type"] == "snapshot" or not known else known.text
                if _Shown(answer["state"], text) != known:
                    frame.append(
                        self._pane(event["turn"], side, answer["state"], text, answer["error"])
                    )
        return "".join(frame)

    def refresh(self, view: BattleView) -> str:
        """The panes whose answer is another one than the page shows: a retry in another tab."""
        turn = view.turns[-1]
        return "".join(
            self._pane(turn.index, side, answer.state, answer.text, answer.error)
            for side, answer in turn.answers.items()
            if self._shown.get(side) != _Shown(answer.state, answer.text)
        )

    def _pane(
        self, turn: int, side: str, state: str, text: str, error: dict[str, str] | None
    ) -> str:
        self._shown[side] = _Shown(state, text)
        body = answer_body(turn=turn, side=side, state=state, text=text, error=error)
        status = format_html(
            '<span class="visually-hidden">{} </span>{}',
            side_label(side),
            status_sentence(state=state, text=text),
        )
        return swap(f"answer-{turn}-{side}", body) + swap(f"status-{turn}-{side}", status)


def verdict_fragments(view: BattleView, *, message: str = "") -> str:
    """Everything that depends on the battle's state: vote bar, actions, names after the vote.

    `message` says what was wrong with the last action. Reads the database.
    """
    verdict = battle_verdict(view)
    context = {"battle": view, "verdict": verdict, "message": message}
    identities = [
        swap(
            f"identity-{verdict.turn.index}-{pane.side}",
            render_to_string("frontend/battle/identity.html", {"pane": pane}),
        )
        for pane in verdict.panes
    ]
    return "".join(
        [
            *identities,
            swap("verdict", render_to_string("frontend/battle/verdict.html", context)),
            swap("announcement", SafeString(escape(announcement(view.state)))),
        ]
    )


def swap(target: str, content: SafeString) -> SafeString:
    """One out-of-band swap: replaces what the element with the id `target` holds."""
    return mark_safe(  # noqa: S308 - both parts are made of escaped pieces
        f'<div id="{target}" hx-swap-oob="innerHTML">{content}</div>'
    )
