"""Writes to battles: start, stop, retry."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from arena import metrics
from arena.blinding import answers_current
from arena.errors import (
    BattleNotFoundError,
    ConsentMissingError,
    InvalidInputError,
    NoLiveModelsError,
    NotGeneratingError,
    NotRetryableError,
)
from arena.events import battle_changed_publish
from arena.generation import Generation, Work
from arena.limits import limit_hit
from arena.live import LiveSide, battle_state
from arena.matchmaking import pair_draw
from arena.models import Answer, Battle, Turn, Vote, Voter, ballot_token
from arena.prompts import prompt_clean
from arena.runner import runner
from inference.dialects import ChatMessage
from inference.models import LanguageModel
from inference.selectors import endpoint_addresses, language_models_live
from inference.services import endpoints_probe

# Sent when the model card names none: an answer has to end.
DEFAULT_SAMPLING: Mapping[str, Any] = {"max_tokens": 1024}
ACTIVE = LanguageModel.Status.ACTIVE
# How long ago an endpoint may have been asked before a start that lacks models asks again.
PROBE_AGAIN_AFTER = timedelta(seconds=3)


def battle_start(
    *, voter_id: uuid.UUID, address: str, mode: object, prompt: object, consent: object
) -> Battle:
    """Draw two live models, store the battle, and begin to generate once that is committed.

    Raises ArenaError: bad prompt or mode, missing consent, RateLimitedError, NoLiveModelsError.
    """
    if mode != Battle.Mode.BATTLE:
        raise InvalidInputError('The mode must be "battle".', field="mode")
    text = prompt_clean(prompt)
    if consent is not True:
        raise ConsentMissingError
    limit_hit(action="battles", voter_id=voter_id, address=address)
    pool = pool_live()
    draw = pair_draw(pool=sorted(pool))
    with transaction.atomic():
        voter, _ = Voter.objects.get_or_create(pk=voter_id)
        battle = Battle(
            voter=voter,
            mode=Battle.Mode.BATTLE,
            model_a=pool[draw.model_a],
            model_b=pool[draw.model_b],
            sampler=draw.sampler,
            probability=draw.probability,
            pool=sorted(pool),
            consent_version=settings.ARENA_CONSENT_VERSION,
        )
        battle.full_clean(exclude=["voter"])
        battle.save(force_insert=True)
        turn = Turn.objects.create(battle=battle, index=0, prompt=text)
        answers = [Answer.objects.create(turn=turn, side=side) for side in ("a", "b")]
        work = _work(turn=turn, answers=answers, kept={})
        transaction.on_commit(lambda: runner.start(work))
    metrics.battles_started.inc()
    return battle


def pool_live() -> dict[int, LanguageModel]:
    """The live models by id; asks the endpoints again before it gives up with NoLiveModelsError."""
    pool = {model.pk: model for model in language_models_live()}
    if len(pool) < 2 and endpoints_probe(older_than=PROBE_AGAIN_AFTER):
        pool = {model.pk: model for model in language_models_live()}
    if len(pool) < 2:
        raise NoLiveModelsError
    return pool


def battle_stop(*, voter_id: uuid.UUID, battle_id: uuid.UUID) -> None:
    """End what is being generated, keeping the text. The generating process may be another one."""
    with transaction.atomic():
        turn = _last_turn_locked(voter_id=voter_id, battle_id=battle_id)
        current = answers_current(turn).values()
        if not any(answer.state in Answer.GENERATING for answer in current):
            raise NotGeneratingError("Both answers have already ended.")
        Turn.objects.filter(pk=turn.pk).update(stop_requested_at=timezone.now())
        answer_ids = [answer.pk for answer in current]
        transaction.on_commit(lambda: runner.stop(battle_id, answer_ids=answer_ids))


def battle_regenerate(*, voter_id: uuid.UUID, address: str, battle_id: uuid.UUID) -> None:
    """Ask the same pair again: the sides that failed, or both where none did. Old answers stay.

    Raises NotRetryableError while an answer is being made and after the vote.
    """
    limit_hit(action="battles", voter_id=voter_id, address=address)
    with transaction.atomic():
        turn = _last_turn_locked(voter_id=voter_id, battle_id=battle_id)
        current = answers_current(turn)
        if any(answer.state in Answer.GENERATING for answer in current.values()):
            raise NotRetryableError("The answers are still being written.")
        if Vote.objects.filter(turn=turn).exists():
            raise NotRetryableError("You have voted on these answers; start a new battle.")
        if any(turn.battle.language_model(side).status != ACTIVE for side in current):
            raise NotRetryableError("One of the assistants answers no more; start a new battle.")
        kept = {side: answer for side, answer in current.items() if _judgeable(answer)}
        if len(kept) == len(current):
            kept = {}
        answers = [
            Answer.objects.create(turn=turn, side=side, attempt=answer.attempt + 1)
            for side, answer in current.items()
            if side not in kept
        ]
        # A new ballot: the old one was for answers that are no longer there.
        Turn.objects.filter(pk=turn.pk).update(stop_requested_at=None, ballot=ballot_token())
        Battle.objects.filter(pk=battle_id).update(watched_at=timezone.now())
        work = _work(turn=turn, answers=answers, kept=kept)
        transaction.on_commit(lambda: runner.start(work))
        transaction.on_commit(lambda: battle_changed_publish(battle_id=battle_id), robust=True)


def _judgeable(answer: Answer) -> bool:
    return battle_state({answer.side: (answer.state, bool(answer.text))}) == "votable"


def _last_turn_locked(*, voter_id: uuid.UUID, battle_id: uuid.UUID) -> Turn:
    """The last turn of the voter's own battle, locked until the transaction ends."""
    turns = Turn.objects.filter(battle_id=battle_id, battle__voter_id=voter_id)
    turn = turns.select_for_update(of=("self",)).order_by("-index").first()
    if turn is None:
        raise BattleNotFoundError
    return turn


def _work(*, turn: Turn, answers: list[Answer], kept: Mapping[str, Answer]) -> Work:
    battle = turn.battle
    generations = []
    for answer in answers:
        model = battle.language_model(answer.side)
        endpoints = endpoint_addresses(language_model=model)
        if not endpoints:
            # Its last endpoint went between the draw and now.
            raise NoLiveModelsError
        generations.append(
            Generation(
                answer_id=answer.pk,
                side=answer.side,
                endpoints=endpoints,
                messages=_messages(turn=turn, side=answer.side, model=model),
                sampling={**DEFAULT_SAMPLING, **model.sampling},
            )
        )
    return Work(
        battle_id=battle.pk,
        battle_created_at=battle.created_at,
        turn_index=turn.index,
        generations=generations,
        kept={
            side: LiveSide(
                answer_id=answer.pk,
                state=answer.state,
                text=answer.text,
                sent=len(answer.text),
                announced=True,
            )
            for side, answer in kept.items()
        },
    )


def _messages(*, turn: Turn, side: str, model: LanguageModel) -> list[ChatMessage]:
    """The conversation as this side knows it: its own earlier answers, then the prompt."""
    messages = [ChatMessage("system", model.system_prompt)] if model.system_prompt else []
    earlier = Turn.objects.filter(battle_id=turn.battle_id, index__lt=turn.index)
    for past in earlier.prefetch_related("answers"):
        messages.append(ChatMessage("user", past.prompt))
        messages.append(ChatMessage("assistant", answers_current(past)[side].text))
    return [*messages, ChatMessage("user", turn.prompt)]
