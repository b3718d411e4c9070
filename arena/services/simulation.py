"""Writes of simulated battles, each with its vote, so that an arena can be looked at with data.

Votes go the way of all votes but for the limits on requests: ballot, rules, ledger. What is made up
is marked by its consent version, and is never put beside the votes of people. Knows nothing of how
votes are simulated.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from arena.models import Answer, Battle, Turn, Vote, Voter
from arena.services.votes import ballot_spend

CONSENT_VERSION = "simulated"
SAMPLER = "uniform/1"
# Votes of one transaction: as many as others wait for when they want to write to the ledger.
BATCH = 50
_VOCABULARY = (
    "river", "stone", "paper", "window", "garden", "letter", "market", "summer", "winter",
    "bridge", "harbour", "valley", "candle", "basket", "copper", "meadow", "silver", "feather",
    "lantern", "orchard", "shadow", "thunder", "velvet",
)  # fmt: skip


class RealVotesError(Exception):
    """The arena holds votes of people, beside which none are made up; one line."""


@dataclass(frozen=True, slots=True)
class SimulatedVote:
    """A battle that was fought and voted on.

    Models are ids. `words` are of the answers of either side, which began `seconds` before the
    vote; `gold_side` is "a", "b" or "".
    """

    voter: uuid.UUID
    model_a: int
    model_b: int
    choice: Vote.Choice
    prompt: str
    words: tuple[int, int]
    seconds: float
    gold_side: str = ""


def real_votes_refuse() -> None:
    """Raises RealVotesError where anybody else's vote is in this arena."""
    if Vote.objects.exclude(turn__battle__consent_version=CONSENT_VERSION).exists():
        raise RealVotesError(
            "this arena holds votes that are not simulated: simulate into an arena without votes"
        )


def simulated_votes_cast(
    *, votes: Sequence[SimulatedVote], pool: Sequence[int]
) -> Iterator[list[Vote]]:
    """Cast votes on finished battles, in order; yields those of each batch, once committed.

    All pairs of `pool` were equally likely. Raises RealVotesError, before anything is written.
    """
    real_votes_refuse()
    for start in range(0, len(votes), BATCH):
        with transaction.atomic():
            cast = _cast(votes[start : start + BATCH], pool=pool)
        yield cast


def _cast(votes: Sequence[SimulatedVote], *, pool: Sequence[int]) -> list[Vote]:
    Voter.objects.bulk_create([Voter(pk=vote.voter) for vote in votes], ignore_conflicts=True)
    battles = Battle.objects.bulk_create(
        Battle(
            voter_id=vote.voter,
            model_a_id=vote.model_a,
            model_b_id=vote.model_b,
            sampler=SAMPLER,
            probability=2 / (len(pool) * (len(pool) - 1)),
            pool=list(pool),
            gold_side=vote.gold_side,
            consent_version=CONSENT_VERSION,
        )
        for vote in votes
    )
    turns = Turn.objects.bulk_create(
        Turn(battle=battle, index=0, prompt=vote.prompt)
        for battle, vote in zip(battles, votes, strict=True)
    )
    return [_voted(vote, turn) for vote, turn in zip(votes, turns, strict=True)]


def _voted(vote: SimulatedVote, turn: Turn) -> Vote:
    """Answers that began as long ago as the vote says, and the vote on them."""
    now = timezone.now()
    Answer.objects.bulk_create(
        Answer(
            turn=turn,
            side=side,
            state=Answer.State.COMPLETE,
            text=_made_up(words, first=turn.pk + place),
            completion_tokens=words,
            finish_reason="stop",
            first_token_at=now - timedelta(seconds=vote.seconds),
            finished_at=now - timedelta(seconds=vote.seconds / 2),
        )
        for place, (side, words) in enumerate(zip("ab", vote.words, strict=True))
    )
    return ballot_spend(
        voter_id=vote.voter,
        battle_id=turn.battle_id,
        turn_index=0,
        choice=vote.choice,
        ballot=turn.ballot,
        reasons=[],
    )


def _made_up(words: int, *, first: int) -> str:
    """So many words that say nothing, others from answer to answer."""
    size = len(_VOCABULARY)
    return " ".join(_VOCABULARY[(first + 7 * place) % size] for place in range(max(words, 1)))
