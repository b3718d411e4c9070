"""What the runner is told to generate for a turn: whom to ask, with which words, shown how.

Reads the database and writes nothing. Knows nothing of limits, pairs and ballots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.answer_tokens import DEFAULT_MAX_TOKENS
from arena.blinding import answers_current
from arena.errors import NoLiveModelsError
from arena.generation import Generation, Work
from arena.identities import detector_now
from arena.live import LiveSide
from arena.models import Answer, Battle, Turn
from arena.pacing import pacing_parse
from inference.dialects import ChatMessage
from inference.models import LanguageModel
from inference.selectors import endpoint_addresses

# Sent when the model card names none: an answer has to end.
DEFAULT_SAMPLING: Mapping[str, Any] = {"max_tokens": DEFAULT_MAX_TOKENS}


def work_of(*, turn: Turn, answers: Sequence[Answer], kept: Mapping[str, Answer]) -> Work:
    """The generation of `answers`; `kept` are those that a retry leaves as they are, by side."""
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
                is_gold=answer.side == battle.gold_side,
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
                leak=answer.leak,
                sent=len(answer.text),
                announced=True,
            )
            for side, answer in kept.items()
        },
        pacing=pacing_parse(battle.pacing),
        # Who knows the models from the start need not be warned of their names.
        detector=detector_now() if battle.mode == Battle.Mode.BATTLE else None,
    )


def _messages(*, turn: Turn, side: str, model: LanguageModel) -> list[ChatMessage]:
    """The conversation as this side knows it: its own earlier answers, then the prompt."""
    messages = [ChatMessage("system", model.system_prompt)] if model.system_prompt else []
    earlier = Turn.objects.filter(battle_id=turn.battle_id, index__lt=turn.index)
    for past in earlier.prefetch_related("answers"):
        messages.append(ChatMessage("user", past.prompt))
        messages.append(ChatMessage("assistant", answers_current(past)[side].text))
    return [*messages, ChatMessage("user", turn.prompt)]
