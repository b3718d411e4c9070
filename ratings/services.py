"""Fitting the arena's votes and publishing what came out. Knows nothing of pages and programs."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from django.db import connection, transaction

from arena.selectors import VoteLog, vote_log
from inference.models import LanguageModel
from inference.selectors import language_models_listed
from ratings.core.bradley_terry import MEAN_RATING
from ratings.core.outcomes import BothBad, IntArray, OutcomeCells, cells_from_votes
from ratings.core.ranking import DRAWS
from ratings.core.standings import Standings, standings
from ratings.funnel import vote_funnel
from ratings.models import RatingEntry, RatingSnapshot

METHOD = "bradley-terry"
FILTERS = {"category": "overall", "style_control": False}
BOTH_BAD: BothBad = "tie"
LEVEL = 0.95
PARAMETERS = {
    "both_bad": BOTH_BAD,
    "level": LEVEL,
    "mean": MEAN_RATING,
    "points_per_factor_of_ten_in_odds": 400,
    "interval": "sandwich, votes independent",
    "rank_range": "simultaneous pairwise differences (max-T)",
    "draws": DRAWS,
}
SEED = 20_260_101

# An arbitrary constant: the key of the advisory lock under which snapshots are made.
SNAPSHOT_LOCK = 0x50524546_52415445


class FitInProgressError(Exception):
    """Another fit holds the lock."""


@dataclass(frozen=True, slots=True)
class _Input:
    """Everything that the numbers of a snapshot follow from."""

    log: VoteLog
    language_models: list[LanguageModel]
    cells: OutcomeCells
    rows: list[list[int]]
    digest: str


def snapshot_fit(*, reason: str = "", wait: bool = True) -> RatingSnapshot:
    """Rate the counted votes of the ledger and publish the result; return the snapshot.

    When ledger, models, method and versions are those of the newest snapshot, that one is returned
    and nothing is written. Takes the advisory lock SNAPSHOT_LOCK until the transaction ends, so
    that a fit sees all that the one before it published; with `wait=False` raises
    FitInProgressError when another fit holds it. Raises VoteDataError for too many models.
    """
    with transaction.atomic():
        _lock(wait=wait)
        data = _input()
        newest = RatingSnapshot.objects.filter(method=METHOD, filters=FILTERS).first()
        if newest is not None and _is_same(newest, data):
            return newest
        result = standings(data.cells, both_bad=BOTH_BAD, level=LEVEL, draws=DRAWS, seed=SEED)
        snapshot = RatingSnapshot.objects.create(
            reason=reason,
            method=METHOD,
            filters=FILTERS,
            parameters=PARAMETERS,
            seed=SEED,
            versions=_versions(),
            ledger_sequence=data.log.ledger_sequence,
            ledger_hash=data.log.ledger_hash,
            funnel=vote_funnel(data.log.exclusion),
            cells=data.rows,
            input_digest=data.digest,
            notes=_notes(result),
        )
        RatingEntry.objects.bulk_create(_entries(snapshot, data.language_models, result))
    return snapshot


def _lock(*, wait: bool) -> None:
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SNAPSHOT_LOCK])
            return
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SNAPSHOT_LOCK])
        if not cursor.fetchone()[0]:
            raise FitInProgressError("another fit is running: its snapshot appears when it ends")


def _input() -> _Input:
    log = vote_log()
    # Read after the votes: a model that a vote names is in the registry by then.
    language_models = list(language_models_listed().order_by("pk"))
    ids = np.array([model.pk for model in language_models], dtype=np.int64)
    counted = log.exclusion == ""
    cells = cells_from_votes(
        np.searchsorted(ids, log.model_a[counted]),
        np.searchsorted(ids, log.model_b[counted]),
        log.outcome[counted],
        models=len(ids),
    )
    rows = _cell_rows(cells, ids)
    return _Input(
        log=log,
        language_models=language_models,
        cells=cells,
        rows=rows,
        digest=_digest([model.slug for model in language_models], ids, rows),
    )


def _cell_rows(cells: OutcomeCells, ids: IntArray) -> list[list[int]]:
    first, second = np.nonzero(cells.counts.sum(axis=2))
    rows: list[list[int]] = np.column_stack(
        [ids[first], ids[second], cells.counts[first, second]]
    ).tolist()
    return rows


def _digest(slugs: list[str], ids: IntArray, rows: list[list[int]]) -> str:
    """By slug, not by primary key, so that another installation of the same votes agrees."""
    slug_of = dict(zip(ids.tolist(), slugs, strict=True))
    content = {
        "method": METHOD,
        "filters": FILTERS,
        "parameters": PARAMETERS,
        "seed": SEED,
        "models": sorted(slugs),
        "cells": sorted([slug_of[a], slug_of[b], *counts] for a, b, *counts in rows),
    }
    return hashlib.sha256(
        json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def _is_same(newest: RatingSnapshot, data: _Input) -> bool:
    return (
        newest.ledger_hash == data.log.ledger_hash
        and newest.input_digest == data.digest
        and newest.versions == _versions()
    )


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("preferendum", "numpy", "scipy")}


def _notes(result: Standings) -> list[str]:
    notes = []
    if not np.isnan(result.se).all():
        notes.append("Intervals treat every vote as independent of the others, whoever cast it.")
    if result.groups > 1:
        notes.append(
            f"The votes form {result.groups} groups of models that no chain of votes connects; "
            "only the largest set that can be compared is rated."
        )
    unrated = int(np.isnan(result.rating).sum())
    if unrated:
        notes.append(
            f"No finite rating yet: {unrated} of {len(result.rating)} models; each row says why."
        )
    return notes


def _entries(
    snapshot: RatingSnapshot, language_models: list[LanguageModel], result: Standings
) -> list[RatingEntry]:
    return [
        RatingEntry(
            snapshot=snapshot,
            model=model,
            rating=_number(result.rating[row]),
            lower=_number(result.lower[row]),
            upper=_number(result.upper[row]),
            se=_number(result.se[row]),
            rank=int(result.rank[row]) or None,
            rank_low=int(result.rank_low[row]) or None,
            rank_high=int(result.rank_high[row]) or None,
            votes=int(result.votes[row]),
            component=None if result.group[row] < 0 else int(result.group[row]),
            reason=result.reasons[row],
        )
        for row, model in enumerate(language_models)
    ]


def _number(value: Any) -> float | None:
    """A number that exists, or null: a snapshot knows no NaN."""
    return None if math.isnan(value) else float(value)
