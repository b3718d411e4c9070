"""A finished conversation in the tables, without models that answer: for tests of what follows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arena.models import Answer, Battle, Turn, Vote, Voter
from arena.services.votes import vote_cast
from inference.models import LanguageModel, Organization

Said = tuple[str, str, str]
"""Prompt, what side a said, what side b said."""
HELLO: Said = ("Why is the sky blue?", "Because of Rayleigh.", "It mirrors the sea.")


@dataclass(frozen=True)
class Conversation:
    """One anonymous battle and its voter."""

    battle: Battle
    turns: Sequence[Turn]

    @property
    def voter_id(self) -> uuid.UUID:
        return self.battle.voter_id

    def answer(self, side: str, turn: int = 0) -> Answer:
        """The first attempt of a side."""
        return Answer.objects.get(turn=self.turns[turn], side=side, attempt=0)

    def vote(self, turn: int = 0, choice: str = "a", **changed: Any) -> Vote:
        return vote_cast(
            **{
                "voter_id": self.voter_id,
                "address": "192.0.2.1",
                "battle_id": self.battle.pk,
                "turn_index": turn,
                "choice": choice,
                "ballot": self.turns[turn].ballot,
                **changed,
            }
        )


def conversation_make(*said: Said) -> Conversation:
    """A voter of its own, two models, and the turns that were said; HELLO where none are given."""
    organization, _ = Organization.objects.get_or_create(slug="acme", name="Acme Intelligence")
    models = [
        LanguageModel.objects.get_or_create(
            slug=slug, defaults={"name": name, "organization": organization}
        )[0]
        for slug, name in (("alpha-7b", "Alpha Seven"), ("beta-9b", "Beta Nine"))
    ]
    battle = Battle.objects.create(
        voter=Voter.objects.create(),
        model_a=models[0],
        model_b=models[1],
        sampler="uniform/1",
        probability=1.0,
        pool=[model.pk for model in models],
        consent_version="2026-11",
    )
    turns = []
    for index, (prompt, *answers) in enumerate(said or [HELLO]):
        turn = Turn.objects.create(battle=battle, index=index, prompt=prompt)
        Answer.objects.bulk_create(
            Answer(turn=turn, side=side, state=Answer.State.COMPLETE, text=text)
            for side, text in zip("ab", answers, strict=True)
        )
        turns.append(turn)
    return Conversation(battle, turns)
