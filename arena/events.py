"""What happens in a battle, as events: the one vocabulary of sockets, SSE and other apps.

Streaming events are plain JSON objects `{"type", "seq", "turn", "a"?: {"offset", "text"}, "b"?}`;
`offset` counts characters (Unicode code points) of the answer before `text`. Once an assistant has
named itself, its side's objects have `"leak": true`; before, and otherwise, they lack the key. No
event carries a model's name, a provider's words or a count that differs between models, except
`voted`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.dispatch import Signal

Event = dict[str, Any]

# Sent after the commit of a vote, with `vote_id`. Receivers must be quick and must not fail.
vote_recorded = Signal()
# Sent after the commit of exclusions, reinstatements or withdrawals. The same holds for receivers.
exclusions_recorded = Signal()


def snapshot(*, seq: int, turn: int, state: str, sides: Mapping[str, Mapping[str, Any]]) -> Event:
    """First on every connection: all the text there is, from offset 0."""
    return {"type": "snapshot", "seq": seq, "turn": turn, "state": state, **sides}


def piece(*, offset: int, text: str, leak: bool) -> Event:
    """What every event says of a side: text, after how many characters, and a leak if found."""
    return {"offset": offset, "text": text, **_leak(leak)}


def side_now(*, text: str, state: str, error: dict[str, str] | None, leak: bool) -> Event:
    """What a snapshot says of a side: all its text, and how it stands; `error` as a client may
    know it."""
    return {"offset": 0, "text": text, "state": state, "error": error, **_leak(leak)}


def _leak(leak: bool) -> Event:
    return {"leak": True} if leak else {}


def delta(*, seq: int, turn: int, sides: Mapping[str, Mapping[str, Any]]) -> Event:
    """Text to append to one side or both, each at its offset."""
    return {"type": "delta", "seq": seq, "turn": turn, **sides}


def answer_ended(
    *,
    seq: int,
    turn: int,
    side: str,
    state: str,
    error: str,
    length: int,
    leak: bool,
    battle_state: str,
) -> Event:
    """`answer_done` (complete or stopped) or `answer_failed` (failed or abandoned) of one side.

    `state` is the battle's own after this event: a reader learns here that it may vote. After the
    error `answer_moderated` the text that came before is to be thrown away, and `length` is 0.
    """
    return {
        "type": "answer_done" if state in {"complete", "stopped"} else "answer_failed",
        "seq": seq,
        "turn": turn,
        "side": side,
        "state": battle_state,
        side: {
            "offset": length,
            "text": "",
            "state": state,
            "error": error_view(error),
            **_leak(leak),
        },
    }


# One sentence for each Answer.Error, the same whoever failed.
ERROR_MESSAGES = {
    "model_unavailable": "This assistant could not be reached.",
    "model_busy": "This assistant has too much to do right now.",
    "model_refused": "This assistant's server did not take this prompt.",
    "model_timeout": "This assistant took too long.",
    "empty_answer": "This assistant did not say anything.",
    "endless_answer": "This assistant did not come to an end.",
    "conversation_too_long": "This conversation is too long for one of the assistants.",
    "interrupted": "The answer was interrupted by a restart of the server.",
    "answer_moderated": "This answer was withheld by the moderation of this site.",
}


def error_view(code: str) -> dict[str, str] | None:
    """What a client may know of an error: a code and a sentence, or None where there is none."""
    return {"code": code, "message": ERROR_MESSAGES[code]} if code else None


def battle_group(battle_id: uuid.UUID) -> str:
    """The channel layer group of a battle's sockets."""
    return f"battle.{battle_id.hex}"


def battle_changed_publish(*, battle_id: uuid.UUID) -> None:
    """Tell every socket of a battle that a vote is in, or that its answers are made anew.

    Control only: no tokens travel here, and what has changed is read from the database. A socket
    that misses it shows the same after a reload, so a lost message loses no data.
    """
    layer = get_channel_layer()
    async_to_sync(layer.group_send)(battle_group(battle_id), {"type": "battle.changed"})
