"""A battle's events for one reader, whichever process generates it.

In the generating process they come from memory as they happen; elsewhere from the saved text, which
is looked at twice a second. Sockets and SSE both read this. Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence

from arena import events, metrics, selectors
from arena.blinding import BattleView, TurnView
from arena.database import in_database
from arena.events import Event
from arena.live import LiveTurn, Reader, seq_now
from arena.runner import runner
from arena.services.answers import answers_interrupt_silent

FOLLOW_SECONDS = 0.5
ENDED = frozenset({"complete", "stopped", "failed", "abandoned"})


class StreamEndedError(Exception):
    """The reader has seen the last event already; there is nothing to tell."""


class ReaderLaggedError(Exception):
    """The reader is too slow for the stream; it should connect again and start from a snapshot."""


async def battle_stream(
    *, battle_id: uuid.UUID, voter_id: uuid.UUID | None, after: int | None = None
) -> AsyncGenerator[Event]:
    """Yield a snapshot, then events up to the last answer's end.

    With `after`, the seq of the last event seen, the snapshot is replaced by what was missed where
    that is still known. Before the first event it raises BattleNotFoundError for a
    battle of somebody else, and StreamEndedError where `after` is past the end; ReaderLaggedError
    may come at any time.
    """
    view = await _view(battle_id, voter_id)
    if after is not None and view.ended_at and after >= seq_now(view.created_at, at=view.ended_at):
        raise StreamEndedError
    live = runner.live(battle_id)
    subscription = live.subscribe(after=after) if live is not None else None
    if live is not None and subscription is not None:
        async for event in _live_events(live, *subscription):
            yield event
        return
    # All has ended, or another process generates, or did until it died.
    async for event in _saved_events(battle_id, voter_id, seq=after or 0):
        yield event


async def _view(battle_id: uuid.UUID, voter_id: uuid.UUID | None) -> BattleView:
    return await in_database(selectors.battle_get_for_voter, battle_id=battle_id, voter_id=voter_id)


async def _live_events(
    live: LiveTurn, first: Sequence[Event], reader: Reader
) -> AsyncGenerator[Event]:
    try:
        for event in first:
            yield event
        while (fresh := await reader.get()) is not None:
            yield fresh
        if reader.lagged:
            metrics.readers_lagged.inc()
            raise ReaderLaggedError
    finally:
        live.unsubscribe(reader)


async def _saved_events(
    battle_id: uuid.UUID, voter_id: uuid.UUID | None, *, seq: int
) -> AsyncGenerator[Event]:
    view = await _view(battle_id, voter_id)
    turn = view.turns[-1]
    seq = max(seq, seq_now(view.created_at))
    for event in _whole(view):
        seq += 1
        yield {**event, "seq": seq}
    told = {side for side, answer in turn.answers.items() if answer.state in ENDED}
    sent = {side: len(answer.text) for side, answer in turn.answers.items()}
    while len(told) < len(sent):
        await asyncio.sleep(FOLLOW_SECONDS)
        await in_database(answers_interrupt_silent)
        view = await _view(battle_id, voter_id)
        turn = view.turns[-1]
        new = {
            side: events.piece(offset=sent[side], text=answer.text[sent[side] :], leak=answer.leak)
            for side, answer in turn.answers.items()
            if len(answer.text) > sent[side]
        }
        if new:
            seq += 1
            yield events.delta(seq=seq, turn=turn.index, sides=new)
            sent.update({side: len(turn.answers[side].text) for side in new})
        for side, answer in turn.answers.items():
            if answer.state in ENDED and side not in told:
                told.add(side)
                seq += 1
                yield _end(view, turn, side, seq)


def _whole(view: BattleView) -> list[Event]:
    """A snapshot of the last turn, and the ends that it already has; the caller numbers them."""
    turn = view.turns[-1]
    sides = {
        s: events.side_now(
            text=answer.text, state=answer.state, error=answer.error, leak=answer.leak
        )
        for s, answer in turn.answers.items()
    }
    ended = [s for s, answer in turn.answers.items() if answer.state in ENDED]
    return [
        events.snapshot(seq=0, turn=turn.index, state=view.state, sides=sides),
        *(_end(view, turn, s, 0) for s in ended),
    ]


def _end(view: BattleView, turn: TurnView, side: str, seq: int) -> Event:
    answer = turn.answers[side]
    return events.answer_ended(
        seq=seq,
        turn=turn.index,
        side=side,
        state=answer.state,
        error=answer.error["code"] if answer.error else "",
        length=len(answer.text),
        leak=answer.leak,
        battle_state=view.state,
    )
