"""The leaderboard as CSV, safe to open in a spreadsheet. Knows nothing of requests."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

from ratings.selectors import LeaderboardRow

COLUMNS = (
    "rank", "rank_low", "rank_high", "model", "name", "organization", "licence", "status",
    "rating", "lower", "upper", "votes", "reason",
)  # fmt: skip

# A spreadsheet takes a text that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def leaderboard_csv(rows: Iterable[LeaderboardRow]) -> str:
    """One line a model after a line of names; numbers that do not exist are empty."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(row, column)) for column in COLUMNS] for row in rows)
    return text.getvalue()


def _cell(value: str | float | None) -> str | float | None:
    """Text that a spreadsheet would run gets an apostrophe; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
