"""The one write of a vote: a ballot is spent, and the ledger grows by its entry."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from arena import events, ledger, metrics, validity
from arena.errors import (
    BallotSpentError,
    BallotUnknownError,
    BattleNotFoundError,
    InvalidInputError,
    NotVotableError,
)
from arena.limits import limit_hit
from arena.live import battle_state
from arena.models import Answer, Battle, LedgerEntry, Turn, Vote, VoteSecret
from arena.services.exclusions import vote_excluded_append
from arena.services.feedback import reasons_clean

_OF_BATTLE = (
    "mode", "voter__id", "model_a__slug", "model_b__slug", "probability", "sampler", "pacing",
    "gold_side",
)  # fmt: skip


def vote_cast(
    *,
    voter_id: uuid.UUID,
    address: str,
    battle_id: uuid.UUID,
    turn_index: object,
    choice: object,
    ballot: object,
    reasons: object = (),
) -> Vote:
    """Spend the ballot of one turn. The same choice again returns the same vote.

    Locks the turn and its voter: of two requests at one moment, the second sees the vote of the
    first, so that one of them is the duplicate, or comes after the reveal.
    Raises ArenaError: BattleNotFoundError, BallotUnknownError, NotVotableError (409),
    BallotSpentError (409, another choice), RateLimitedError.
    """
    if choice not in Vote.Choice.values:
        raise InvalidInputError(
            f"The choice must be one of {', '.join(Vote.Choice.values)}.", field="choice"
        )
    chosen_reasons = reasons_clean(reasons)
    if not isinstance(turn_index, int) or isinstance(turn_index, bool) or turn_index < 0:
        raise InvalidInputError("The turn must be a number, counted from 0.", field="turn")
    limit_hit(action="votes", voter_id=voter_id, address=address)
    return ballot_spend(
        voter_id=voter_id,
        battle_id=battle_id,
        turn_index=turn_index,
        choice=Vote.Choice(str(choice)),
        ballot=ballot,
        reasons=chosen_reasons,
    )


def ballot_spend(
    *,
    voter_id: uuid.UUID,
    battle_id: uuid.UUID,
    turn_index: int,
    choice: Vote.Choice,
    ballot: object,
    reasons: list[str],
) -> Vote:
    """The vote itself, without the limits on requests: `vote_cast` for votes that come from none.

    Locks and raises as that does.
    """
    with transaction.atomic():
        turn = _turn_locked(voter_id=voter_id, battle_id=battle_id, index=turn_index)
        if turn.battle.mode == Battle.Mode.DIRECT:
            raise NotVotableError("One assistant alone cannot be voted on.")
        given = ballot.encode("utf-8", "replace") if isinstance(ballot, str) else b""
        if not secrets.compare_digest(given, turn.ballot.encode()):
            raise BallotUnknownError
        earlier = Vote.objects.filter(turn=turn).first()
        if earlier is not None:
            if earlier.choice != choice:
                raise BallotSpentError
            return earlier
        cast = validity.Ballot(turn=turn, cast_at=timezone.now())
        _refuse_unfinished(cast.current)
        vote = _vote_record(cast, choice=choice, reasons=reasons)
        transaction.on_commit(
            lambda: events.battle_changed_publish(battle_id=battle_id), robust=True
        )
        transaction.on_commit(
            lambda: events.vote_recorded.send(sender=Vote, vote_id=vote.pk), robust=True
        )
    metrics.votes_cast.labels(exclusion=vote.exclusion).inc()
    return vote


def _turn_locked(*, voter_id: uuid.UUID, battle_id: uuid.UUID, index: int) -> Turn:
    turn = (
        Turn.objects.select_for_update(of=("self", "battle__voter"))
        .select_related("battle__voter", "battle__model_a", "battle__model_b")
        # What is not needed is not fetched: hundreds may vote in one second.
        .only("index", "prompt", "ballot", *(f"battle__{name}" for name in _OF_BATTLE))
        .filter(battle_id=battle_id, battle__voter_id=voter_id, index=min(index, 32767))
        .first()
    )
    if turn is None:
        raise BattleNotFoundError
    return turn


def _refuse_unfinished(answers: Mapping[str, Answer]) -> None:
    state = battle_state({s: (a.state, bool(a.text)) for s, a in answers.items()})
    if state == "generating":
        raise NotVotableError("The answers are not complete yet; vote when both are.")
    if state != "votable" or len(answers) != 2:
        raise NotVotableError(
            "An answer is missing or broken, so there is nothing to compare. Retry it, or start a "
            "new battle."
        )


def _vote_record(cast: validity.Ballot, *, choice: Vote.Choice, reasons: list[str]) -> Vote:
    exclusion = validity.exclusion_reason(cast)
    battle = cast.battle
    texts = ledger.vote_texts(cast.turn.prompt, cast.current)
    salts = {name: ledger.salt_new() for name in texts}
    token = secrets.token_hex(16)
    entry = ledger.ledger_append(
        kind=LedgerEntry.Kind.VOTE,
        payload={
            "schema": 2,
            "mode": battle.mode,
            "turn": cast.turn.index,
            "attempts": {side: answer.attempt for side, answer in sorted(cast.current.items())},
            "model_a": battle.language_model("a").slug,
            "model_b": battle.language_model("b").slug,
            "choice": choice,
            "probability": battle.probability,
            "sampler": battle.sampler,
            "pacing": battle.pacing,
            "voter": token,
            "hour": _hour(cast.cast_at).isoformat(),
            "commitments": {
                name: ledger.commitment(salt=salts[name], content=text)
                for name, text in texts.items()
            },
        },
    )
    vote = Vote(
        turn=cast.turn,
        voter_id=battle.voter_id,
        choice=choice,
        reasons=reasons,
        ledger_entry=entry,
        cast_at=cast.cast_at,
    )
    vote.save(force_insert=True)
    VoteSecret.objects.create(vote=vote, voter_token=token, salts=salts)
    if exclusion:
        vote_excluded_append(vote=vote, reason=exclusion, by=validity.BY)
        vote.exclusion = exclusion
    return vote


def _hour(moment: datetime) -> datetime:
    """Coarse enough that the log alone does not say who sat at the screen."""
    return moment.replace(minute=0, second=0, microsecond=0)
