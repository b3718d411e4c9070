"""The shapes of vote files: what one row of each public format holds. Writes no files.

`33k` is that of lmsys/chatbot_arena_conversations, field for field, so that tools written for it
read ours. What this arena does not measure is null there, never made up.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any

from arena.blinding import answers_current
from arena.models import Turn, Vote
from arena.selectors.oversight import answer_is_withheld

Row = dict[str, Any]

WINNERS_33K = {"a": "model_a", "b": "model_b", "tie": "tie", "both_bad": "tie (bothbad)"}


class Pseudonyms:
    """Names for voters that hold within one release and mean nothing outside of it."""

    def __init__(self) -> None:
        self._names: dict[uuid.UUID, str] = {}

    def of(self, voter_id: uuid.UUID) -> str:
        return self._names.setdefault(voter_id, f"arena_user_{secrets.token_hex(8)}")


def row_33k(vote: Vote, pseudonyms: Pseudonyms) -> Row:
    """One vote with the conversation up to its turn; times are coarse, to the hour."""
    battle = vote.turn.battle
    turns = [turn for turn in battle.turns.all() if turn.index <= vote.turn.index]
    hour = vote.cast_at.replace(minute=0, second=0, microsecond=0)
    return {
        "question_id": uuid.uuid4().hex,
        "model_a": battle.language_model("a").slug,
        "model_b": battle.language_model("b").slug,
        "winner": WINNERS_33K[vote.choice],
        "judge": pseudonyms.of(vote.voter_id),
        "conversation_a": _conversation(turns, "a"),
        "conversation_b": _conversation(turns, "b"),
        "turn": len(turns),
        "anony": battle.mode == battle.Mode.BATTLE,
        "language": "unknown",
        "tstamp": hour.timestamp(),
        "openai_moderation": None,
        "toxic_chat_tag": None,
    }


def _conversation(turns: list[Turn], side: str) -> list[dict[str, str]]:
    messages = []
    for turn in turns:
        messages.append({"content": turn.prompt, "role": "user"})
        answer = answers_current(turn)[side]
        said = "" if answer_is_withheld(answer) else answer.text
        messages.append({"content": said, "role": "assistant"})
    return messages


SHAPES: dict[str, Callable[[Vote, Pseudonyms], Row]] = {"33k": row_33k}
