"""Two to ten models against each other: on one board, and in every category that rates them.

How likely people prefer one to the other is the ratings' difference on the scale of odds; its
interval needs the covariance of the two, which snapshots keep for some days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import F, Func, JSONField, Value
from scipy.stats import t as student

from inference.models import LanguageModel
from ratings.boards import Board
from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS
from ratings.core.connectivity import NO_VOTES
from ratings.covariance import covariance_unpack
from ratings.models import RatingEntry, RatingSnapshot
from ratings.selectors.pairs import observed_share, pair_counts

NOT_KEPT = "the covariance of so old a snapshot is not kept: no interval"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """What one board says of two models.

    `difference` is in points, `probability` that people prefer `model_a`, ties as half; both with
    95 % intervals of this one pair. `observed` is the share of wins of `model_a` in the votes
    between the two. Numbers that do not exist are None, and `reason` says why.
    """

    category: str
    model_a: str
    model_b: str
    difference: float | None = None
    difference_lower: float | None = None
    difference_upper: float | None = None
    probability: float | None = None
    probability_lower: float | None = None
    probability_upper: float | None = None
    wins_a: int
    wins_b: int
    ties: int
    both_bad: int
    votes: int
    observed: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryComparison:
    """Every pair of the models, as one category's board has it."""

    category: str
    snapshot: UUID
    results: tuple[ComparisonRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`results` are those of the board asked for, `categories` those of the other categories where
    at least one pair is rated. `snapshot` is None before the board's first."""

    snapshot: RatingSnapshot | None
    results: tuple[ComparisonRow, ...]
    categories: tuple[CategoryComparison, ...]


def snapshots_newest(*, style_control: bool, as_of: datetime | None) -> list[RatingSnapshot]:
    """The newest snapshot of every category, without cells and covariance; one query."""
    snapshots = RatingSnapshot.objects.defer("cells", "covariance").filter(
        style_control=style_control
    )
    if as_of is not None:
        snapshots = snapshots.filter(created_at__lte=as_of)
    return list(snapshots.order_by("category", "-created_at").distinct("category"))


def comparison(
    *, models: Sequence[LanguageModel], board: Board, snapshots: Sequence[RatingSnapshot]
) -> Comparison:
    """Compare `models` on `board` and in the other categories of `snapshots_newest`; two queries.

    Of the stored cells only those among these models leave the database.
    """
    models = sorted(models, key=lambda model: model.slug)
    ids = [model.pk for model in models]
    details = {
        row.pk: row
        for row in RatingSnapshot.objects.filter(pk__in=[s.pk for s in snapshots])
        .only("covariance")
        .annotate(met=_cells_among(ids))
    }
    entries: dict[UUID, dict[int, RatingEntry]] = {}
    for entry in RatingEntry.objects.filter(snapshot__in=details, model__in=ids).order_by():
        entries.setdefault(entry.snapshot_id, {})[entry.model_id] = entry
    compared = {
        snapshot.category: tuple(
            _rows(snapshot, details[snapshot.pk], models, entries.get(snapshot.pk, {}))
        )
        for snapshot in snapshots
    }
    own = next((s for s in snapshots if s.category == board.category), None)
    return Comparison(
        snapshot=own,
        results=compared.get(board.category, tuple(_no_rows(board, models))),
        categories=tuple(
            CategoryComparison(
                category=snapshot.category,
                snapshot=snapshot.pk,
                results=compared[snapshot.category],
            )
            for snapshot in snapshots
            if snapshot is not own
            and any(row.difference is not None for row in compared[snapshot.category])
        ),
    )


def _cells_among(ids: Sequence[int]) -> Func:
    """The stored cells of pairs of these models, filtered by PostgreSQL."""
    first, second = (" || ".join(f"@[{place}] == {pk}" for pk in ids) for place in (0, 1))
    return Func(
        F("cells"),
        # Strict, since the lax mode would take every cell apart before it looks.
        Value(f"strict $[*] ? (({first}) && ({second}))"),
        template="jsonb_path_query_array(%(expressions)s::jsonpath)",
        output_field=JSONField(),
    )


def _no_rows(board: Board, models: Sequence[LanguageModel]) -> list[ComparisonRow]:
    return [
        ComparisonRow(
            category=board.category,
            model_a=first.slug,
            model_b=second.slug,
            wins_a=0,
            wins_b=0,
            ties=0,
            both_bad=0,
            votes=0,
            observed=None,
            reason=NO_VOTES,
        )
        for first, second in combinations(models, 2)
    ]


def _rows(
    snapshot: RatingSnapshot,
    detail: Any,
    models: Sequence[LanguageModel],
    entries: Mapping[int, RatingEntry],
) -> list[ComparisonRow]:
    """The rows of one snapshot; `detail` is the same one with its covariance and `met`."""
    met = pair_counts(detail.met, order={model.pk: place for place, model in enumerate(models)})
    place: dict[int, int] = {}
    covariance = np.empty((0, 0))
    if detail.covariance is not None:
        known, covariance = covariance_unpack(detail.covariance)
        place = {int(pk): row for row, pk in enumerate(known)}
    freedom = snapshot.degrees_of_freedom or np.inf
    quantile = float(student.ppf((1 + snapshot.parameters.get("level", 0.95)) / 2, freedom))
    rows = []
    for first, second in combinations(models, 2):
        counts = met.get((first.pk, second.pk), (0, 0, 0, 0))
        numbers, reason = _difference(
            entries.get(first.pk), entries.get(second.pk), place, covariance, quantile
        )
        rows.append(
            ComparisonRow(
                category=snapshot.category,
                model_a=first.slug,
                model_b=second.slug,
                **numbers,
                wins_a=counts[0],
                wins_b=counts[1],
                ties=counts[2],
                both_bad=counts[3],
                votes=sum(counts),
                observed=observed_share(counts),
                reason=reason,
            )
        )
    return rows


def _difference(
    first: RatingEntry | None,
    second: RatingEntry | None,
    place: Mapping[int, int],
    covariance: np.ndarray[Any, Any],
    quantile: float,
) -> tuple[dict[str, float], str]:
    """The numbers that exist, by the names of their fields, and why others do not."""
    for entry in (first, second):
        if entry is None:
            return {}, NO_VOTES
        if entry.rating is None:
            return {}, entry.reason
    assert first and second and first.rating is not None and second.rating is not None  # noqa: S101, PT018
    points = {"difference": first.rating - second.rating}
    missing = first.reason or second.reason
    if not missing and not (first.model_id in place and second.model_id in place):
        missing = NOT_KEPT
    if not missing:
        a, b = place[first.model_id], place[second.model_id]
        variance = covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
        half = quantile * float(np.sqrt(max(variance, 0.0)))
        points["difference_lower"] = points["difference"] - half
        points["difference_upper"] = points["difference"] + half
    shares = {
        name.replace("difference", "probability"): float(
            1 / (1 + np.exp(-value / POINTS_PER_LOG_ODDS))
        )
        for name, value in points.items()
    }
    return {**points, **shares}, missing
