"""The border of the blind: everything that a voter's client is told of a battle is made here.

Pages, REST and sockets build on these views and on `arena.events`, never on the rows, so that what
may be known before the vote is decided in one place.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from arena.events import error_view
from arena.live import LiveTurn, battle_state
from arena.models import Answer, Battle, Turn, Vote
from inference.models import LanguageModel


@dataclass(frozen=True)
class AnswerView:
    """`leak`: the assistant has named itself, so a vote on this conversation will not count."""

    state: str
    text: str
    error: dict[str, str] | None
    leak: bool = False


@dataclass(frozen=True)
class VoteView:
    choice: str
    reasons: tuple[str, ...]
    comment: str
    counted: bool
    exclusion: str
    cast_at: datetime


@dataclass(frozen=True)
class ModelView:
    """A model as it is revealed."""

    slug: str
    name: str
    organization: str
    licence: str
    homepage: str
    description: str


@dataclass(frozen=True)
class TurnView:
    """A direct chat has no ballot."""

    index: int
    prompt: str
    ballot: str | None
    answers: dict[str, AnswerView]
    vote: VoteView | None


@dataclass(frozen=True)
class BattleView:
    """A battle as its voter may know it now; `models` is None until the reveal.

    `has_leak`: an assistant has named itself in something that the voter may have read, answers
    that were made anew since included; `has_failure`: one of those answers failed. `gold_side` is
    the side that was spoilt on purpose, "" before the reveal and in other battles.
    """

    id: uuid.UUID
    mode: str
    state: str
    created_at: datetime
    ended_at: datetime | None
    turns: tuple[TurnView, ...]
    models: dict[str, ModelView] | None
    pacing: str
    gold_side: str
    has_leak: bool = False
    has_failure: bool = False


def battle_view(*, battle: Battle, live: LiveTurn | None) -> BattleView:
    """`battle` comes with its turns, answers, votes and models fetched; `live` is fresher text."""
    turns = tuple(_turn_view(battle, turn, live) for turn in battle.turns.all())
    voted = any(turn.vote for turn in turns)
    revealed = voted or battle.mode != Battle.Mode.BATTLE
    read = [answer for turn in battle.turns.all() for answer in turn.answers.all()]
    last = turns[-1]
    state = (
        Battle.State.VOTED
        if last.vote
        else battle_state({s: (a.state, bool(a.text)) for s, a in last.answers.items()})
    )
    return BattleView(
        id=battle.id,
        mode=battle.mode,
        state=str(state),
        created_at=battle.created_at,
        ended_at=_ended_at(battle),
        turns=turns,
        models=_models_view(battle) if revealed else None,
        pacing=battle.pacing,
        gold_side=battle.gold_side if revealed else "",
        has_leak=any(answer.leak for answer in read),
        has_failure=any(
            answer.state == Answer.State.FAILED and answer.error != Answer.Error.MODERATED
            for answer in read
        ),
    )


def _ended_at(battle: Battle) -> datetime | None:
    """When the last of the last turn's answers ended; None while one has not."""
    answers = [answers_current(turn).values() for turn in battle.turns.all()][-1]
    ends = [answer.finished_at for answer in answers if answer.finished_at]
    return max(ends) if len(ends) == len(answers) else None


def answers_current(turn: Turn) -> dict[str, Answer]:
    """The latest attempt of each side, by side."""
    return {answer.side: answer for answer in sorted(turn.answers.all(), key=lambda a: a.attempt)}


def _turn_view(battle: Battle, turn: Turn, live: LiveTurn | None) -> TurnView:
    current = answers_current(turn)
    answers = {side: _answer_view(answer) for side, answer in sorted(current.items())}
    vote = getattr(turn, "vote", None)
    attempts = {answer.pk for answer in current.values()}
    # Live text of these very attempts only: another process may have made new ones since.
    if live is not None and vote is None and live.answer_ids == attempts:
        answers = {
            side: AnswerView(now["state"], now["text"], error_view(now["error"]), now["leak"])
            for side, now in live.view().items()
        }
    ballot = None if battle.mode == Battle.Mode.DIRECT else turn.ballot
    return TurnView(turn.index, turn.prompt, ballot, answers, vote and _vote_view(vote))


def _answer_view(answer: Answer) -> AnswerView:
    # What moderation took back stays in the table for moderators.
    text = "" if answer.error == Answer.Error.MODERATED else answer.text
    return AnswerView(answer.state, text, error_view(answer.error), bool(answer.leak))


def _vote_view(vote: Vote) -> VoteView:
    return VoteView(
        choice=vote.choice,
        reasons=tuple(vote.reasons),
        comment=vote.comment,
        counted=not vote.exclusion,
        exclusion=vote.exclusion,
        cast_at=vote.cast_at,
    )


def _models_view(battle: Battle) -> dict[str, ModelView]:
    models = {"a": battle.model_a, "b": battle.model_b}
    return {side: model_view(model) for side, model in models.items() if model is not None}


def model_view(model: LanguageModel) -> ModelView:
    return ModelView(
        slug=model.slug,
        name=model.name,
        organization=model.organization.name,
        licence=model.licence,
        homepage=model.homepage,
        description=model.description,
    )
