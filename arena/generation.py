"""Makes the answers to one turn: reads each side's stream, saves its end, and then tells it.

Lives in the runner's event loop. Knows nothing of other battles, of votes or of HTML.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone

from arena import metrics
from arena.database import in_database
from arena.failures import failure_code, failure_detail, outages_report, storable
from arena.gold import Spoiler
from arena.live import LiveSide, LiveTurn
from arena.models import Answer
from arena.pacing import Pacing
from arena.reveal import AsItComes, Paced, Reveal
from arena.self_identification import Detector
from arena.services import answers, moderation
from inference.client import Finish, ModelClient, ReasoningDelta
from inference.dialects import ChatMessage
from inference.endpoint_pool import EndpointAddress
from inference.errors import GenerationError

logger = logging.getLogger(__name__)

SAVE_ATTEMPTS = 5
KEPT = (Answer.State.COMPLETE, Answer.State.STOPPED)


@dataclass(frozen=True)
class Generation:
    """One answer to make: where to ask, what, and how; `is_gold` for one to spoil on purpose."""

    answer_id: int
    side: str
    endpoints: Sequence[EndpointAddress]
    messages: Sequence[ChatMessage]
    sampling: Mapping[str, Any]
    is_gold: bool = False


@dataclass(frozen=True)
class Work:
    """One turn to generate. `kept` are sides that a retry leaves as they are.

    `pacing` is how fast the answers are shown, None as they come; `detector` finds assistants that
    name themselves, None looks for nothing.
    """

    battle_id: uuid.UUID
    battle_created_at: datetime
    turn_index: int
    generations: Sequence[Generation]
    kept: Mapping[str, LiveSide]
    pacing: Pacing | None = None
    detector: Detector | None = None


@dataclass
class _Reading:
    """What is known of one answer besides what is shown of it."""

    finish: Finish = field(default_factory=Finish)
    first_token_at: datetime | None = None
    has_words: bool = False


class TurnGeneration:
    """The generation of one turn, from the first request to the last end in the database."""

    def __init__(self, work: Work) -> None:
        self.work = work
        sides = {
            generation.side: LiveSide(
                answer_id=generation.answer_id,
                scanner=work.detector.scanner() if work.detector else None,
            )
            for generation in work.generations
        }
        self.turn = LiveTurn(
            created_at=work.battle_created_at,
            index=work.turn_index,
            sides=dict(sorted({**work.kept, **sides}.items())),
        )
        self._reveal: Reveal = (
            Paced(self.turn, work.pacing, sides) if work.pacing else AsItComes(self.turn)
        )
        self._readings: dict[str, asyncio.Task[None]] = {}
        self._cut_state: Answer.State | None = None

    async def run(self, client: ModelClient) -> None:
        """Generate all sides; every one of them ends, and its end is told."""
        showing = asyncio.get_running_loop().create_task(self._reveal.run())
        try:
            await asyncio.gather(*(self._generate(client, g) for g in self.work.generations))
        finally:
            showing.cancel()
            self.turn.close()

    def cut(self, state: Answer.State) -> None:
        """End the sides that are not yet shown to their end as `state`, with what was shown."""
        if self._cut_state is None:
            self._cut_state = state
            self._reveal.cut()
            for task in self._readings.values():
                task.cancel()

    async def _generate(self, client: ModelClient, generation: Generation) -> None:
        name = generation.side
        reading = _Reading()
        # Reading is a task of its own, so that a cut cancels it and never the saving after it.
        task = asyncio.get_running_loop().create_task(self._read(client, generation, reading))
        self._readings[name] = task
        if self._cut_state is not None:
            task.cancel()
        await asyncio.wait({task})
        self._reveal.end(name)
        state, error, detail = await self._verdict(task, generation, reading)
        await self._reveal.until_over(name)
        finish_reason = reading.finish.reason
        if not self._reveal.is_over(name):
            # Whatever became of the rest, nobody has seen it.
            state, error = self._ended_early()
            finish_reason = ""
        side = self.turn.sides[name]
        self.turn.finish(name)
        with self.turn.lock:
            side.state, side.error = state, error
        text = side.text
        if state in KEPT and await self._is_blocked(generation.answer_id, text):
            state, error = Answer.State.FAILED, Answer.Error.MODERATED
        end = answers.AnswerEnd(
            answer_id=generation.answer_id,
            state=state,
            text=text,
            error=error,
            error_detail=detail,
            finish_reason=storable(finish_reason)[:30],
            prompt_tokens=reading.finish.prompt_tokens,
            completion_tokens=reading.finish.completion_tokens,
            first_token_at=reading.first_token_at,
            leak=side.leak,
        )
        stored = await self._save_end(end)
        if error == Answer.Error.MODERATED:
            self.turn.withhold(name)
        with self.turn.lock:
            side.state, side.error = stored
        metrics.answers_ended.labels(state=side.state, error=side.error).inc()
        self.turn.announce_end(name)

    async def _read(self, client: ModelClient, generation: Generation, reading: _Reading) -> None:
        asked_at = timezone.now()
        spoiler = Spoiler(seed=generation.answer_id) if generation.is_gold else None
        stream = client.stream(
            endpoints=generation.endpoints,
            messages=generation.messages,
            sampling=generation.sampling,
        )
        # Closed here and now, so that a cut gives the upstream connection back at once.
        async with aclosing(stream):
            async for delta in stream:
                if isinstance(delta, Finish):
                    reading.finish = delta
                    continue
                if isinstance(delta, ReasoningDelta):
                    continue
                if reading.first_token_at is None:
                    reading.first_token_at = timezone.now()
                    waited = reading.first_token_at - asked_at
                    metrics.first_token_seconds.observe(waited.total_seconds())
                text = storable(delta.text)
                self._show(generation, reading, spoiler.feed(text) if spoiler else text)
        if spoiler:
            self._show(generation, reading, spoiler.finish())

    def _show(self, generation: Generation, reading: _Reading, text: str) -> None:
        if text:
            reading.has_words = reading.has_words or bool(text.strip())
            self._reveal.add(generation.side, text)

    async def _verdict(
        self, task: asyncio.Task[None], generation: Generation, reading: _Reading
    ) -> tuple[Answer.State, str, str]:
        """How a reading ended: state, error code, and the operators' detail."""
        if task.cancelled():
            return *self._ended_early(), ""
        problem = task.exception()
        if problem is None:
            finish = reading.finish
            await outages_report(finish.setbacks, works=finish.endpoint)
            if reading.has_words:
                return Answer.State.COMPLETE, "", ""
            return Answer.State.FAILED, Answer.Error.EMPTY, ""
        error = failure_code(problem)
        logger.warning("answer %s: %s", generation.answer_id, error)
        if isinstance(problem, GenerationError):
            await outages_report([*problem.setbacks, problem])
        else:
            logger.error("answer %s: unforeseen", generation.answer_id, exc_info=problem)
        return Answer.State.FAILED, error, failure_detail(problem)

    def _ended_early(self) -> tuple[Answer.State, str]:
        """State and error of an answer that was cut, or that could not be shown."""
        state = self._cut_state or Answer.State.FAILED
        return state, Answer.Error.INTERRUPTED if state == Answer.State.FAILED else ""

    async def _is_blocked(self, answer_id: int, text: str) -> bool:
        try:
            return await moderation.aanswer_moderate(answer_id=answer_id, text=text)
        except Exception:
            # As for a moderator that cannot be reached: the answer must come to an end.
            logger.exception("answer %s could not be moderated", answer_id)
            return False

    async def _save_end(self, end: answers.AnswerEnd) -> tuple[str, str]:
        """Save an end; the state and error that the answer has in the database then.

        What cannot be saved is told as interrupted: nobody may be asked to vote on it.
        """
        for attempt in range(SAVE_ATTEMPTS):
            try:
                return await in_database(answers.answer_end, end=end)
            except (OperationalError, InterfaceError):
                logger.exception("answer %s could not be saved yet", end.answer_id)
                await asyncio.sleep(2**attempt)
            except DatabaseError:
                logger.exception("answer %s cannot be saved", end.answer_id)
                break
        return Answer.State.FAILED, Answer.Error.INTERRUPTED
