"""A voter for tests of the arena: starts battles, waits for them, votes, through the services."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from arena.blinding import BattleView
from arena.models import Vote
from arena.selectors import battle_get_for_voter
from arena.services.battles import battle_start
from arena.services.votes import vote_cast

DEADLINE_SECONDS = 20


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Poll until `condition` holds; fail, naming `what`, when it never does."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.01)
    return value


@dataclass
class TestVoter:
    """One anonymous person."""

    __test__ = False
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    def start(self, prompt: str = "Why is the sky blue?") -> uuid.UUID:
        return battle_start(
            voter_id=self.id, address="192.0.2.1", mode="battle", prompt=prompt, consent=True
        ).pk

    def view(self, battle_id: uuid.UUID) -> BattleView:
        return battle_get_for_voter(battle_id=battle_id, voter_id=self.id)

    def ended(self, battle_id: uuid.UUID) -> BattleView:
        """The battle once both answers have ended."""
        wait_until(lambda: self.view(battle_id).state != "generating", "both answers end")
        return self.view(battle_id)

    def vote(self, battle_id: uuid.UUID, choice: str = "a", **changed: Any) -> Vote:
        ballot = self.view(battle_id).turns[-1].ballot
        return vote_cast(
            **{
                "voter_id": self.id,
                "address": "192.0.2.1",
                "battle_id": battle_id,
                "turn_index": 0,
                "choice": choice,
                "ballot": ballot,
                **changed,
            }
        )
