"""The one write of a vote: a ballot is spent, and the ledger grows by its entry."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction
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
from arena.models import Answer, Battle, LedgerEntry, Vote
from arena.selectors.ballots import turn_locked
from arena.services.exclusions import vote_excluded_append
from arena.services.feedback import reasons_clean, turn_index_clean


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
    index = turn_index_clean(turn_index)
    limit_hit(action="votes", voter_id=voter_id, address=address)
    return ballot_spend(
        voter_id=voter_id,
        battle_id=battle_id,
        turn_index=index,
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
        turn = turn_locked(voter_id=voter_id, battle_id=battle_id, index=turn_index)
        if turn is None:
            raise BattleNotFoundError
        if turn.battle.mode == Battle.Mode.DIRECT:
            raise NotVotableError("One assistant alone cannot be voted on.")
        given = ballot.encode("utf-8", "replace") if isinstance(ballot, str) else b""
        if not secrets.compare_digest(given, turn.ballot.encode()):
            raise BallotUnknownError
        cast = validity.Ballot(turn=turn, cast_at=timezone.now())
        if cast.facts.is_revealed and (earlier := Vote.objects.filter(turn=turn).first()):
            if earlier.choice != choice:
                raise BallotSpentError
            return earlier
        _refuse_unfinished(cast)
        vote = _vote_record(cast, choice=choice, reasons=reasons)
        transaction.on_commit(
            lambda: events.battle_changed_publish(battle_id=battle_id), robust=True
        )
        transaction.on_commit(
            lambda: events.vote_recorded.send(sender=Vote, vote_id=vote.pk), robust=True
        )
    metrics.votes_cast.labels(exclusion=vote.exclusion).inc()
    return vote


def _refuse_unfinished(cast: validity.Ballot) -> None:
    """While any answer of the conversation is being made, no turn can be voted on: what it has
    shown so far, a name perhaps, may not be saved yet."""
    answers = cast.current
    state = battle_state({s: (a.state, bool(a.text)) for s, a in answers.items()})
    if any(answer.state in Answer.GENERATING for answer in cast.read):
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
    payload = ledger.canonical_json(
        {
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
        }
    )
    vote = Vote(
        turn=cast.turn,
        voter_id=battle.voter_id,
        choice=choice,
        reasons=reasons,
        cast_at=cast.cast_at,
    )
    _insert(vote, payload=payload, token=token, salts=salts)
    if exclusion:
        by = validity.BY_LEAK if exclusion == "leak" else validity.BY
        vote_excluded_append(vote=vote, reason=exclusion, by=by)
        vote.exclusion = exclusion
    return vote


def _insert(vote: Vote, *, payload: str, token: str, salts: Mapping[str, str]) -> None:
    """Entry, vote and secret in one statement: everybody waits for the ledger's lock, which is held
    from here to the commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH entry AS (
                SELECT * FROM arena_ledger_append(%s, %s)
            ), vote AS (
                INSERT INTO arena_vote (id, turn_id, voter_id, choice, reasons, comment, exclusion,
                                        ledger_entry_id, cast_at)
                SELECT %s, %s, %s, %s, %s::varchar[], '', '', entry.sequence, %s FROM entry
                RETURNING id
            ), secret AS (
                INSERT INTO arena_votesecret (vote_id, voter_token, salts)
                SELECT vote.id, %s, %s::jsonb FROM vote
            )
            SELECT sequence, previous_hash, hash FROM entry
            """,
            [
                str(LedgerEntry.Kind.VOTE), payload,
                vote.pk, vote.turn_id, vote.voter_id, str(vote.choice), vote.reasons, vote.cast_at,
                token, json.dumps(salts),
            ],
        )  # fmt: skip
        sequence, previous_hash, hash_ = cursor.fetchone()
    vote.ledger_entry = LedgerEntry(
        sequence=sequence,
        kind=LedgerEntry.Kind.VOTE,
        payload=payload,
        previous_hash=previous_hash,
        hash=hash_,
    )


def _hour(moment: datetime) -> datetime:
    """Coarse enough that the log alone does not say who sat at the screen."""
    return moment.replace(minute=0, second=0, microsecond=0)
