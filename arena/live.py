"""The text of one turn while it is being generated, and who reads it.

Thread-safe: the runner's thread writes, the event loops of sockets and requests read. Knows nothing
of the database and of where tokens come from.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from arena import events
from arena.events import Event
from arena.self_identification import Leak, Scanner

# A reader this many events behind is closed: 256 frames are ten seconds of text.
READER_BACKLOG = 256


class Reader:
    """One subscriber: events in order, then None; `lagged` when it was too slow for them."""

    def __init__(self) -> None:
        self.lagged = False
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()

    async def get(self) -> Event | None:
        return await self._queue.get()

    def put(self, event: Event | None) -> None:
        """Called from the runner's thread."""
        try:
            self._loop.call_soon_threadsafe(self._put, event)
        except RuntimeError:
            # The reader's loop is closed: its process is ending, and so is its subscription.
            self.lagged = True

    def _put(self, event: Event | None) -> None:
        if self.lagged:
            return
        if event is not None and self._queue.qsize() >= READER_BACKLOG:
            self.lagged = True
            event = None
        self._queue.put_nowait(event)


@dataclass
class LiveSide:
    """One answer in the making; `text` is what may be shown of it."""

    answer_id: int
    state: str = "pending"
    text: str = ""
    error: str = ""
    leak: str = ""  # words by which the assistant named itself
    scanner: Scanner | None = None
    sent: int = 0  # characters that readers have
    announced: bool = False  # whether readers know that it has ended

    @property
    def ended(self) -> bool:
        return self.state not in {"pending", "streaming"}


@dataclass
class LiveTurn:
    """Both sides of a turn while they are being generated; `created_at` is the battle's."""

    created_at: datetime
    index: int
    sides: dict[str, LiveSide]
    seq: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    readers: set[Reader] = field(default_factory=set)
    watched_at: float = field(default_factory=time.monotonic)
    # seq -> characters of each side that a reader of that event has
    _sent_at: dict[int, dict[str, int]] = field(default_factory=dict)
    closed: bool = False

    def __post_init__(self) -> None:
        self.seq = seq_now(self.created_at)

    @property
    def answer_ids(self) -> set[int]:
        return {side.answer_id for side in self.sides.values()}

    def append(self, side: str, text: str) -> None:
        """Add text to a side; `flush` sends it."""
        with self.lock:
            self.sides[side].text += text
            self.sides[side].state = "streaming"

    def flush(self) -> None:
        """Send one frame with what is new on either side."""
        with self.lock:
            self._flush()

    def _flush(self) -> None:
        new = {}
        for name, side in self.sides.items():
            text = side.text[side.sent :]
            if not text:
                continue
            if side.scanner is not None and not side.leak:
                _note(side, side.scanner.feed(text))
            new[name] = events.piece(offset=side.sent, text=text, leak=bool(side.leak))
            side.sent = len(side.text)
        if new:
            self._publish(events.delta(seq=self._next_seq(), turn=self.index, sides=new))

    def finish(self, side: str) -> None:
        """No more text comes: send what is new, and look for a leak that only shows at the end."""
        with self.lock:
            self._flush()
            state = self.sides[side]
            if state.scanner is not None and not state.leak:
                _note(state, state.scanner.finish())
            state.scanner = None

    def withhold(self, side: str) -> None:
        """Give a side's text to nobody from now on; who has it is told with its end."""
        with self.lock:
            self.sides[side].text = ""
            self.sides[side].sent = 0

    def announce_end(self, side: str) -> None:
        """Tell readers that a side has ended; its last state must be in the database by now."""
        with self.lock:
            self._flush()
            self.sides[side].announced = True
            self._publish(self._ended_event(side, self._next_seq()))

    def close(self) -> None:
        """No more events: readers are told, and new ones are not taken."""
        with self.lock:
            self.closed = True
            for reader in self.readers:
                reader.put(None)
            self.readers.clear()

    def subscribe(self, *, after: int | None) -> tuple[list[Event], Reader] | None:
        """What the reader has to know now, and the reader that gets the rest; None when closed.

        With `after`, the seq of the last event seen, one delta makes up for what was missed;
        where that event is unknown, and without it, the first event is a snapshot.
        """
        with self.lock:
            if self.closed:
                return None
            # Text that waits for the next frame goes out first, so all readers are level.
            self._flush()
            first: list[Event]
            have = self._sent_at.get(after) if after is not None else None
            if have is None:
                first = [self._snapshot()]
            else:
                missed = {
                    name: events.piece(
                        offset=have[name], text=side.text[have[name] :], leak=bool(side.leak)
                    )
                    for name, side in self.sides.items()
                    if side.sent > have[name]
                }
                first = (
                    [events.delta(seq=self.seq, turn=self.index, sides=missed)] if missed else []
                )
            first += [
                self._ended_event(name, self._next_seq())
                for name, side in self.sides.items()
                if side.announced
            ]
            reader = Reader()
            self.readers.add(reader)
            self.watched_at = time.monotonic()
            return first, reader

    def unsubscribe(self, reader: Reader) -> None:
        with self.lock:
            self.readers.discard(reader)
            self.watched_at = time.monotonic()

    def touch(self) -> None:
        """Somebody looked, without subscribing."""
        self.watched_at = time.monotonic()

    def unwatched_for(self) -> float:
        """Seconds since anybody watched; 0 while somebody does."""
        return 0.0 if self.readers else time.monotonic() - self.watched_at

    def view(self) -> dict[str, dict[str, Any]]:
        """State, text, error and leak (a bool) of each side as they are now."""
        with self.lock:
            return {
                name: {
                    "state": self._told(side),
                    "text": side.text,
                    "error": side.error if side.announced else "",
                    "leak": bool(side.leak),
                }
                for name, side in self.sides.items()
            }

    def _told(self, side: LiveSide) -> str:
        # An end is told once it is saved: who hears "complete" may vote at once.
        return "streaming" if side.ended and not side.announced else side.state

    def _snapshot(self) -> Event:
        sides = {
            name: events.side_now(
                text=side.text,
                state=self._told(side),
                error=events.error_view(side.error) if side.announced else None,
                leak=bool(side.leak),
            )
            for name, side in self.sides.items()
        }
        self._sent_at[self.seq] = {name: side.sent for name, side in self.sides.items()}
        return events.snapshot(
            seq=self.seq, turn=self.index, state=self._battle_state(), sides=sides
        )

    def _ended_event(self, name: str, seq: int) -> Event:
        side = self.sides[name]
        return events.answer_ended(
            seq=seq,
            turn=self.index,
            side=name,
            state=side.state,
            error=side.error,
            length=len(side.text),
            leak=bool(side.leak),
            battle_state=self._battle_state(),
        )

    def _battle_state(self) -> str:
        return battle_state({n: (self._told(s), bool(s.text)) for n, s in self.sides.items()})

    def _next_seq(self) -> int:
        self.seq = max(self.seq + 1, seq_now(self.created_at))
        self._sent_at[self.seq] = {name: side.sent for name, side in self.sides.items()}
        return self.seq

    def _publish(self, event: Event) -> None:
        for reader in self.readers:
            reader.put(event)


def _note(side: LiveSide, leak: Leak | None) -> None:
    if leak is not None:
        side.leak = leak.words


def seq_now(created_at: datetime, *, at: datetime | None = None) -> int:
    """The number of an event that happens now, or `at`: the battle's age in milliseconds.

    An event at the same moment as another gets the next number. So numbers only grow, over retries
    and restarts too; whether text is missing between two events is told by `offset`.
    """
    return int(((at or timezone.now()) - created_at).total_seconds() * 1000)


def battle_state(sides: Mapping[str, tuple[str, bool]]) -> str:
    """A battle's state from (answer state, has text) of each side, before any vote.

    A stopped answer without a word cannot be judged, so it makes the battle a failed one.
    """
    states = {state for state, _ in sides.values()}
    if states & {"pending", "streaming"}:
        return "generating"
    if all(state == "complete" or (state == "stopped" and text) for state, text in sides.values()):
        return "votable"
    if "failed" in states or "stopped" in states:
        return "failed"
    return "abandoned"
