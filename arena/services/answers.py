"""Writes to answers: partial text, the end, and the end that never came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from arena.models import Answer

# The generating process saves every second; ten seconds of silence mean that it is gone.
SILENCE = timedelta(seconds=10)


@dataclass(frozen=True)
class PartialAnswer:
    """What there is of an answer; `leak` are words by which the assistant named itself."""

    answer_id: int
    text: str
    leak: str = ""


@dataclass(frozen=True)
class AnswerEnd:
    """The last state of an answer: what was shown of it, and how it ended."""

    answer_id: int
    state: Answer.State
    text: str
    error: str
    error_detail: str
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    first_token_at: datetime | None
    leak: str = ""


@dataclass(frozen=True)
class Control:
    """What other processes ask of the one that generates; seconds by the database's clock."""

    stop_requested: bool
    unwatched_seconds: float


def answers_save_partial(*, partial: Sequence[PartialAnswer]) -> dict[int, Control]:
    """Save what there is of many answers in one UPDATE; what is asked of each, by answer id.

    An answer that has ended already is left alone, and missing from what is returned.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE arena_answer AS answer
               SET text = part.text, leak = part.leak, saved_at = now(),
                   state = CASE WHEN part.text = '' THEN answer.state ELSE 'streaming' END
              FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS part(id, text, leak),
                   arena_turn AS turn, arena_battle AS battle
             WHERE answer.id = part.id AND answer.state IN ('pending', 'streaming')
               AND turn.id = answer.turn_id AND battle.id = turn.battle_id
            RETURNING answer.id, turn.stop_requested_at IS NOT NULL,
                      extract(epoch FROM now() - battle.watched_at)
            """,
            [
                [p.answer_id for p in partial],
                [p.text for p in partial],
                [p.leak for p in partial],
            ],
        )
        return {row[0]: Control(row[1], float(row[2])) for row in cursor.fetchall()}


def answer_end(*, end: AnswerEnd) -> tuple[str, str]:
    """Write an answer's last state, which is told next; return the state and error it has then.

    One that has ended already (as interrupted, say) stays so.
    """
    written = Answer.objects.filter(pk=end.answer_id, state__in=Answer.GENERATING).update(
        state=end.state,
        text=end.text,
        leak=end.leak,
        error=end.error,
        error_detail=end.error_detail[:2000].replace("\x00", ""),
        finish_reason=end.finish_reason,
        prompt_tokens=end.prompt_tokens,
        completion_tokens=end.completion_tokens,
        first_token_at=end.first_token_at,
        finished_at=timezone.now(),
        saved_at=Now(),
    )
    if written:
        return end.state, end.error
    stored = Answer.objects.filter(pk=end.answer_id).values_list("state", "error").first()
    return stored or (Answer.State.FAILED, Answer.Error.INTERRUPTED)


def answers_interrupt_silent() -> int:
    """Mark as interrupted the answers whose process has gone silent; return how many.

    They keep the text that was saved. Called every few seconds by the worker and by readers.
    """
    return Answer.objects.filter(state__in=Answer.GENERATING, saved_at__lt=Now() - SILENCE).update(
        state=Answer.State.FAILED,
        error=Answer.Error.INTERRUPTED,
        finished_at=timezone.now(),
    )
