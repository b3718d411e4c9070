"""Making a snapshot again from the ledger that it names, and comparing. Writes nothing.

Counts must be identical and ratings equal within TOLERANCE. What an erasure has taken cannot be
made again: whose an erased vote was, and so how wide intervals are. Its outcome stays in the
ledger, so that point ratings still follow from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from arena.ledger import LedgerBrokenError
from inference.models import LanguageModel
from ratings.board_fit import board_fit
from ratings.board_votes import VoteRows, board_votes
from ratings.core.outcomes import IntArray, OutcomeCells, VoteDataError
from ratings.core.standings import Standings
from ratings.funnel import vote_funnel
from ratings.ledger_votes import (
    LedgerVotes,
    Progress,
    VoteDetails,
    counted_of,
    funnel_of,
    is_tagged,
    ledger_votes,
    vote_details,
)
from ratings.models import RatingEntry, RatingSnapshot
from ratings.selectors.voters import sequences_digest

# Rating points.
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Verification:
    """`difference` is the first one found, "" where there is none; `erased` counts the snapshot's
    counted votes whose voter and texts have been erased since; `versions` names what computes
    otherwise now, as "numpy 2.3.3, now 2.4.0".
    """

    difference: str
    erased: int
    versions: tuple[str, ...]


class _DifferenceError(Exception):
    """The first thing that is not as the snapshot has it."""


def snapshot_verify(*, snapshot: RatingSnapshot, progress: Progress) -> Verification:
    """Count and fit again what the snapshot was made from."""
    versions = tuple(
        f"{name} {then}, now {version(name)}"
        for name, then in snapshot.versions.items()
        if version(name) != then
    )
    erased = 0
    try:
        votes = ledger_votes(upto=snapshot.ledger_sequence, progress=progress)
        if votes.hash != snapshot.ledger_hash:
            raise _DifferenceError(
                f"ledger entry {snapshot.ledger_sequence} has the hash {votes.hash}, the snapshot "
                f"was made from {snapshot.ledger_hash}"
            )
        details = vote_details(votes, category=snapshot.category)
        left_out = _left_out(snapshot)
        counted = counted_of(votes, details, category=snapshot.category, left_out=left_out)
        # Which categories an erased vote had is not known any more: it may have had this one.
        mine = votes.exclusion == "" if is_tagged(snapshot.category) else counted
        erased = int((details.erased & mine).sum())
        _compare_counts(snapshot, votes, details, counted, erased, left_out)
        _compare_fit(snapshot, votes, details, counted, erased)
    except (_DifferenceError, LedgerBrokenError) as difference:
        return Verification(str(difference), erased, versions)
    except VoteDataError as error:
        return Verification(f"what was counted cannot be: {error}", erased, versions)
    return Verification("", erased, versions)


def _compare_counts(
    snapshot: RatingSnapshot,
    votes: LedgerVotes,
    details: VoteDetails,
    counted: np.ndarray[Any, Any],
    erased: int,
    left_out: IntArray,
) -> None:
    """Cells and funnel, exactly; where tags are gone with erased votes, as far as they tell."""
    ids = _entry_ids(snapshot)
    stored = board_votes(ids, _stored_cells(snapshot)).cells
    found = _cells(votes, counted, ids)
    hint = ""
    missing = np.zeros_like(stored.counts)
    if is_tagged(snapshot.category):
        hint = "; votes may have been tagged anew since"
        lost = details.erased & ~details.in_category & (votes.exclusion == "")
        missing = _cells(votes, lost, ids).counts
    off = (stored.counts < found.counts) | (stored.counts > found.counts + missing)
    if off.any():
        first, second, _ = np.argwhere(off)[0]
        slugs = dict(LanguageModel.objects.filter(pk__in=ids).values_list("pk", "slug"))
        raise _DifferenceError(
            f"{slugs[int(ids[first])]} shown before {slugs[int(ids[second])]}: the snapshot counts "
            f"{stored.counts[first, second].tolist()} (wins, losses, ties, both bad), the ledger "
            f"{found.counts[first, second].tolist()}{hint}"
        )
    funnel = vote_funnel(funnel_of(votes, details, category=snapshot.category, left_out=left_out))
    slack = erased if is_tagged(snapshot.category) else 0
    for key in sorted({*funnel, *snapshot.funnel}):
        then, now = snapshot.funnel.get(key, 0), funnel.get(key, 0)
        if not now <= then <= now + slack:
            raise _DifferenceError(
                f"the funnel's {key} is {then} in the snapshot, {now} in the ledger{hint}"
            )


def _compare_fit(
    snapshot: RatingSnapshot,
    votes: LedgerVotes,
    details: VoteDetails,
    counted: np.ndarray[Any, Any],
    erased: int,
) -> None:
    ids = _entry_ids(snapshot)
    if erased and snapshot.parameters.get("features"):
        return  # Whose style was whose is gone with the texts.
    rows = None
    if not erased:
        numbers = _ids_of(votes.slugs)
        rows = VoteRows(
            model_a=numbers[votes.model_a[counted]],
            model_b=numbers[votes.model_b[counted]],
            outcome=votes.outcome[counted],
            voter=details.rows.voter[counted],
            prompt=details.rows.prompt[counted],
            features=None if details.rows.features is None else details.rows.features[counted],
        )
    again = board_fit(
        board_votes(ids, _stored_cells(snapshot), rows),
        method=snapshot.method,
        parameters=snapshot.parameters,
        seed=snapshot.seed,
    )
    names = ("rating",) if erased else ("rating", "lower", "upper", "rank_low", "rank_high")
    for entry in snapshot.entries.select_related("model").order_by("model_id"):
        row = int(np.searchsorted(ids, entry.model_id))
        for name in names:
            _compare_number(entry, name, again, row)


def _compare_number(entry: RatingEntry, name: str, again: Standings, row: int) -> None:
    then = getattr(entry, name)
    now = float(getattr(again, name)[row])
    missing = np.isnan(now) or (name.startswith("rank") and now == 0)
    if (then is None) != missing or (then is not None and abs(then - now) > TOLERANCE):
        if then is None and name in ("lower", "upper") and again.se[row] == 0:
            return  # An error of nothing is none that was measured, and not published.
        raise _DifferenceError(
            f"{entry.model.slug}: {name} is {then} in the snapshot, "
            f"{None if missing else now} when fitted again"
        )


def _left_out(snapshot: RatingSnapshot) -> IntArray:
    """The votes of flagged voters that it leaves out, as it published their digest."""
    published = snapshot.parameters.get("left_out")
    if published is None:
        return np.empty(0, dtype=np.int64)
    if sequences_digest(snapshot.left_out) != published["sequences_sha256"]:
        raise _DifferenceError(
            "the votes of flagged voters that it keeps as left out are not those of the digest "
            "that it published"
        )
    return np.array(snapshot.left_out, dtype=np.int64)


def _entry_ids(snapshot: RatingSnapshot) -> IntArray:
    ids = snapshot.entries.order_by("model_id").values_list("model_id", flat=True)
    return np.array(list(ids), dtype=np.int64)


def _stored_cells(snapshot: RatingSnapshot) -> IntArray:
    return np.array(snapshot.cells, dtype=np.int64).reshape(-1, 6)


def _ids_of(slugs: Sequence[str]) -> IntArray:
    known = dict(LanguageModel.objects.filter(slug__in=slugs).values_list("slug", "pk"))
    for slug in slugs:
        if slug not in known:
            raise _DifferenceError(f"the ledger speaks of {slug!r}, which no model is called now")
    return np.array([known[slug] for slug in slugs], dtype=np.int64)


def _cells(
    votes: LedgerVotes,
    chosen: np.ndarray[Any, Any],
    ids: IntArray,
) -> OutcomeCells:
    numbers = _ids_of(votes.slugs)
    one_each = np.zeros((int(chosen.sum()), 4), dtype=np.int64)
    one_each[np.arange(len(one_each)), votes.outcome[chosen]] = 1
    model_a, model_b = numbers[votes.model_a[chosen]], numbers[votes.model_b[chosen]]
    unknown = set(np.concatenate([model_a, model_b]).tolist()) - set(ids.tolist())
    if unknown:
        slug = LanguageModel.objects.get(pk=min(unknown)).slug
        raise _DifferenceError(f"{slug} has votes in the ledger and no row in the snapshot")
    return board_votes(ids, np.column_stack([model_a, model_b, one_each])).cells
