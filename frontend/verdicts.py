"""What the voter can do with the last turn of a battle, or has done: the regions below the panes.

Made from `arena.blinding` views only. Which votes count is decided elsewhere; here it gets words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from arena.blinding import BattleView, TurnView
from arena.selectors.oversight import vote_reasons
from frontend.panes import (
    BATTLE,
    DIRECT,
    SIDE_BY_SIDE,
    Pane,
    TurnPanes,
    battle_turns,
    choice_sentence,
    is_blind,
)

GOES_ON = frozenset({"votable", "voted"})


@dataclass(frozen=True)
class Verdict:
    """The last turn, its vote in words, and what may come next."""

    state: str
    turn: TurnView
    panes: tuple[Pane, ...]
    sentence: str
    exclusion: str
    gold: str
    withdrawn: bool
    warning: str
    goes_on: bool
    hint: str


@dataclass(frozen=True)
class Chip:
    """A reason that can be given by one tap."""

    slug: str
    label: str
    checked: bool


@dataclass(frozen=True)
class Feedback:
    """What the voter may add to the vote on the last turn, as far as it is there already."""

    turn: int
    good: tuple[Chip, ...]
    bad: tuple[Chip, ...]
    comment: str


def battle_verdict(view: BattleView) -> Verdict:
    """The last turn's verdict; reads the ratings once the models may be known."""
    return verdict_of(view, battle_turns(view)[-1])


def verdict_of(view: BattleView, shown: TurnPanes) -> Verdict:
    """The same, from the last turn's panes."""
    turn, panes = view.turns[-1], shown.panes
    exclusion = turn.vote.exclusion if turn.vote else ""
    gold = _gold_sentence(view)
    return Verdict(
        state=view.state,
        turn=turn,
        panes=panes,
        sentence=choice_sentence(turn.vote.choice, panes) if turn.vote else "",
        exclusion="" if exclusion == "gold" and gold else exclusion_sentence(exclusion),
        gold=gold if turn.vote else "",
        withdrawn=exclusion == "withdrawn",
        warning=_warning(view, turn) if view.state == "votable" else "",
        goes_on=view.state in GOES_ON,
        hint=_go_on_hint(view, turn),
    )


def battle_feedback(
    view: BattleView,
    *,
    reasons: Iterable[str] | None = None,
    comment: str | None = None,
) -> Feedback | None:
    """The form for reasons and a comment; None where there is no vote to add them to.

    `reasons` and `comment` are what was sent, where that was refused. Reads the reasons on offer.
    """
    turn = view.turns[-1]
    if turn.vote is None or turn.vote.exclusion == "withdrawn":
        return None
    chosen = set(turn.vote.reasons if reasons is None else reasons)
    offered = list(vote_reasons())

    def chips(tone: str) -> tuple[Chip, ...]:
        return tuple(
            Chip(reason.slug, reason.label, reason.slug in chosen)
            for reason in offered
            if reason.tone == tone
        )

    return Feedback(
        turn=turn.index,
        good=chips("good"),
        bad=chips("bad"),
        comment=turn.vote.comment if comment is None else comment,
    )


def announcement(view: BattleView) -> str:
    """What a screen reader is told of the battle as a whole."""
    if view.mode == DIRECT:
        return {
            "votable": _("The answer is complete. You can go on."),
            "failed": _("The answer is missing or broken."),
            "abandoned": _("The answer was stopped because nobody was watching."),
        }.get(view.state, "")
    voted = _("Your vote is in. The assistants' names are shown.")
    return {
        "votable": _("Both answers are complete. You can vote now."),
        "voted": voted if is_blind(view, view.turns[-1]) else _("Your vote is in."),
        "failed": _("There is nothing to compare: an answer is missing or broken."),
        "abandoned": _("The answers were stopped because nobody was watching."),
    }.get(view.state, "")


def _warning(view: BattleView, turn: TurnView) -> str:
    """Why a vote cast now would not count, where that is known beforehand."""
    if view.mode == SIDE_BY_SIDE:
        return _("You know the names, so this vote does not count for the ratings.")
    if view.mode == BATTLE and not is_blind(view, turn):
        return _("You know the names by now, so this vote does not count.")
    if view.has_leak and view.mode == BATTLE and "leak" in settings.ARENA_VALIDITY_RULES:
        return _("An assistant has named itself, so this vote will not count.")
    if view.has_failure and view.mode == BATTLE and "error" in settings.ARENA_VALIDITY_RULES:
        return _("An answer was broken before, so this vote will not count.")
    stopped = any(answer.state == "stopped" for answer in turn.answers.values())
    if stopped and view.mode == BATTLE and "unfinished" in settings.ARENA_VALIDITY_RULES:
        return _("You stopped an answer before its end, so this vote will not count.")
    return ""


def _go_on_hint(view: BattleView, turn: TurnView) -> str:
    if view.state not in GOES_ON or view.mode != BATTLE:
        return ""
    if turn.vote is not None or not is_blind(view, turn):
        return _("You may go on with this conversation. Later votes in it do not count.")
    return _("You may also go on and vote later: each prompt gets a ballot of its own.")


def _gold_sentence(view: BattleView) -> str:
    if not view.gold_side:
        return ""
    return _(
        "Answer %(letter)s was scrambled on purpose, to see whether votes are careful. It does "
        "not count for or against the model."
    ) % {"letter": view.gold_side.upper()}


def exclusion_sentence(exclusion: str) -> str:
    """Why a vote does not count, in a sentence for the one who cast it; "" when it does."""
    if not exclusion:
        return ""
    return {
        "named": _("You chose the assistants by name, so this vote is kept but not counted."),
        "revealed": _(
            "An earlier vote had already shown the names, so this vote is kept but not counted."
        ),
        "late": _(
            "This battle was left open for so long that its models could be guessed from what has "
            "been published since, so this vote is kept but not counted."
        ),
        "gold": _(
            "An answer was scrambled on purpose, to see whether votes are careful, so this vote is "
            "kept but not counted."
        ),
        "leak": _("An assistant named itself, so this vote is kept but not counted."),
        "error": _("An answer had been broken, so this vote is kept but not counted."),
        "moderated": _(
            "Something said here breaks the rules of this site, so this vote is kept but not "
            "counted."
        ),
        "unfinished": _(
            "An answer was stopped before its end, so this vote is kept but not counted."
        ),
        "too_fast": _(
            "The vote came sooner than anybody could have read both answers, so it is kept but not "
            "counted."
        ),
        "duplicate": _(
            "You, or very many people, had voted on this prompt before, so this vote is kept but "
            "not counted."
        ),
        "rate_cap": _(
            "You have voted as often today as counts for one person, so this vote is kept but not "
            "counted."
        ),
        "gold_failed": _(
            "Too many of your votes went to answers that were scrambled on purpose, so this vote "
            "is kept but not counted."
        ),
        "outlier": _(
            "Your votes differ from those of everybody else, and other signs speak against them "
            "too, so this vote is kept but not counted."
        ),
        "withdrawn": _("This vote was withdrawn, so it is no longer counted."),
    }.get(exclusion, _("This vote is kept but not counted (%(reason)s).") % {"reason": exclusion})
