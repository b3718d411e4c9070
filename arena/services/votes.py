"""The one write of a vote: a ballot is spent, and the ledger grows by its entry."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from arena import events, ledger, metrics, validity
from arena.blinding import answers_current
from arena.errors import (
    BallotSpentError,
    BallotUnknownError,
    BattleNotFoundError,
    InvalidInputError,
    NotVotableError,
)
from arena.limits import limit_hit
from arena.live import battle_state
from arena.models import Answer, LedgerEntry, Turn, Vote, Voter, VoteSecret

MAX_REASONS = 10
MAX_REASON_CHARACTERS = 60


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

    Locks the turn's row: of two requests at one moment, the second sees the vote of the first.
    Raises ArenaError: BattleNotFoundError, BallotUnknownError, NotVotableError (409),
    BallotSpentError (409, another choice), RateLimitedError.
    """
    if choice not in Vote.Choice.values:
        raise InvalidInputError(
            f"The choice must be one of {', '.join(Vote.Choice.values)}.", field="choice"
        )
    chosen_reasons = _reasons_clean(reasons)
    if not isinstance(turn_index, int) or isinstance(turn_index, bool) or turn_index < 0:
        raise InvalidInputError("The turn must be a number, counted from 0.", field="turn")
    if not isinstance(ballot, str):
        raise BallotUnknownError
    limit_hit(action="votes", voter_id=voter_id, address=address)
    with transaction.atomic():
        turn = (
            Turn.objects.select_for_update(of=("self",))
            .select_related("battle__model_a__organization", "battle__model_b__organization")
            .filter(battle_id=battle_id, battle__voter_id=voter_id, index=min(turn_index, 32767))
            .first()
        )
        if turn is None:
            raise BattleNotFoundError
        if not secrets.compare_digest(ballot.encode("utf-8", "replace"), turn.ballot.encode()):
            raise BallotUnknownError
        earlier = Vote.objects.filter(turn=turn).first()
        if earlier is not None:
            if earlier.choice != choice:
                raise BallotSpentError
            return earlier
        answers = answers_current(turn)
        _refuse_unfinished(answers)
        vote = _vote_record(
            turn=turn, answers=answers, choice=Vote.Choice(str(choice)), reasons=chosen_reasons
        )
        transaction.on_commit(
            lambda: events.battle_changed_publish(battle_id=battle_id), robust=True
        )
        transaction.on_commit(
            lambda: events.vote_recorded.send(sender=Vote, vote_id=vote.pk), robust=True
        )
    metrics.votes_cast.labels(exclusion=vote.exclusion).inc()
    return vote


def _reasons_clean(reasons: object) -> list[str]:
    if not isinstance(reasons, Sequence) or isinstance(reasons, str):
        raise InvalidInputError("The reasons must be a list.", field="reasons")
    cleaned = []
    for reason in reasons:
        if not isinstance(reason, str) or not 0 < len(reason) <= MAX_REASON_CHARACTERS:
            raise InvalidInputError(
                f"Each reason must be text of 1 to {MAX_REASON_CHARACTERS} characters.",
                field="reasons",
            )
        if not reason.isprintable():
            raise InvalidInputError("A reason holds an unprintable character.", field="reasons")
        cleaned.append(reason)
    if len(cleaned) > MAX_REASONS:
        raise InvalidInputError(f"At most {MAX_REASONS} reasons, please.", field="reasons")
    return list(dict.fromkeys(cleaned))


def _refuse_unfinished(answers: Mapping[str, Answer]) -> None:
    state = battle_state({s: (a.state, bool(a.text)) for s, a in answers.items()})
    if state == "generating":
        raise NotVotableError("The answers are not complete yet; vote when both are.")
    if state != "votable" or len(answers) != 2:
        raise NotVotableError(
            "An answer is missing or broken, so there is nothing to compare. Retry it, or start a "
            "new battle."
        )


def _vote_record(
    *, turn: Turn, answers: Mapping[str, Answer], choice: Vote.Choice, reasons: list[str]
) -> Vote:
    battle = turn.battle
    # Two votes of one voter at one moment see each other, so that one of them is the duplicate.
    Voter.objects.select_for_update().get(pk=battle.voter_id)
    exclusion = validity.exclusion_reason(turn=turn)
    texts = ledger.vote_texts(turn)
    salts = {name: ledger.salt_new() for name in texts}
    token = secrets.token_hex(16)
    # An hour is coarse enough that the log alone does not say who sat at the screen.
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    entry = ledger.ledger_append(
        kind=LedgerEntry.Kind.VOTE,
        payload={
            "schema": 1,
            "mode": battle.mode,
            "turn": turn.index,
            "attempts": {side: answer.attempt for side, answer in sorted(answers.items())},
            "model_a": battle.language_model("a").slug,
            "model_b": battle.language_model("b").slug,
            "choice": choice,
            "probability": battle.probability,
            "sampler": battle.sampler,
            "voter": token,
            "hour": hour.isoformat(),
            "commitments": {
                name: ledger.commitment(salt=salts[name], content=text)
                for name, text in texts.items()
            },
        },
    )
    vote = Vote(
        turn=turn,
        voter_id=battle.voter_id,
        choice=choice,
        reasons=reasons,
        exclusion=exclusion,
        ledger_entry=entry,
    )
    vote.save(force_insert=True)
    VoteSecret.objects.create(vote=vote, voter_token=token, salts=salts)
    if exclusion:
        ledger.ledger_append(
            kind=LedgerEntry.Kind.EXCLUSION,
            payload={
                "schema": 1,
                "vote": entry.sequence,
                "reason": exclusion,
                "by": f"rules/{validity.VERSION}",
            },
        )
    return vote
