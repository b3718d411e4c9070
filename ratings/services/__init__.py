"""All writes of ratings: the votes as they are kept for rating, and snapshots."""

from __future__ import annotations

from ratings.services.history import snapshots_thin
from ratings.services.locking import FitInProgressError
from ratings.services.snapshots import boards_fit, snapshot_fit
from ratings.services.votes import FoldError

__all__ = ["FitInProgressError", "FoldError", "boards_fit", "snapshot_fit", "snapshots_thin"]
