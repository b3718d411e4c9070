"""Several moderators as one: all judge a text at once, and one that fails is named, not feared.

Runs on an event loop and a thread of its own, so that a slow moderator takes nobody's thread but
the asker's. Knows no policy, no database and no Django.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.moderation.interface import (
    Failure,
    Moderator,
    ModeratorUnavailableError,
    category_fault,
    score_fault,
)

# How long a text may be kept waiting for all of its moderators.
SECONDS = 6.0


@dataclass(frozen=True)
class Score:
    """One moderator's word on one category, 0 to 1; `moderator` is name and version."""

    moderator: str
    category: str
    score: float


@dataclass(frozen=True)
class Judgement:
    """What was said of a text, and by whom nothing could be said."""

    scores: tuple[Score, ...] = ()
    failures: tuple[tuple[str, ModeratorUnavailableError], ...] = ()


class Bench:
    """The moderators in force. One per process; safe to ask from any thread or event loop."""

    def __init__(self, moderators: Sequence[Moderator]) -> None:
        self._moderators = tuple(moderators)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __bool__(self) -> bool:
        return bool(self._moderators)

    def judge(self, text: str) -> Judgement:
        """Wait for every moderator, at most SECONDS. Not for an event loop: see `ajudge`."""
        if not self._moderators:
            return Judgement()
        return asyncio.run_coroutine_threadsafe(self._judge(text), self._running_loop()).result()

    async def ajudge(self, text: str) -> Judgement:
        """The same without holding a thread."""
        if not self._moderators:
            return Judgement()
        future = asyncio.run_coroutine_threadsafe(self._judge(text), self._running_loop())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Close the moderators' connections and end the thread; asked again, it begins anew."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)

    async def _close(self) -> None:
        for moderator in self._moderators:
            await moderator.aclose()

    async def _judge(self, text: str) -> Judgement:
        said = await asyncio.gather(*(self._ask(moderator, text) for moderator in self._moderators))
        scores: list[Score] = []
        failures: list[tuple[str, ModeratorUnavailableError]] = []
        for moderator, answer in zip(self._moderators, said, strict=True):
            name = f"{moderator.name}/{moderator.version}"
            if isinstance(answer, ModeratorUnavailableError):
                failures.append((name, answer))
                answer = answer.scores
            scores += [Score(name, category, score) for category, score in answer.items()]
        return Judgement(tuple(scores), tuple(failures))

    @staticmethod
    async def _ask(
        moderator: Moderator, text: str
    ) -> Mapping[str, float] | ModeratorUnavailableError:
        try:
            async with asyncio.timeout(SECONDS):
                scores = await moderator.scores(text)
        except ModeratorUnavailableError as error:
            return error
        except TimeoutError:
            return ModeratorUnavailableError(Failure.TIMEOUT, f"nothing within {SECONDS:.0f} s")
        except Exception as error:  # noqa: BLE001 - whatever breaks a moderator, the arena goes on
            # Only its kind: the words of an unforeseen error may quote the text.
            return ModeratorUnavailableError(Failure.BROKEN, type(error).__name__)
        for category, score in scores.items():
            if fault := category_fault(category) or score_fault(score):
                return ModeratorUnavailableError(Failure.MALFORMED, fault)
        return scores

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_run, args=(self._loop,), name="arena-moderation", daemon=True
                ).start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
