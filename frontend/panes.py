"""What the panes of a battle show: one model of it for the page and for what follows by socket.

Made from `arena.blinding` views only, so that nothing here can know more than the voter may. Knows
nothing of requests, sockets and votes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.blinding import AnswerView, BattleView, ModelView, TurnView
from frontend.markdown import answer_html
from ratings.selectors import LeaderboardRow, leaderboard, snapshot_latest

BUSY = frozenset({"pending", "streaming"})
CUT_SHORT = frozenset({"stopped", "abandoned"})
BATTLE, SIDE_BY_SIDE, DIRECT = "battle", "side_by_side", "direct"


@dataclass(frozen=True)
class Pane:
    """One side of one turn, ready for a template."""

    turn: int
    side: str
    label: str
    answer: AnswerView
    leak: str
    model: ModelView | None
    standing: LeaderboardRow | None
    preferred: bool

    @property
    def status(self) -> str:
        return status_sentence(state=self.answer.state, text=self.answer.text)

    @property
    def body(self) -> SafeString:
        """Made when it is asked for: what only tells names pays for no Markdown."""
        return answer_body(
            turn=self.turn,
            side=self.side,
            state=self.answer.state,
            text=self.answer.text,
            error=self.answer.error,
        )


@dataclass(frozen=True)
class TurnPanes:
    """One turn; `note` says how an earlier turn was judged, and is empty for the last one."""

    index: int
    prompt: str
    panes: tuple[Pane, ...]
    note: str


def battle_turns(view: BattleView) -> tuple[TurnPanes, ...]:
    """Every turn of the battle; reads the ratings once the models may be known."""
    standings = _standings(view)
    last = view.turns[-1]
    turns = []
    for turn in view.turns:
        panes = tuple(
            _pane(view, turn, side, answer, standings) for side, answer in turn.answers.items()
        )
        note = "" if turn is last or view.mode == DIRECT else turn_note(turn, panes)
        turns.append(TurnPanes(turn.index, turn.prompt, panes, note))
    return tuple(turns)


def turn_note(turn: TurnView, panes: tuple[Pane, ...]) -> str:
    """What came of an earlier turn's ballot."""
    return choice_sentence(turn.vote.choice, panes) if turn.vote else _("Left without a vote.")


def choice_sentence(choice: str, panes: tuple[Pane, ...]) -> str:
    """What the voter chose, by name: to be shown after the vote only."""
    preferred = next((pane for pane in panes if pane.preferred), None)
    if preferred and preferred.model:
        return _("You preferred %(model)s.") % {"model": preferred.model.name}
    if choice == "tie":
        return _("You called it a tie.")
    return _("You found both answers bad.")


def side_label(side: str, *, alone: bool = False) -> str:
    """What a pane is called; an assistant alone needs no letter."""
    return _("Assistant") if alone else _("Assistant %(letter)s") % {"letter": side.upper()}


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


def leak_sentence() -> str:
    """What a voter is told as soon as an assistant has named itself."""
    if "leak" in settings.ARENA_VALIDITY_RULES:
        return _("This assistant named itself: this vote will not count. You may go on.")
    return _("This assistant named itself.")


def is_blind(view: BattleView, turn: TurnView) -> bool:
    """Whether the voter did not know the models when this turn was asked."""
    voted_before = any(earlier.vote for earlier in view.turns if earlier.index < turn.index)
    return view.mode == BATTLE and not voted_before


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
    if note:
        return format_html('{}<p class="note">{}</p>', body, note)
    if state in CUT_SHORT:
        return format_html('{}<p class="cut">{}</p>', body, _("Stopped here, before its end."))
    return body


def stream_id(turn: int, side: str) -> str:
    """The element that text is appended to while it comes."""
    return f"stream-{turn}-{side}"


def _pane(
    view: BattleView,
    turn: TurnView,
    side: str,
    answer: AnswerView,
    standings: Mapping[str, LeaderboardRow],
) -> Pane:
    model = view.models.get(side) if view.models else None
    return Pane(
        turn=turn.index,
        side=side,
        label=side_label(side, alone=view.mode == DIRECT),
        answer=answer,
        leak=leak_sentence() if answer.leak and is_blind(view, turn) else "",
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
