"""Generates the answers of the battles that this process started, apart from any socket or request.

One thread with an event loop of its own reads both upstream streams of each battle, hands frames
to the readers in this process, and saves the partial text of all battles once a second in one
UPDATE. Tokens never travel through a channel layer (docs/decisions/0003-streaming.md). Knows
nothing of votes, ratings or HTML.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import uuid
from collections.abc import Collection
from concurrent.futures import Future

from django.conf import settings
from django.db import DatabaseError

from arena.database import in_database
from arena.generation import TurnGeneration, Work
from arena.live import LiveTurn
from arena.models import Answer
from arena.services import answers
from inference.client import ModelClient
from inference.selectors import network_guard

logger = logging.getLogger(__name__)

SAVE_SECONDS = 1.0


class Runner:
    """The battles that are being generated in this process."""

    def __init__(self) -> None:
        self._start_lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: ModelClient | None = None
        # The newest generation of each battle, and the tasks of all of them.
        self._newest: dict[uuid.UUID, TurnGeneration] = {}
        self._tasks: dict[asyncio.Task[None], TurnGeneration] = {}

    # --- for other threads -----------------------------------------------------------------------

    def start(self, work: Work) -> None:
        """Begin to generate; returns when readers can subscribe."""
        generation = TurnGeneration(work)
        self._newest[work.battle_id] = generation
        loop = self._running_loop()
        # A fresh context: with that of a request, each task would keep its database connection.
        loop.call_soon_threadsafe(self._begin, generation, context=contextvars.Context())

    def live(self, battle_id: uuid.UUID) -> LiveTurn | None:
        """The turn that this process is generating for a battle, if it is."""
        generation = self._newest.get(battle_id)
        return generation.turn if generation else None

    def stop(self, battle_id: uuid.UUID, *, answer_ids: Collection[int]) -> None:
        """End these answers as `stopped`, keeping their text; later attempts go on."""
        generation = self._newest.get(battle_id)
        if self._loop is None or generation is None:
            return
        if any(side.answer_id in answer_ids for side in generation.turn.sides.values()):
            self._loop.call_soon_threadsafe(generation.cut, Answer.State.STOPPED)

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
                threading.Thread(
                    target=self._run, args=(self._loop,), name="arena-runner", daemon=True
                ).start()
            return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        self._client = ModelClient(guard=network_guard())
        saver = loop.create_task(self._save_forever())
        loop.run_forever()
        saver.cancel()
        loop.run_until_complete(asyncio.gather(saver, return_exceptions=True))
        loop.run_until_complete(self._client.aclose())
        loop.close()

    def _begin(self, generation: TurnGeneration) -> None:
        assert self._client is not None  # noqa: S101
        task = asyncio.get_running_loop().create_task(generation.run(self._client))
        self._tasks[task] = generation
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        generation = self._tasks.pop(task)
        battle_id = generation.work.battle_id
        if self._newest.get(battle_id) is generation:
            del self._newest[battle_id]
        if problem := task.exception():
            logger.error("battle %s: generation broke", battle_id, exc_info=problem)

    async def _save_forever(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self._save()
            except DatabaseError:
                # The text stays in memory and goes out with the next second's save.
                logger.exception("partial answers could not be saved yet")

    async def _save(self) -> None:
        """Save all partial text, and do what was asked of these battles in the database."""
        unsaved = {
            side.answer_id: (generation, side)
            for generation in self._tasks.values()
            for side in generation.turn.sides.values()
            if not side.announced
        }
        if not unsaved:
            return
        controls = await in_database(
            answers.answers_save_partial,
            partial=[
                answers.PartialAnswer(id_, side.text, side.leak)
                for id_, (_, side) in unsaved.items()
            ],
        )
        for answer_id, (generation, side) in unsaved.items():
            control = controls.get(answer_id)
            if side.ended:
                continue
            if control is None:
                # It was ended behind our back, as silent: nobody will be shown what follows.
                generation.cut(Answer.State.FAILED)
            elif control.stop_requested:
                generation.cut(Answer.State.STOPPED)
            elif (
                min(generation.turn.unwatched_for(), control.unwatched_seconds)
                > settings.ARENA_ORPHAN_SECONDS
            ):
                generation.cut(Answer.State.ABANDONED)

    async def _close(self) -> None:
        for generation in self._tasks.values():
            generation.cut(Answer.State.FAILED)
        await asyncio.gather(*self._tasks, return_exceptions=True)


runner = Runner()
