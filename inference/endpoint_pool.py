"""Which endpoint is asked next: how many requests each has, who waits, and which ones rest.

Lives in one event loop, as plain memory of one process. Knows nothing of HTTP or of the database.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from inference.errors import (
    EndpointBusyError,
    EndpointRestingError,
    EndpointTimeoutError,
    EndpointUnavailableError,
    GenerationError,
)

FAILURES_BEFORE_REST = 5
FIRST_REST_SECONDS = 1.0
# Not above the time between two probes of the registry, which bring an endpoint back to the arena.
LONGEST_REST_SECONDS = 15.0
# A server that says "come back in an hour" is asked again after a minute, by another request.
LONGEST_RETRY_AFTER = 60.0


@dataclass(frozen=True)
class EndpointAddress:
    """Where and how to ask, free of the database. Limits are in seconds.

    `id` is the registry's number, None for an endpoint that is in none; `is_up` is what the
    registry's last probe found. Two rows of the registry are two endpoints, each with its own
    `concurrency`, also where they name the same server.
    """

    base_url: str
    name: str
    dialect: str = "openai"
    api_key_env: str = ""
    concurrency: int = 8
    connect_timeout: float = 5.0
    first_token_timeout: float = 60.0
    between_tokens_timeout: float = 20.0
    total_timeout: float = 300.0
    id: int | None = None
    is_up: bool = True

    @property
    def key(self) -> tuple[int | None, str, str, str, str]:
        """What makes it the same endpoint at the next request, whatever its limits are then."""
        return (self.id, self.base_url, self.name, self.dialect, self.api_key_env)

    def __str__(self) -> str:
        return f"{self.name} at {self.base_url}"


@dataclass
class _State:
    """What is remembered of one endpoint. Times are the event loop's."""

    outstanding: int = 0
    last_asked: int = 0
    failures: int = 0  # in a row
    rests: int = 0  # in a row
    rests_until: float = 0.0
    probing: bool = False
    problem: GenerationError | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether it gets one request at a time, to see if it is back."""
        return self.failures >= FAILURES_BEFORE_REST


class Place:
    """One request's place at an endpoint; `release` gives it back, at the first call only."""

    def __init__(self, pool: EndpointPool, address: EndpointAddress, state: _State) -> None:
        self.address = address
        self._pool = pool
        self._state = state
        self._is_probe = state.is_suspect
        self._is_held = True
        state.outstanding += 1
        state.probing = state.probing or self._is_probe

    def answered(self) -> None:
        """The first token came: an endpoint that was suspected gets more than this request."""
        if self._is_probe:
            self._is_probe = self._state.probing = False
            # One more failure sends it to rest again, and for longer.
            self._state.failures = FAILURES_BEFORE_REST - 1
            self._pool.serve_line()

    def release(self, *, error: GenerationError | None = None, works: bool = False) -> None:
        """Give it back with what was learnt: that it `works`, an `error`, or nothing."""
        if not self._is_held:
            return
        self._is_held = False
        state = self._state
        state.outstanding -= 1
        if self._is_probe:
            state.probing = False
        if works:
            if state.is_suspect:
                state.rests_until = 0.0  # what the server asked for itself (Retry-After) holds on
            state.failures = state.rests = 0
        if isinstance(error, EndpointUnavailableError | EndpointTimeoutError):
            state.failures += 1
        self._pool.rest(state, error)
        self._pool.serve_line()


@dataclass(frozen=True, eq=False)
class _Waiter:
    addresses: Sequence[EndpointAddress]
    tried: Collection[EndpointAddress]
    until: float
    place: asyncio.Future[Place]


class EndpointPool:
    """Gives out places at endpoints: the one with the fewest requests under way comes first.

    When every place is taken, requests wait in line. An endpoint that fails
    FAILURES_BEFORE_REST times in a row rests, each time for longer, up to LONGEST_REST_SECONDS;
    then one request goes there, and when that one is answered so do the others.
    """

    def __init__(self) -> None:
        self._states: dict[object, _State] = {}
        self._line: list[_Waiter] = []
        self._asked = itertools.count(1)

    @property
    def outstanding(self) -> int:
        """Requests under way at all endpoints."""
        return sum(state.outstanding for state in self._states.values())

    @property
    def waiting(self) -> int:
        """Requests in line."""
        return len(self._line)

    def awake(self, addresses: Sequence[EndpointAddress]) -> list[EndpointAddress]:
        """Those that do not rest, nor wait for what becomes of the one request after a rest."""
        now = asyncio.get_running_loop().time()
        return [
            address
            for address in addresses
            if (state := self._state(address)).rests_until <= now
            and not (state.is_suspect and state.probing)
        ]

    async def place(
        self,
        addresses: Sequence[EndpointAddress],
        *,
        tried: Collection[EndpointAddress] = (),
        until: float,
    ) -> Place:
        """A place at one of `addresses`, those not `tried` first; waits until the loop's `until`.

        Raises EndpointBusyError when no place came free in time, and EndpointRestingError when
        all of them rest for longer than that, or were found to be still down.
        """
        if (place := self._free(addresses, tried)) is not None:
            return place
        if self._all_rest_beyond(addresses, until):
            raise self._resting(addresses)
        waiter = _Waiter(addresses, tried, until, asyncio.get_running_loop().create_future())
        self._line.append(waiter)
        try:
            async with asyncio.timeout_at(until):
                return await waiter.place
        except (TimeoutError, asyncio.CancelledError) as error:
            given = waiter.place
            if given.done() and not given.cancelled() and given.exception() is None:
                # It was given in the same moment; nobody else would give it back.
                given.result().release()
            if isinstance(error, TimeoutError):
                names = " and ".join(map(str, addresses))
                raise EndpointBusyError(
                    f"no place came free at {names} within the limit for the first token"
                ) from None
            raise
        finally:
            if waiter in self._line:
                self._line.remove(waiter)

    def rest(self, state: _State, error: GenerationError | None) -> None:
        """Let an endpoint rest where its `error` asks for it, and wake the line after that."""
        loop = asyncio.get_running_loop()
        if error is None:
            return
        seconds = 0.0
        if state.is_suspect and state.rests_until <= loop.time():
            # Many requests that fail together are one reason to rest, not many.
            seconds = min(FIRST_REST_SECONDS * 2 ** min(state.rests, 10), LONGEST_REST_SECONDS)
            state.rests += 1
        if error.retry_after is not None:
            seconds = max(seconds, min(error.retry_after, LONGEST_RETRY_AFTER))
        if seconds and loop.time() + seconds > state.rests_until:
            state.problem = error
            state.rests_until = loop.time() + seconds
            # A moment later: a timer may go off a clock tick too early.
            loop.call_at(state.rests_until + 0.001, self.serve_line)
        if state.is_suspect and state.rests > 1:
            # It had its rest and a request to show that it is back, and failed it.
            for waiter in tuple(self._line):
                if self._all_rest_beyond(waiter.addresses, loop.time()):
                    self._fail(waiter)

    def serve_line(self) -> None:
        """Let those in line go where there is a place now; fail those for whom there is no hope."""
        for waiter in tuple(self._line):
            if waiter.place.done():
                self._line.remove(waiter)
            elif (place := self._free(waiter.addresses, waiter.tried)) is not None:
                self._line.remove(waiter)
                waiter.place.set_result(place)
            elif self._all_rest_beyond(waiter.addresses, waiter.until):
                self._fail(waiter)

    def _fail(self, waiter: _Waiter) -> None:
        self._line.remove(waiter)
        if not waiter.place.done():
            waiter.place.set_exception(self._resting(waiter.addresses))

    def _state(self, address: EndpointAddress) -> _State:
        return self._states.setdefault(address.key, _State())

    def _free(
        self, addresses: Sequence[EndpointAddress], tried: Collection[EndpointAddress]
    ) -> Place | None:
        """A place where there is one now. Those that are up are waited for before others."""
        awake = self.awake(addresses)
        untried = [address for address in awake if address not in tried]
        up = [address for address in untried if address.is_up]
        free = [
            address
            for address in up or untried or awake
            if self._state(address).outstanding < max(1, address.concurrency)
        ]
        if not free:
            return None
        # Among equals the one that was asked longest ago, so that all have their turn.
        address = min(
            free, key=lambda each: (self._state(each).outstanding, self._state(each).last_asked)
        )
        state = self._state(address)
        state.last_asked = next(self._asked)
        return Place(self, address, state)

    def _all_rest_beyond(self, addresses: Sequence[EndpointAddress], until: float) -> bool:
        return all(self._state(address).rests_until > until for address in addresses)

    def _resting(self, addresses: Sequence[EndpointAddress]) -> GenerationError:
        problems = [self._state(address).problem for address in addresses]
        said = "; ".join(
            f"{address} rests after: {problem}"
            for address, problem in zip(addresses, problems, strict=True)
        )
        if any(isinstance(problem, EndpointBusyError) for problem in problems):
            return EndpointBusyError(said)
        return EndpointRestingError(said)
