"""All reads of published ratings, as rows for pages and programs; knows not how either looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from inference.models import LanguageModel
from inference.selectors import language_models_listed
from ratings.core.connectivity import NO_VOTES
from ratings.models import RatingEntry, RatingSnapshot

# A history shows the newest snapshots only; a busy arena makes thousands.
HISTORY_LENGTH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardRow:
    """One model. Numbers that do not exist are None, and `reason` says why."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """Counted votes between two models, whichever side either was shown on.

    `observed` and `predicted` are the share of wins of `model_a`, ties (and both bad) as half a
    win; `predicted` is None unless both are rated.
    """

    model_a: str
    model_b: str
    wins_a: int
    wins_b: int
    ties: int
    both_bad: int
    votes: int
    observed: float
    predicted: float | None


def snapshot_latest(*, as_of: datetime | None = None) -> RatingSnapshot | None:
    """The newest snapshot, or the newest that was published by `as_of`; None before the first."""
    snapshots = RatingSnapshot.objects.defer("cells")
    if as_of is not None:
        snapshots = snapshots.filter(created_at__lte=as_of)
    return snapshots.first()


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


def history(*, model: LanguageModel) -> list[HistoryPoint]:
    """What the snapshots said of a model, oldest first, at most the newest HISTORY_LENGTH."""
    entries = (
        RatingEntry.objects.filter(model=model)
        .select_related("snapshot")
        .defer("snapshot__cells")
        .order_by("-snapshot__created_at")[:HISTORY_LENGTH]
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


def pairs(*, snapshot: RatingSnapshot) -> list[PairRow]:
    """Every pair that met, by slug, with what was observed and what the ratings predict."""
    entries = {entry.model_id: entry for entry in snapshot.entries.select_related("model")}
    met: dict[tuple[int, int], list[int]] = {}
    for first, second, wins_first, wins_second, ties, both_bad in snapshot.cells:
        in_order = entries[first].model.slug < entries[second].model.slug
        pair = (first, second) if in_order else (second, first)
        wins = (wins_first, wins_second) if in_order else (wins_second, wins_first)
        counts = met.setdefault(pair, [0, 0, 0, 0])
        for outcome, count in enumerate((*wins, ties, both_bad)):
            counts[outcome] += count
    rows = []
    for (first, second), counts in met.items():
        wins_a, wins_b, ties, both_bad = counts
        votes = sum(counts)
        rows.append(
            PairRow(
                model_a=entries[first].model.slug,
                model_b=entries[second].model.slug,
                wins_a=wins_a,
                wins_b=wins_b,
                ties=ties,
                both_bad=both_bad,
                votes=votes,
                observed=(wins_a + (ties + both_bad) / 2) / votes,
                predicted=_predicted(entries[first].rating, entries[second].rating),
            )
        )
    return sorted(rows, key=lambda row: (row.model_a, row.model_b))


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
    return replace(
        row,
        rank=entry.rank,
        rank_low=entry.rank_low,
        rank_high=entry.rank_high,
        rating=entry.rating,
        lower=entry.lower,
        upper=entry.upper,
        votes=entry.votes,
        reason=entry.reason,
    )


def _predicted(rating_a: float | None, rating_b: float | None) -> float | None:
    if rating_a is None or rating_b is None:
        return None
    return float(1 / (1 + 10 ** ((rating_b - rating_a) / 400)))
