"""The requests under way, how each one ends, and whether new ones are taken.

It knows tasks and connections; it knows neither what is computed nor signals.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from inference.server.api_error import ApiError

LAST_WORDS_SECONDS = 1.0
"""For what was broken off to tell its client, who may not be reading."""
_RETRY_SECONDS = 5


class Traffic:
    """All exchanges of one service, so that a drain can wait for them and end them."""

    def __init__(self) -> None:
        self.draining = False
        self._under_way: set[Exchange] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def check_open(self) -> None:
        """Raises ApiError 503 once the service is shutting down."""
        if self.draining:
            raise _shutting_down()

    def begin(self, exchange: Exchange) -> None:
        """Count it among those under way."""
        self._under_way.add(exchange)
        self._idle.clear()

    def end(self, exchange: Exchange) -> None:
        """Count it no longer."""
        self._under_way.discard(exchange)
        if not self._under_way:
            self._idle.set()

    async def wait_idle(self, seconds: float) -> bool:
        """Whether the last exchange ended before `seconds` had passed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)
        return self._idle.is_set()

    def break_off(self) -> None:
        """End what is under way: each client is told that the service is shutting down."""
        for exchange in list(self._under_way):
            exchange.break_off(_shutting_down())


class Exchange(Response, ABC):
    """The answer to one request, written by one task.

    The task is cancelled, whatever it is waiting for, when the client hangs up, when it lasts
    longer than `seconds`, and when the service breaks it off.
    """

    def __init__(self, traffic: Traffic, *, seconds: float) -> None:
        super().__init__()
        self.broken_off: ApiError | None = None
        """Why the service itself ended the exchange; None while it goes on or the client left."""
        self._traffic = traffic
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None
        self.begun = False
        """Whether something was sent, so that an error can no longer have a status of its own."""

    @abstractmethod
    async def answer(self, send: Send) -> None:
        """Write the answer. An ApiError raised before the first write becomes the answer."""

    def break_off(self, error: ApiError) -> None:
        """End the exchange with `error` for the client."""
        self.broken_off = self.broken_off or error
        if self._task is not None:
            self._task.cancel()
            asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, self._task.cancel)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope

        async def sending(message: Message) -> None:
            self.begun = True
            await send(message)

        task = self._task = asyncio.create_task(self.answer(sending))
        gone = asyncio.create_task(_hung_up(receive))
        limit = ApiError(504, f"no answer within {self._seconds:g} s", code="time_limit")
        clock = asyncio.get_running_loop().call_later(self._seconds, self.break_off, limit)
        self._traffic.begin(self)
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            clock.cancel()
            gone.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            self._traffic.end(self)
        if not task.cancelled():
            task.result()
        elif self.broken_off is not None and not self.begun:
            raise self.broken_off


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _shutting_down() -> ApiError:
    return ApiError(
        503, "the service is shutting down", code="shutting_down", retry_after=_RETRY_SECONDS
    )
