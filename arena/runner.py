"""Generates the answers of the battles that this process started, apart from any socket or request.

One thread with an event loop of its own reads both upstream streams of each battle, hands frames
to the readers in this process, and saves the partial text of all battles once a second in one
UPDATE. Tokens never travel through a channel layer (docs/decisions/0003-streaming.md). Knows
nothing of votes, ratings or HTML.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from arena.database import in_database
from arena.live import LiveSide, LiveTurn
from arena.models import Answer
from arena.services import answers
from inference import errors
from inference.client import EndpointAddress, Finish, chat_client, stream_chat
from inference.dialects import ChatMessage
from inference.services import endpoint_report

logger = logging.getLogger(__name__)

FRAME_SECONDS = 0.04
SAVE_SECONDS = 1.0
SAVE_ATTEMPTS = 5
TURN_TASK = "arena-turn"
# PostgreSQL's text has no NUL, and half a surrogate pair is no character.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Looked up by class, the nearest first.
_ERRORS: dict[type[BaseException], Answer.Error] = {
    errors.EndpointUnavailableError: Answer.Error.UNAVAILABLE,
    errors.EndpointBusyError: Answer.Error.BUSY,
    errors.EndpointTimeoutError: Answer.Error.TIMEOUT,
    errors.ContextOverflowError: Answer.Error.TOO_LONG,
    errors.RequestRefusedError: Answer.Error.REFUSED,
    errors.EndlessAnswerError: Answer.Error.ENDLESS,
    TimeoutError: Answer.Error.TIMEOUT,
}


@dataclass(frozen=True)
class Generation:
    """One answer to make: where to ask, what, and how."""

    answer_id: int
    side: str
    endpoint_id: int
    endpoint: EndpointAddress
    messages: Sequence[ChatMessage]
    sampling: Mapping[str, Any]


@dataclass(frozen=True)
class Work:
    """One turn to generate. `kept` are sides that a retry leaves as they are."""

    battle_id: uuid.UUID
    turn_index: int
    first_seq: int
    generations: Sequence[Generation]
    kept: Mapping[str, LiveSide]


@dataclass
class _Reading:
    """What is known of one answer besides its text."""

    state: Answer.State
    error: str = ""
    detail: str = ""
    finish: Finish = field(default_factory=lambda: Finish(""))
    first_token_at: datetime | None = None


def _error_code(problem: BaseException) -> str:
    for kind in type(problem).__mro__:
        if kind in _ERRORS:
            return _ERRORS[kind]
    return Answer.Error.UNAVAILABLE


class Runner:
    """The battles that are being generated in this process."""

    def __init__(self) -> None:
        self._start_lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._live: dict[uuid.UUID, LiveTurn] = {}
        self._reading: dict[uuid.UUID, dict[str, asyncio.Task[None]]] = {}
        self._client: httpx.AsyncClient | None = None
        self._frames: set[uuid.UUID] = set()
        self._last_frame: dict[uuid.UUID, float] = {}

    # --- for other threads -----------------------------------------------------------------------

    def start(self, work: Work) -> None:
        """Begin to generate; returns when readers can subscribe."""
        sides = {g.side: LiveSide(answer_id=g.answer_id) for g in work.generations}
        turn = LiveTurn(
            battle_id=work.battle_id,
            index=work.turn_index,
            sides=dict(sorted({**work.kept, **sides}.items())),
            seq=work.first_seq,
        )
        self._live[work.battle_id] = turn
        loop = self._running_loop()
        loop.call_soon_threadsafe(
            lambda: loop.create_task(self._generate_turn(turn, work), name=TURN_TASK)
        )

    def live(self, battle_id: uuid.UUID) -> LiveTurn | None:
        """The turn that this process is generating for a battle, if it is."""
        return self._live.get(battle_id)

    def stop(self, battle_id: uuid.UUID) -> None:
        """End what is still being generated for a battle as `stopped`, keeping the text."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel, battle_id, "stopped")

    def close(self) -> None:
        """End everything as interrupted, save it, and end the thread: the process is going."""
        loop = self._loop
        if loop is None:
            return
        done: Future[None] = asyncio.run_coroutine_threadsafe(self._close(), loop)
        done.result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        self._loop = None

    # --- in the runner's thread ------------------------------------------------------------------

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._start_lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._run, name="arena-runner", daemon=True).start()
            return self._loop

    def _run(self) -> None:
        loop = self._loop
        assert loop is not None  # noqa: S101
        asyncio.set_event_loop(loop)
        self._client = chat_client()
        saver = loop.create_task(self._save_forever())
        loop.run_forever()
        saver.cancel()
        loop.run_until_complete(asyncio.gather(saver, return_exceptions=True))
        loop.run_until_complete(self._client.aclose())
        loop.close()

    async def _generate_turn(self, turn: LiveTurn, work: Work) -> None:
        results = await asyncio.gather(
            *(self._generate(turn, generation) for generation in work.generations),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                logger.error("battle %s: generation broke", turn.battle_id, exc_info=result)
        if self._live.get(turn.battle_id) is turn:
            del self._live[turn.battle_id]
            self._reading.pop(turn.battle_id, None)
        self._last_frame.pop(turn.battle_id, None)
        turn.close()

    async def _generate(self, turn: LiveTurn, generation: Generation) -> None:
        """One answer from the first byte to its last state in the database."""
        reading = _Reading(state=Answer.State.COMPLETE)
        # Reading is a task of its own, so that a stop cancels it and never the saving after it.
        task = asyncio.get_running_loop().create_task(self._read(turn, generation, reading))
        self._reading.setdefault(turn.battle_id, {})[generation.side] = task
        await asyncio.wait({task})
        side = turn.sides[generation.side]
        if task.cancelled():
            reading.state = Answer.State(turn.cancel_state)
            if reading.state == Answer.State.FAILED:
                reading.error = Answer.Error.INTERRUPTED
        elif problem := task.exception():
            reading.state = Answer.State.FAILED
            reading.error = _error_code(problem)
            reading.detail = _UNSTORABLE.sub("\ufffd", f"{type(problem).__name__}: {problem}")
            logger.warning("answer %s: %s", generation.answer_id, reading.error)
            if not isinstance(problem, (errors.GenerationError, TimeoutError)):
                logger.error("answer %s: unforeseen", generation.answer_id, exc_info=problem)
            if isinstance(problem, errors.EndpointUnavailableError):
                await self._report_outage(generation.endpoint_id, reading.detail)
        elif not side.text.strip():
            reading.state, reading.error = Answer.State.FAILED, Answer.Error.EMPTY
        with turn.lock:
            side.state, side.error = reading.state, reading.error
        await self._save_end(
            answers.AnswerEnd(
                answer_id=generation.answer_id,
                state=reading.state,
                text=side.text,
                error=reading.error,
                error_detail=reading.detail,
                finish_reason=reading.finish.reason[:30],
                prompt_tokens=reading.finish.prompt_tokens,
                completion_tokens=reading.finish.completion_tokens,
                first_token_at=reading.first_token_at,
            )
        )
        turn.announce_end(generation.side)

    async def _read(self, turn: LiveTurn, generation: Generation, reading: _Reading) -> None:
        assert self._client is not None  # noqa: S101
        async with asyncio.timeout(generation.endpoint.total_timeout):
            stream = stream_chat(
                client=self._client,
                endpoint=generation.endpoint,
                messages=generation.messages,
                sampling=generation.sampling,
            )
            # Closed here and now, so that a stop gives the upstream connection back at once.
            async with aclosing(stream):
                async for piece in stream:
                    if isinstance(piece, Finish):
                        reading.finish = piece
                        continue
                    reading.first_token_at = reading.first_token_at or timezone.now()
                    turn.append(generation.side, _UNSTORABLE.sub("\ufffd", piece))
                    self._frame_soon(turn)

    async def _report_outage(self, endpoint_id: int, detail: str) -> None:
        try:
            await in_database(endpoint_report, endpoint_id=endpoint_id, problem=detail)
        except DatabaseError:
            # The next probe finds it again; the answer's own end matters more.
            logger.exception("the outage of endpoint %s could not be noted", endpoint_id)

    async def _save_end(self, end: answers.AnswerEnd) -> None:
        for attempt in range(SAVE_ATTEMPTS):
            try:
                await in_database(answers.answer_end, end=end)
            except DatabaseError:
                logger.exception("answer %s could not be saved yet", end.answer_id)
                await asyncio.sleep(2**attempt)
            else:
                return
        logger.error("answer %s was lost; it will be shown as interrupted", end.answer_id)

    def _frame_soon(self, turn: LiveTurn) -> None:
        """Send what is new: at once after a pause, else in step with the frame rate."""
        if turn.battle_id in self._frames:
            return
        loop = asyncio.get_running_loop()
        wait = self._last_frame.get(turn.battle_id, 0.0) + FRAME_SECONDS - loop.time()
        if wait <= 0:
            self._frame(turn)
        else:
            self._frames.add(turn.battle_id)
            loop.call_later(wait, self._frame, turn)

    def _frame(self, turn: LiveTurn) -> None:
        self._frames.discard(turn.battle_id)
        if turn.closed:
            return
        self._last_frame[turn.battle_id] = asyncio.get_running_loop().time()
        turn.flush()

    def _cancel(self, battle_id: uuid.UUID, state: str) -> None:
        turn = self._live.get(battle_id)
        if turn is None:
            return
        turn.cancel_state = state
        for task in self._reading.get(battle_id, {}).values():
            task.cancel()

    async def _save_forever(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self._save()
            except DatabaseError:
                # The text stays in memory and goes out with the next second's save.
                logger.exception("partial answers could not be saved yet")

    async def _save(self) -> None:
        partial = [
            answers.PartialAnswer(side.answer_id, side.text)
            for turn in list(self._live.values())
            for side in turn.sides.values()
            if not side.ended
        ]
        if not partial:
            return
        controls = await in_database(answers.answers_save_partial, partial=partial)
        now = timezone.now()
        for battle_id, control in controls.items():
            live = self._live.get(battle_id)
            if control.stop_requested:
                self._cancel(battle_id, Answer.State.STOPPED)
            elif live is not None:
                elsewhere = (now - control.watched_at).total_seconds()
                if min(live.unwatched_for(), elsewhere) > settings.ARENA_ORPHAN_SECONDS:
                    self._cancel(battle_id, Answer.State.ABANDONED)

    async def _close(self) -> None:
        turns = [task for task in asyncio.all_tasks() if task.get_name() == TURN_TASK]
        for battle_id in list(self._live):
            self._cancel(battle_id, Answer.State.FAILED)
        await asyncio.gather(*turns, return_exceptions=True)


runner = Runner()
