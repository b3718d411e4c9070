"""A published leaderboard and a model's history as rows; knows not how either looks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from inference.models import LanguageModel
from inference.selectors import language_models_listed
from ratings.boards import OVERALL_BOARD, Board
from ratings.core.connectivity import NO_VOTES
from ratings.funnel import exclusion_shares
from ratings.models import RatingEntry, RatingSnapshot

# A history shows the newest snapshots only; a busy arena makes thousands.
HISTORY_LENGTH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardRow:
    """One model. Numbers that do not exist are None, and `reason` says why.

    `exclusion_rate` is the share of the model's votes that could have counted and do not, whatever
    the reason; `exclusions` is that share by reason, and `leak_rate` what the model itself does to
    it by naming itself.
    """

    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    model: str
    name: str
    organization: str
    licence: str
    status: str
    rating: float | None = None
    lower: float | None = None
    upper: float | None = None
    votes: int = 0
    exclusion_rate: float | None = None
    leak_rate: float | None = None
    exclusions: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """What one snapshot said of one model."""

    snapshot: UUID
    created_at: datetime
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    rating: float | None
    lower: float | None
    upper: float | None
    votes: int
    reason: str


def snapshots_of(*, board: Board, as_of: datetime | None = None) -> QuerySet[RatingSnapshot]:
    """A board's snapshots, newest first, without their three largest columns."""
    snapshots = RatingSnapshot.objects.defer("cells", "covariance", "left_out").filter(
        category=board.category, style_control=board.style_control
    )
    return snapshots if as_of is None else snapshots.filter(created_at__lte=as_of)


def snapshot_latest(
    *, board: Board = OVERALL_BOARD, as_of: datetime | None = None
) -> RatingSnapshot | None:
    """A board's newest snapshot, or the newest published by `as_of`; None before the first."""
    return snapshots_of(board=board, as_of=as_of).first()


def leaderboard(
    *, snapshot: RatingSnapshot | None, joined_later: bool = True
) -> list[LeaderboardRow]:
    """Rated models by rank, then the others by votes and name; two queries, however many models.

    Every model of the registry is there, but for retired ones without votes in the snapshot.
    `joined_later=False` leaves out those that the snapshot does not know, to show the past as it
    was published; None is before the first snapshot, where it knows nobody.
    """
    entries = {entry.model_id: entry for entry in snapshot.entries.order_by()} if snapshot else {}
    rows = []
    for model in language_models_listed():
        entry = entries.get(model.pk)
        if model.status == LanguageModel.Status.RETIRED and not (entry and entry.votes):
            continue
        if entry is not None or joined_later:
            rows.append(_row(model, entry))
    rows.sort(key=lambda row: (row.rank is None, row.rank or 0, -row.votes, row.name, row.model))
    return rows


def registry_digest() -> str:
    """SHA-256 of what rows say of models besides their ratings: changes when a row would."""
    listed = language_models_listed().values_list(
        "slug", "name", "organization__name", "licence", "status"
    )
    return hashlib.sha256(repr(list(listed)).encode()).hexdigest()


def history(
    *, model: LanguageModel, board: Board = OVERALL_BOARD, as_of: datetime | None = None
) -> list[HistoryPoint]:
    """What a board's snapshots said of a model, oldest first, at most the newest HISTORY_LENGTH."""
    newest = snapshots_of(board=board, as_of=as_of).values("pk")[:HISTORY_LENGTH]
    entries = (
        RatingEntry.objects.filter(model=model, snapshot__in=newest)
        .select_related("snapshot")
        .only("snapshot__created_at", *(field.name for field in RatingEntry._meta.concrete_fields))
        .order_by("-snapshot__created_at")
    )
    return [
        HistoryPoint(
            snapshot=entry.snapshot_id,
            created_at=entry.snapshot.created_at,
            rank=entry.rank,
            rank_low=entry.rank_low,
            rank_high=entry.rank_high,
            rating=entry.rating,
            lower=entry.lower,
            upper=entry.upper,
            votes=entry.votes,
            reason=entry.reason,
        )
        for entry in reversed(entries)
    ]


def _row(model: LanguageModel, entry: RatingEntry | None) -> LeaderboardRow:
    row = LeaderboardRow(
        model=model.slug,
        name=model.name,
        organization=model.organization.name,
        licence=model.licence,
        status=model.status,
        reason=NO_VOTES,
    )
    if entry is None:
        return row
    exclusions = exclusion_shares(entry.exclusions, counted=entry.votes)
    return replace(
        row,
        rank=entry.rank,
        rank_low=entry.rank_low,
        rank_high=entry.rank_high,
        rating=entry.rating,
        lower=entry.lower,
        upper=entry.upper,
        votes=entry.votes,
        exclusion_rate=_share(entry.excluded, entry.votes + entry.excluded),
        leak_rate=_leak_rate(entry, exclusions),
        exclusions=exclusions,
        reason=entry.reason,
    )


def _leak_rate(entry: RatingEntry, exclusions: Mapping[str, float]) -> float | None:
    """None without votes, and where a snapshot of earlier knows no reasons, but their sum."""
    if not (entry.votes or exclusions) or (entry.excluded and not exclusions):
        return None
    return exclusions.get("leak", 0.0)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
