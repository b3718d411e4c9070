"""Rows as CSV, safe to open in a spreadsheet. Knows nothing of requests."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

LEADERBOARD = (
    "rank", "rank_low", "rank_high", "model", "name", "organization", "licence", "status",
    "rating", "lower", "upper", "votes", "exclusion_rate", "leak_rate", "reason",
)  # fmt: skip
HISTORY = (
    "snapshot", "created_at", "rank", "rank_low", "rank_high", "rating", "lower", "upper", "votes",
    "reason",
)  # fmt: skip
PAIRS = (
    "model_a", "model_b", "wins_a", "wins_b", "ties", "both_bad", "votes", "observed", "predicted",
)  # fmt: skip
COMPARISON = (
    "category", "model_a", "model_b",
    "difference", "difference_lower", "difference_upper",
    "probability", "probability_lower", "probability_upper",
    "wins_a", "wins_b", "ties", "both_bad", "votes", "observed", "reason",
)  # fmt: skip

# A spreadsheet takes a text that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_table(columns: Sequence[str], rows: Iterable[Any]) -> str:
    """One line a row, of its attributes named by `columns`, after a line of those names.

    Numbers that do not exist are empty.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run gets an apostrophe; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
