"""What the panes of a battle show: one model of it for the page and for what follows by socket.

Made from `arena.blinding` views only, so that nothing here can know more than the voter may. Knows
nothing of requests and sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.blinding import AnswerView, BattleView, ModelView, TurnView
from frontend.markdown import answer_html
from ratings.selectors import LeaderboardRow, leaderboard, snapshot_latest

BUSY = frozenset({"pending", "streaming"})


@dataclass(frozen=True)
class Pane:
    """One side of one turn, ready for a template."""

    side: str
    label: str
    status: str
    body: SafeString
    model: ModelView | None
    standing: LeaderboardRow | None
    preferred: bool


@dataclass(frozen=True)
class TurnPanes:
    index: int
    prompt: str
    panes: tuple[Pane, ...]


@dataclass(frozen=True)
class Verdict:
    """What the voter can do, or has done: the region below the panes."""

    state: str
    turn: TurnView
    panes: tuple[Pane, ...]
    sentence: str
    exclusion: str


def battle_turns(view: BattleView) -> tuple[TurnPanes, ...]:
    """Every turn of the battle; reads the ratings once the models may be known."""
    standings = _standings(view)
    return tuple(
        TurnPanes(turn.index, turn.prompt, _panes(view, turn, standings)) for turn in view.turns
    )


def battle_verdict(view: BattleView) -> Verdict:
    """The last turn's verdict region; reads the ratings once the models may be known."""
    turn = view.turns[-1]
    panes = _panes(view, turn, _standings(view))
    return Verdict(
        state=view.state,
        turn=turn,
        panes=panes,
        sentence=_choice_sentence(turn.vote.choice, panes) if turn.vote else "",
        exclusion=_exclusion_sentence(turn.vote.exclusion) if turn.vote else "",
    )


def announcement(state: str) -> str:
    """What a screen reader is told of the battle as a whole."""
    return {
        "votable": _("Both answers are complete. You can vote now."),
        "voted": _("Your vote is in. The assistants' names are shown."),
        "failed": _("There is nothing to compare: an answer is missing or broken."),
        "abandoned": _("The answers were stopped because nobody was watching."),
    }.get(state, "")


def side_label(side: str) -> str:
    return _("Assistant %(letter)s") % {"letter": side.upper()}


def status_sentence(*, state: str, text: str) -> str:
    """How far an answer is, in a few words."""
    if state in BUSY:
        return _("is answering…")
    words = len(text.split())
    length = ngettext("%(count)d word", "%(count)d words", words) % {"count": words}
    return {
        "complete": _("finished, %(length)s"),
        "stopped": _("stopped, %(length)s"),
        "failed": _("could not answer"),
        "abandoned": _("stopped, %(length)s"),
    }[state] % {"length": length}


def answer_body(
    *, turn: int, side: str, state: str, text: str, error: Mapping[str, str] | None
) -> SafeString:
    """What stands in a pane: text as it comes, and once it has ended the rendered Markdown.

    Rendering takes up to 0.2 s of a core: not for an event loop.
    """
    if state in BUSY:
        return format_html(
            '<div class="stream" id="{}" aria-busy="true">{}</div>', stream_id(turn, side), text
        )
    body = answer_html(text) if text.strip() else SafeString("")
    note = error["message"] if error else ""
    if not note and not text.strip():
        note = _("This assistant was stopped before it said anything.")
    if not note:
        return body
    return format_html('{}<p class="note">{}</p>', body, note)


def stream_id(turn: int, side: str) -> str:
    """The element that text is appended to while it comes."""
    return f"stream-{turn}-{side}"


def _panes(
    view: BattleView, turn: TurnView, standings: Mapping[str, LeaderboardRow]
) -> tuple[Pane, ...]:
    return tuple(
        _pane(view, turn, side, answer, standings) for side, answer in turn.answers.items()
    )


def _pane(
    view: BattleView,
    turn: TurnView,
    side: str,
    answer: AnswerView,
    standings: Mapping[str, LeaderboardRow],
) -> Pane:
    model = view.models.get(side) if view.models else None
    return Pane(
        side=side,
        label=side_label(side),
        status=status_sentence(state=answer.state, text=answer.text),
        body=answer_body(
            turn=turn.index, side=side, state=answer.state, text=answer.text, error=answer.error
        ),
        model=model,
        standing=standings.get(model.slug) if model else None,
        preferred=turn.vote is not None and turn.vote.choice == side,
    )


def _standings(view: BattleView) -> dict[str, LeaderboardRow]:
    if not view.models:
        return {}
    slugs = {model.slug for model in view.models.values()}
    rows = leaderboard(snapshot=snapshot_latest())
    return {row.model: row for row in rows if row.model in slugs}


def _choice_sentence(choice: str, panes: tuple[Pane, ...]) -> str:
    preferred = next((pane for pane in panes if pane.preferred), None)
    if preferred and preferred.model:
        return _("You preferred %(model)s.") % {"model": preferred.model.name}
    if choice == "tie":
        return _("You called it a tie.")
    return _("You found both answers bad.")


def _exclusion_sentence(exclusion: str) -> str:
    if not exclusion:
        return ""
    return {
        "leak": _("An assistant named itself, so this vote is kept but not counted."),
        "duplicate": _(
            "You had voted on this pair with this prompt before, so this vote is kept but not "
            "counted."
        ),
        "withdrawn": _("This vote was withdrawn, so it is no longer counted."),
    }.get(exclusion, _("This vote is kept but not counted (%(reason)s).") % {"reason": exclusion})
