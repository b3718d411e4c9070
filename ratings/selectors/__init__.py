"""All reads of ratings: published snapshots, and the votes that they are made from."""

from __future__ import annotations

from ratings.selectors.comparison import (
    CategoryComparison,
    Comparison,
    ComparisonRow,
    comparison,
    snapshots_newest,
)
from ratings.selectors.cubes import categories_listed
from ratings.selectors.leaderboard import (
    HISTORY_LENGTH,
    HistoryPoint,
    LeaderboardRow,
    history,
    leaderboard,
    registry_digest,
    snapshot_latest,
    snapshots_of,
)
from ratings.selectors.pairs import PairRow, pairs
from ratings.selectors.voters import review_latest, site_voting

__all__ = [
    "HISTORY_LENGTH",
    "CategoryComparison",
    "Comparison",
    "ComparisonRow",
    "HistoryPoint",
    "LeaderboardRow",
    "PairRow",
    "categories_listed",
    "comparison",
    "history",
    "leaderboard",
    "pairs",
    "registry_digest",
    "review_latest",
    "site_voting",
    "snapshot_latest",
    "snapshots_newest",
    "snapshots_of",
]
