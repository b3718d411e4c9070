"""The socket of a battle: its events to one reader, as HTML for the page or as JSON for programs.

Speaks one way; what a client sends is not looked at. Knows no rules: what may be told is decided in
`arena.blinding`, what happens in `arena.stream`. See docs/streaming.md.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from uvicorn.protocols.utils import ClientDisconnected

from arena.blinding import BattleView
from arena.database import in_database
from arena.errors import ArenaError, BattleNotFoundError, RateLimitedError
from arena.events import Event, battle_group
from arena.limits import limit_hit
from arena.selectors import battle_get_for_voter
from arena.stream import ReaderLaggedError, battle_stream
from arena.voters import address_in_scope, origin_is_own, voter_id_in_header
from frontend.fragments import BattleFragments, verdict_fragments

logger = logging.getLogger(__name__)

# htmx connects again after 1006, 1011, 1012 and 1013, and after no other code.
INTERNAL_ERROR = 1011
TRY_AGAIN_LATER = 1013
POLICY_VIOLATION = 1008
MAX_CLIENT_MESSAGES = 100


class BattleConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One reader of one battle. Refused before the handshake ends unless it is the voter's.

    Stays open after the stream has ended, for `voted`, for answers that are made anew and for more
    turns. A page says with `?turns=` how many it has.
    """

    battle_id: uuid.UUID
    voter_id: uuid.UUID
    as_json: bool

    async def connect(self) -> None:
        headers = {name: value.decode("latin-1") for name, value in self.scope["headers"]}
        origin = headers.get(b"origin")
        voter_id = voter_id_in_header(headers.get(b"cookie", ""))
        foreign = origin is not None and not origin_is_own(
            origin=origin, host=headers.get(b"host", "")
        )
        if foreign or voter_id is None:
            await self.close()
            return
        self.voter_id = voter_id
        self.battle_id = self.scope["url_route"]["kwargs"]["battle_id"]
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        self.as_json = query.get("format") == ["json"]
        turns = query.get("turns", [""])[-1]
        # Joined before the battle is looked at: a vote in between is heard or seen.
        await self.channel_layer.group_add(battle_group(self.battle_id), self.channel_name)
        try:
            await asyncio.to_thread(
                limit_hit,
                action="streams",
                voter_id=voter_id,
                address=address_in_scope(self.scope),
            )
            view = await self._view()
        except (BattleNotFoundError, RateLimitedError) as error:
            await self.channel_layer.group_discard(battle_group(self.battle_id), self.channel_name)
            await self._refuse(error)
            return
        self._changed = asyncio.Event()
        self._client_messages = 0
        self._told: tuple[object, ...] = ()
        self._fragments = BattleFragments(
            view, turns=int(turns) if turns.isdecimal() and len(turns) < 6 else None
        )
        await self.accept()
        self._telling = asyncio.create_task(self._tell())

    async def _refuse(self, error: ArenaError) -> None:
        """The answer that REST gives, where the server can give one; else a plain 403."""
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            await self.close()
            return
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        if error.retry_after is not None:
            headers.append((b"retry-after", str(error.retry_after).encode()))
        start = {"type": "websocket.http.response.start", "status": error.status}
        await self.base_send({**start, "headers": headers})
        body = json.dumps(error.body()).encode()
        await self.base_send({"type": "websocket.http.response.body", "body": body})

    async def receive(self, **_: str | bytes | None) -> None:
        self._client_messages += 1
        if self._client_messages == MAX_CLIENT_MESSAGES + 1:
            self._telling.cancel()
            await self.close(code=POLICY_VIOLATION)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002
        if hasattr(self, "_telling"):
            self._telling.cancel()
            await self.channel_layer.group_discard(battle_group(self.battle_id), self.channel_name)

    async def battle_changed(self, message: dict[str, Any]) -> None:  # noqa: ARG002
        """From the channel layer: a vote, a new turn, or answers that are made anew."""
        self._changed.set()

    async def _tell(self) -> None:
        try:
            seq = await self._tell_answers()
            while True:
                view = await self._view()
                seq = await self._tell_vote(view, seq=seq)
                await self._changed.wait()
                self._changed.clear()
                if (await self._view()).turns[-1].vote is None:
                    seq = await self._tell_answers()
        except ReaderLaggedError:
            await self.close(code=TRY_AGAIN_LATER)
        except ClientDisconnected:
            return  # In the middle of a frame; `disconnect` follows.
        except Exception:
            logger.exception("the socket of battle %s broke", self.battle_id)
            await self.close(code=INTERNAL_ERROR)

    async def _tell_answers(self) -> int:
        """Tell the answers up to their ends; the seq of the last event."""
        seq = 0
        stream = battle_stream(battle_id=self.battle_id, voter_id=self.voter_id)
        async with aclosing(stream):
            async for event in stream:
                seq = event["seq"]
                await self._send_event(event)
        return seq

    async def _send_event(self, event: Event) -> None:
        if self.as_json:
            await self._send_json(event)
        elif event["type"] == "delta":
            await self.send(text_data=self._fragments.delta(event))
        else:
            if not self._fragments.knows(event):
                await self._send_made(self._fragments.turns_added, await self._view())
            await self._send_made(self._fragments.render, event)
            view = await self._view()
            # Where the view is ahead of the stream, the event that catches up brings it.
            if (view.turns[-1].index, view.state) == (event["turn"], event["state"]):
                await self._send_verdict(view)

    async def _tell_vote(self, view: BattleView, *, seq: int) -> int:
        """Tell what the last turn's vote is by now, or that it has none yet; the last seq."""
        if not self.as_json:
            if _told_by(view) != self._told:
                await self._send_made(self._fragments.refresh, view)
                await self._send_verdict(view)
        elif view.turns[-1].vote is not None and _told_by(view) != self._told:
            seq += 1
            self._told = _told_by(view)
            await self._send_json(voted_event(view, seq=seq))
        return seq

    async def _send_made(self, make: Callable[[Any], str], of: Any) -> None:
        """Send the frame that `make` makes of an event or a view, unless it is empty."""
        if frame := await in_database(make, of):
            await self.send(text_data=frame)

    async def _send_verdict(self, view: BattleView) -> None:
        if self._told != _told_by(view):
            self._told = _told_by(view)
            await self.send(text_data=await in_database(verdict_fragments, view))

    async def _send_json(self, event: Event) -> None:
        await self.send(text_data=json.dumps(event, ensure_ascii=False, separators=(",", ":")))

    async def _view(self) -> BattleView:
        return await in_database(
            battle_get_for_voter, battle_id=self.battle_id, voter_id=self.voter_id
        )


def _told_by(view: BattleView) -> tuple[object, ...]:
    """What a verdict depends on: as long as it is the same, there is nothing to tell."""
    turn = view.turns[-1]
    votes = tuple(turn.vote and (turn.vote.choice, turn.vote.exclusion) for turn in view.turns)
    return turn.index, turn.ballot, view.state, votes


def voted_event(view: BattleView, *, seq: int) -> Event:
    """The one event that names the models; only of a view whose last turn has its vote."""
    turn = view.turns[-1]
    if turn.vote is None or view.models is None:
        raise ValueError(f"battle {view.id} has no vote on its last turn")
    cast_at = turn.vote.cast_at.isoformat().replace("+00:00", "Z")
    return {
        "type": "voted",
        "seq": seq,
        "turn": turn.index,
        "vote": {**asdict(turn.vote), "cast_at": cast_at},
        "models": {side: asdict(model) for side, model in view.models.items()},
    }
