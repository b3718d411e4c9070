"""All reads of the arena."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet, Subquery
from django.utils import timezone

from arena.blinding import BattleView, battle_view
from arena.errors import BattleNotFoundError
from arena.ledger import ledger_head
from arena.models import Battle, LedgerEntry, Vote
from arena.runner import runner

OUTCOMES = ("a", "b", "tie", "both_bad")
# Polling readers write down that they watch; this often is enough for ARENA_ORPHAN_SECONDS.
WATCH_NOTED_EVERY = timedelta(seconds=3)


def battle_rows() -> QuerySet[Battle]:
    """Battles with all that a view of them needs, in four queries."""
    return Battle.objects.select_related(
        "model_a__organization", "model_b__organization"
    ).prefetch_related("turns__answers", "turns__vote")


def battle_get_for_voter(*, battle_id: uuid.UUID, voter_id: uuid.UUID | None) -> BattleView:
    """The battle now, text in the making included; raises BattleNotFoundError for anyone else's.

    Looking counts as watching: while somebody looks, answers are not abandoned.
    """
    if voter_id is None:
        raise BattleNotFoundError
    battle = battle_rows().filter(pk=battle_id, voter_id=voter_id).first()
    if battle is None:
        raise BattleNotFoundError
    live = runner.live(battle_id)
    view = battle_view(battle=battle, live=live)
    if live is not None:
        live.touch()
    elif view.state == Battle.State.GENERATING:
        now = timezone.now()
        Battle.objects.filter(pk=battle_id, watched_at__lt=now - WATCH_NOTED_EVERY).update(
            watched_at=now
        )
    return view


def votes_with_conversations() -> QuerySet[Vote]:
    """Votes of anonymous battles with models, turns and answers fetched."""
    return (
        Vote.objects.filter(turn__battle__mode=Battle.Mode.BATTLE)
        .select_related("turn__battle__model_a", "turn__battle__model_b")
        .prefetch_related("turn__battle__turns__answers")
    )


@dataclass(frozen=True)
class VoteLog:
    """Every vote of an anonymous battle, in ledger order; arrays of one length, one vote each."""

    model_a: npt.NDArray[np.int64]
    model_b: npt.NDArray[np.int64]
    outcome: npt.NDArray[np.int8]  # index into OUTCOMES
    exclusion: npt.NDArray[np.object_]  # "" counts, else the reason
    voter: npt.NDArray[np.int64]  # equal numbers are one voter; the numbers mean nothing else
    ledger_sequence: int
    ledger_hash: str


def vote_log() -> VoteLog:
    """The one read path of ratings: votes and the ledger head that they belong to.

    One statement reads both, so no vote or exclusion committed meanwhile stands on one side only.
    """
    newest = LedgerEntry.objects.order_by("-sequence")
    rows = list(
        Vote.objects.filter(turn__battle__mode=Battle.Mode.BATTLE)
        .order_by("ledger_entry")
        .values_list(
            "turn__battle__model_a",
            "turn__battle__model_b",
            "choice",
            "exclusion",
            "voter",
            Subquery(newest.values("sequence")[:1]),
            Subquery(newest.values("hash")[:1]),
        )
    )
    sequence, hash_ = rows[0][5:] if rows else ledger_head().values()
    voters: dict[uuid.UUID, int] = {}
    return VoteLog(
        model_a=np.array([row[0] for row in rows], dtype=np.int64),
        model_b=np.array([row[1] for row in rows], dtype=np.int64),
        outcome=np.array([OUTCOMES.index(row[2]) for row in rows], dtype=np.int8),
        exclusion=np.array([row[3] for row in rows], dtype=object),
        voter=np.array([voters.setdefault(row[4], len(voters)) for row in rows], dtype=np.int64),
        ledger_sequence=sequence,
        ledger_hash=hash_,
    )
