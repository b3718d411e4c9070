"""Publishing one board: fit it to the votes as they have been read, and store what came out.

What a run of several boards has in common is given; when to run is not known here.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from arena.ledger_heads import head_sign
from inference.models import LanguageModel
from ratings.board_fit import (
    CLUSTERED,
    METHOD,
    SEED,
    WIDENED,
    Parameters,
    board_fit,
    parameters_clustered,
    parameters_common,
    parameters_widened,
    variance_factor,
)
from ratings.board_votes import BoardVotes, RowsDifferError, VoteRows, board_votes
from ratings.boards import EXCLUDE_FLAGGED, OVERALL_BOARD, Board
from ratings.core.outcomes import IntArray
from ratings.core.standings import Effect, Standings
from ratings.covariance import covariance_pack
from ratings.funnel import NEVER_COUNTED, vote_funnel
from ratings.models import FoldCursor, RatingEntry, RatingSnapshot
from ratings.selectors.cubes import (
    CategoryCounts,
    Selection,
    category_counts,
    pacing_counts,
    selection_of,
)
from ratings.selectors.leaderboard import snapshots_of
from ratings.selectors.rows import rows_read
from ratings.selectors.voters import sequences_digest
from ratings.services.votes import MEND, FoldError

# A refit right after a vote reads every single vote up to here (some seconds); beyond that it takes
# the cells and what clusters last did to the variances, and the next full fit sets that right.
CLUSTERED_AT_ONCE = 100_000

NO_INTERVAL = "these votes leave no measure of its error: no interval yet"


@dataclass(frozen=True, slots=True)
class Run:
    """What all boards of one run share."""

    cursor: FoldCursor
    language_models: Sequence[LanguageModel]
    reason: str
    quick: bool

    @property
    def ids(self) -> IntArray:
        return np.array([model.pk for model in self.language_models], dtype=np.int64)


def board_publish(run: Run, board: Board) -> RatingSnapshot | None:
    """The board's snapshot of these votes; None while it never had any, but for the overall one."""
    selection = selection_of(board.category)
    counts = category_counts(selection)
    newest = snapshots_of(board=board).first()
    if newest is None and not len(counts.rows) and board != OVERALL_BOARD:
        return None
    digests = _digests(run, board, counts)
    versions = _versions()
    base = _widening(board) if run.quick and counts.rows[:, 2:].sum() > CLUSTERED_AT_ONCE else None
    good_enough = [digests[CLUSTERED], *([digests[WIDENED]] if base else [])]
    if newest is not None and newest.input_digest in good_enough and newest.versions == versions:
        return newest
    parameters: Parameters
    if base is not None:
        parameters = base
        votes = board_votes(run.ids, counts.rows)
    else:
        rows = rows_read(selection, style=board.style_control)
        parameters = parameters_clustered(rows)
        votes = _checked(run.ids, counts, rows)
    result = board_fit(votes, method=METHOD, parameters=parameters, seed=SEED)
    if board.category == EXCLUDE_FLAGGED:
        parameters = {**parameters, "left_out": _left_out(selection)}
    if base is None and not board.style_control:
        parameters = {**parameters, "variance_factor": variance_factor(votes, result)}
    snapshot = RatingSnapshot.objects.create(
        reason=run.reason,
        method=METHOD,
        filters=board.filters,
        parameters=parameters,
        seed=SEED,
        versions=versions,
        ledger_sequence=run.cursor.sequence,
        ledger_hash=run.cursor.hash,
        signed_head=asdict(head_sign(sequence=run.cursor.sequence, hash_=run.cursor.hash)),
        funnel=vote_funnel(counts.funnel),
        cells=counts.rows.tolist(),
        left_out=list(selection.left_out),
        input_digest=digests[parameters["interval"]],
        notes=_notes(result, parameters) + _votes_notes(selection, board),
        effects=[_effect(effect) for effect in result.effects],
        degrees_of_freedom=(
            result.degrees_of_freedom if math.isfinite(result.degrees_of_freedom) else None
        ),
        covariance=_covariance(run.ids, result),
    )
    RatingEntry.objects.bulk_create(_entries(snapshot, run, counts, result))
    return snapshot


def _checked(ids: IntArray, counts: CategoryCounts, rows: VoteRows) -> BoardVotes:
    try:
        return board_votes(ids, counts.rows, rows)
    except RowsDifferError as error:
        raise FoldError(f"{error}: {MEND}") from error


def _widening(board: Board) -> Parameters | None:
    """How to rate from cells alone, by the newest fit that read the votes; None without one."""
    full = snapshots_of(board=board).filter(parameters__interval=CLUSTERED).first()
    if full is None or full.degrees_of_freedom is None:
        return None
    factor = full.parameters.get("variance_factor")
    if factor is None:
        return None
    return parameters_widened(factor=factor, degrees_of_freedom=full.degrees_of_freedom)


def _digests(run: Run, board: Board, counts: CategoryCounts) -> dict[str, str]:
    """SHA-256 of all that the numbers follow from but the versions, for each kind of interval.

    By slug, not by primary key, so that another installation of the same votes agrees.
    """
    slugs = [model.slug for model in run.language_models]
    place = np.argsort(np.argsort(slugs))
    cells = counts.rows.copy()
    cells[:, :2] = place[np.searchsorted(run.ids, cells[:, :2])] if len(cells) else 0
    cells = cells[np.lexsort((cells[:, 1], cells[:, 0]))]
    digests = {}
    for interval in (CLUSTERED, WIDENED):
        content = {
            "method": METHOD,
            "filters": board.filters,
            "parameters": parameters_common(interval),
            "seed": SEED,
            "models": sorted(slugs),
            "funnel": vote_funnel(counts.funnel),
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
        digest.update(cells.astype("<i8").tobytes())
        digests[interval] = digest.hexdigest()
    return digests


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("preferendum", "numpy", "scipy")}


def _notes(result: Standings, parameters: Parameters) -> list[str]:
    notes = list(result.notes)
    if parameters["interval"] == WIDENED:
        notes.append(
            "A quick look after new votes: intervals are widened as the last full fit found; the "
            "next one, within five minutes, measures that anew."
        )
    if not np.isnan(result.se).all():
        notes.append("A voter who clears the cookie looks like two, and intervals are too narrow.")
    return notes


def _left_out(selection: Selection) -> dict[str, Any]:
    """What may be published of the votes that a board leaves out: not which they are."""
    review = selection.left_out_by
    return {
        "votes": len(selection.left_out),
        "sequences_sha256": sequences_digest(selection.left_out),
        "review": review.pk if review else None,
        "version": review.version if review else None,
    }


def _votes_notes(selection: Selection, board: Board) -> list[str]:
    """What a reader must know of the votes themselves."""
    notes = []
    paced = pacing_counts(selection)
    if len(paced) > 1:
        counts = ", ".join(
            f"{votes:,} {pacing or 'none'}"
            for pacing, votes in sorted(paced.items(), key=lambda item: (-item[1], item[0]))
        )
        notes.append(
            f"Answers were shown at different paces, and their votes are pooled here: {counts}."
        )
    if board.category == EXCLUDE_FLAGGED:
        review = selection.left_out_by
        notes.append(
            f"Leaves out {len(selection.left_out):,} votes of {review.flags.count()} voters whom "
            f"{review.version} flags. A flag is no verdict: their votes count elsewhere."
            if review
            else "No voters have been tested yet: nobody is left out."
        )
    return notes


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "name": effect.name,
        **{key: _number(getattr(effect, key)) for key in ("value", "se", "lower", "upper")},
    }


def _covariance(ids: IntArray, result: Standings) -> bytes | None:
    rated = np.flatnonzero(~np.isnan(result.rating))
    covariance = result.covariance[np.ix_(rated, rated)]
    return None if np.isnan(covariance).all() else covariance_pack(ids[rated], covariance)


def _entries(
    snapshot: RatingSnapshot, run: Run, counts: CategoryCounts, result: Standings
) -> list[RatingEntry]:
    entries = []
    for row, model in enumerate(run.language_models):
        # An error of nothing at all is no error that was measured.
        has_interval = bool(result.se[row] > 0)
        reason = result.reasons[row]
        excluded = counts.excluded.get(model.pk, {})
        entries.append(
            RatingEntry(
                snapshot=snapshot,
                model=model,
                rating=_number(result.rating[row]),
                lower=_number(result.lower[row]) if has_interval else None,
                upper=_number(result.upper[row]) if has_interval else None,
                se=_number(result.se[row]) if has_interval else None,
                rank=int(result.rank[row]) or None,
                rank_low=int(result.rank_low[row]) or None,
                rank_high=int(result.rank_high[row]) or None,
                votes=int(result.votes[row]),
                excluded=sum(
                    votes for cause, votes in excluded.items() if cause not in NEVER_COUNTED
                ),
                exclusions=dict(sorted(excluded.items())),
                component=None if result.group[row] < 0 else int(result.group[row]),
                reason=reason or ("" if has_interval else NO_INTERVAL),
            )
        )
    return entries


def _number(value: float) -> float | None:
    """A number that exists, or null: a snapshot knows no NaN."""
    return float(value) if math.isfinite(value) else None
