"""Writes that say of a vote whether it counts: exclusion, reinstatement, withdrawal.

Each is an entry of the ledger with its reason; nothing is filtered silently, and all but a
withdrawal can be reversed by another entry. The votes' rows are locked in the order of the ledger,
then the ledger itself. Knows nothing of ratings.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db import transaction

from arena import events
from arena.errors import BattleNotFoundError, NotVotableError
from arena.ledger import ledger_append
from arena.models import Battle, LedgerEntry, Vote
from arena.validity import ALWAYS

WITHDRAWN = "withdrawn"
MAX_REASON = 20


def votes_exclude(*, votes: Collection[uuid.UUID], reason: str, by: str) -> int:
    """Exclude those of `votes` that count; return how many that were.

    `reason` is a key of the funnel; `by` names rules with their version, or a role: never a person.
    """
    if not reason or len(reason) > MAX_REASON or reason == WITHDRAWN:
        raise ValueError(f"{reason!r} is no reason for an exclusion")
    with transaction.atomic():
        counted = [vote for vote in _locked(votes) if not vote.exclusion]
        for vote in counted:
            vote_excluded_append(vote=vote, reason=reason, by=by)
        _tell(counted)
    return len(counted)


def votes_reinstate(*, votes: Collection[uuid.UUID], reason: str | None = None, by: str) -> int:
    """Let those of `votes` count again that are excluded, for `reason` where one is given.

    A vote that its voter withdrew stays withdrawn, and one that never could count (on named models,
    say) stays so. Returns how many count again.
    """
    with transaction.atomic():
        excluded = [
            vote
            for vote in _locked(votes)
            if vote.exclusion
            and vote.exclusion not in (WITHDRAWN, *ALWAYS)
            and reason in (None, vote.exclusion)
        ]
        for vote in excluded:
            ledger_append(
                kind=LedgerEntry.Kind.REINSTATEMENT,
                payload={"schema": 1, "vote": vote.ledger_entry_id, "by": by},
            )
            Vote.objects.filter(pk=vote.pk).update(exclusion="")
        _tell(excluded)
    return len(excluded)


def vote_withdraw(*, voter_id: uuid.UUID, battle_id: uuid.UUID, turn_index: object) -> Vote:
    """Take back one's own vote, for good: its ballot stays spent. Again is no error.

    Raises BattleNotFoundError for anyone else's battle, NotVotableError where there is no vote.
    """
    index = -1
    if isinstance(turn_index, int) and not isinstance(turn_index, bool):
        index = turn_index if 0 <= turn_index <= 32767 else -1
    with transaction.atomic():
        votes = Vote.objects.select_for_update(of=("self",)).select_related("turn")
        vote = votes.filter(turn__battle_id=battle_id, turn__index=index, voter_id=voter_id).first()
        if vote is None:
            if not _is_own(battle_id, voter_id):
                raise BattleNotFoundError
            raise NotVotableError("There is no vote of yours on this turn to withdraw.")
        if vote.exclusion != WITHDRAWN:
            ledger_append(
                kind=LedgerEntry.Kind.WITHDRAWAL,
                payload={"schema": 1, "vote": vote.ledger_entry_id, "by": "voter"},
            )
            Vote.objects.filter(pk=vote.pk).update(exclusion=WITHDRAWN)
            vote.exclusion = WITHDRAWN
            _tell([vote])
            transaction.on_commit(
                lambda: events.battle_changed_publish(battle_id=battle_id), robust=True
            )
    return vote


def vote_excluded_append(*, vote: Vote, reason: str, by: str) -> None:
    """The entry that excludes one vote, and its mark on the vote; in the caller's transaction."""
    ledger_append(
        kind=LedgerEntry.Kind.EXCLUSION,
        payload={"schema": 1, "vote": vote.ledger_entry_id, "reason": reason, "by": by},
    )
    Vote.objects.filter(pk=vote.pk).update(exclusion=reason)


def _locked(votes: Collection[uuid.UUID]) -> list[Vote]:
    rows = Vote.objects.select_for_update().filter(pk__in=votes)
    return list(rows.order_by("ledger_entry_id"))


def _is_own(battle_id: uuid.UUID, voter_id: uuid.UUID) -> bool:
    return Battle.objects.filter(pk=battle_id, voter_id=voter_id).exists()


def _tell(votes: list[Vote]) -> None:
    if votes:
        transaction.on_commit(lambda: events.exclusions_recorded.send(sender=Vote), robust=True)
