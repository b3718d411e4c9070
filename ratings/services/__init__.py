"""All writes of ratings: votes as they are kept for rating, snapshots, reviews of the voters."""

from __future__ import annotations

from ratings.services.history import snapshots_thin
from ratings.services.locking import FitInProgressError
from ratings.services.snapshots import boards_fit, snapshot_fit
from ratings.services.voters import voters_review
from ratings.services.votes import FoldError

__all__ = [
    "FitInProgressError",
    "FoldError",
    "boards_fit",
    "snapshot_fit",
    "snapshots_thin",
    "voters_review",
]
