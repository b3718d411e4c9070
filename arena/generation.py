"""Makes the answers to one turn: reads each side's stream, saves its end, and then tells it.

Lives in the runner's event loop. Knows nothing of other battles, of votes or of HTML.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone

from arena import metrics
from arena.database import in_database
from arena.live import LiveSide, LiveTurn
from arena.models import Answer
from arena.services import answers
from inference import errors
from inference.client import Finish, ModelClient, ReasoningDelta
from inference.dialects import ChatMessage
from inference.endpoint_pool import EndpointAddress
from inference.services import endpoint_report

logger = logging.getLogger(__name__)

FRAME_SECONDS = 0.04
SAVE_ATTEMPTS = 5
# PostgreSQL's text has no NUL, and half a surrogate pair is no character.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Looked up by class, the nearest first.
ERROR_CODES: Mapping[type[BaseException], Answer.Error] = {
    errors.EndpointUnavailableError: Answer.Error.UNAVAILABLE,
    errors.EndpointBusyError: Answer.Error.BUSY,
    errors.EndpointTimeoutError: Answer.Error.TIMEOUT,
    errors.ContextOverflowError: Answer.Error.TOO_LONG,
    errors.RequestRefusedError: Answer.Error.REFUSED,
    errors.EndlessAnswerError: Answer.Error.ENDLESS,
}


@dataclass(frozen=True)
class Generation:
    """One answer to make: where to ask, what, and how."""

    answer_id: int
    side: str
    endpoints: Sequence[EndpointAddress]
    messages: Sequence[ChatMessage]
    sampling: Mapping[str, Any]


@dataclass(frozen=True)
class Work:
    """One turn to generate. `kept` are sides that a retry leaves as they are."""

    battle_id: uuid.UUID
    battle_created_at: datetime
    turn_index: int
    generations: Sequence[Generation]
    kept: Mapping[str, LiveSide]


@dataclass
class _Reading:
    """What is known of one answer besides its text."""

    finish: Finish = field(default_factory=Finish)
    first_token_at: datetime | None = None


class TurnGeneration:
    """The generation of one turn, from the first request to the last end in the database."""

    def __init__(self, work: Work) -> None:
        self.work = work
        sides = {g.side: LiveSide(answer_id=g.answer_id) for g in work.generations}
        self.turn = LiveTurn(
            created_at=work.battle_created_at,
            index=work.turn_index,
            sides=dict(sorted({**work.kept, **sides}.items())),
        )
        self._readings: dict[str, asyncio.Task[None]] = {}
        self._cut_state: Answer.State | None = None
        self._frame_due = False
        self._last_frame = 0.0

    async def run(self, client: ModelClient) -> None:
        """Generate all sides; every one of them ends, and its end is told."""
        try:
            await asyncio.gather(*(self._generate(client, g) for g in self.work.generations))
        finally:
            self.turn.close()

    def cut(self, state: Answer.State) -> None:
        """End the sides that are still being read as `state`, keeping their text."""
        if self._cut_state is None:
            self._cut_state = state
            for task in self._readings.values():
                task.cancel()

    async def _generate(self, client: ModelClient, generation: Generation) -> None:
        reading = _Reading()
        # Reading is a task of its own, so that a cut cancels it and never the saving after it.
        task = asyncio.get_running_loop().create_task(self._read(client, generation, reading))
        self._readings[generation.side] = task
        if self._cut_state is not None:
            task.cancel()
        await asyncio.wait({task})
        state, error, detail = await self._verdict(task, generation, reading)
        side = self.turn.sides[generation.side]
        with self.turn.lock:
            side.state, side.error = state, error
        end = answers.AnswerEnd(
            answer_id=generation.answer_id,
            state=state,
            text=side.text,
            error=error,
            error_detail=detail,
            finish_reason=_UNSTORABLE.sub("\ufffd", reading.finish.reason)[:30],
            prompt_tokens=reading.finish.prompt_tokens,
            completion_tokens=reading.finish.completion_tokens,
            first_token_at=reading.first_token_at,
        )
        stored = await self._save_end(end)
        with self.turn.lock:
            side.state, side.error = stored
        metrics.answers_ended.labels(state=side.state, error=side.error).inc()
        self.turn.announce_end(generation.side)

    async def _read(self, client: ModelClient, generation: Generation, reading: _Reading) -> None:
        asked_at = timezone.now()
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
                self.turn.append(generation.side, _UNSTORABLE.sub("\ufffd", delta.text))
                self._frame_soon()

    async def _verdict(
        self, task: asyncio.Task[None], generation: Generation, reading: _Reading
    ) -> tuple[Answer.State, str, str]:
        """How a reading ended: state, error code, and the operators' detail."""
        if task.cancelled():
            state = self._cut_state or Answer.State.FAILED
            return state, Answer.Error.INTERRUPTED if state == Answer.State.FAILED else "", ""
        problem = task.exception()
        if problem is None:
            await self._report_outages(reading.finish.setbacks, reading.finish.endpoint)
            if self.turn.sides[generation.side].text.strip():
                return Answer.State.COMPLETE, "", ""
            return Answer.State.FAILED, Answer.Error.EMPTY, ""
        error = next(
            (ERROR_CODES[kind] for kind in type(problem).__mro__ if kind in ERROR_CODES),
            Answer.Error.UNAVAILABLE,
        )
        tries: list[BaseException] = [problem]
        if isinstance(problem, errors.GenerationError):
            tries += reversed(problem.setbacks)
        detail = _UNSTORABLE.sub("\ufffd", "; before that ".join(map(_told, tries)))
        logger.warning("answer %s: %s", generation.answer_id, error)
        if isinstance(problem, errors.GenerationError):
            await self._report_outages([*problem.setbacks, problem])
        else:
            logger.error("answer %s: unforeseen", generation.answer_id, exc_info=problem)
        return Answer.State.FAILED, error, detail

    async def _report_outages(
        self, failures: Iterable[errors.GenerationError], works: EndpointAddress | None = None
    ) -> None:
        """Note the endpoints that could serve nobody; not one that then did."""
        kinds = (errors.EndpointUnavailableError, errors.ConnectTimeoutError)
        outages = {
            failure.endpoint: f"{type(failure).__name__}: {failure}"
            for failure in failures
            if isinstance(failure, kinds) and failure.endpoint not in (None, works)
        }
        for endpoint, said in outages.items():
            if endpoint is None or endpoint.id is None:
                continue
            detail = _UNSTORABLE.sub("\ufffd", said)
            try:
                await in_database(endpoint_report, endpoint_id=endpoint.id, problem=detail)
            except DatabaseError:
                # The next probe finds it again; the answer's own end matters more.
                logger.exception("the outage of endpoint %s could not be noted", endpoint.id)

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

    def _frame_soon(self) -> None:
        """Send what is new: at once after a pause, else in step with the frame rate."""
        if self._frame_due:
            return
        loop = asyncio.get_running_loop()
        wait = self._last_frame + FRAME_SECONDS - loop.time()
        if wait <= 0:
            self._frame()
        else:
            self._frame_due = True
            loop.call_later(wait, self._frame)

    def _frame(self) -> None:
        self._frame_due = False
        self._last_frame = asyncio.get_running_loop().time()
        self.turn.flush()


def _told(failure: BaseException) -> str:
    """One failed try in words for operators: what went wrong, and at which endpoint."""
    where = failure.endpoint if isinstance(failure, errors.GenerationError) else None
    return f"{type(failure).__name__}: {failure}" + (f" ({where})" if where else "")
