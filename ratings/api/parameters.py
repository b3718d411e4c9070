"""The query parameters of the leaderboard, read and refused. Knows no votes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from rest_framework.exceptions import ValidationError

CATEGORIES = ("overall",)
FORMATS = ("json", "csv")
NO = ("", "0", "false", "no", "off")
YES = ("1", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class LeaderboardQuery:
    """Which leaderboard, of which moment (None is now), in which form."""

    as_of: datetime | None
    format: str


def leaderboard_query(params: QueryDict) -> LeaderboardQuery:
    """Read the parameters; raises ValidationError that names the one at fault."""
    category = params.get("category") or "overall"
    if category not in CATEGORIES:
        raise ValidationError(
            {"category": f"There is no category {category!r}; there is: {', '.join(CATEGORIES)}."}
        )
    style_control = params.get("style_control", "").lower()
    if style_control in YES:
        raise ValidationError({"style_control": "There are no style-controlled ratings yet."})
    if style_control not in NO:
        raise ValidationError({"style_control": "Give true or false."})
    format_ = params.get("format") or "json"
    if format_ not in FORMATS:
        raise ValidationError({"format": f"Give one of: {', '.join(FORMATS)}."})
    return LeaderboardQuery(as_of=_moment(params.get("as_of", "")), format=format_)


def _moment(text: str) -> datetime | None:
    """A moment, or the end of a day; without a zone it is UTC."""
    if not text:
        return None
    try:
        moment = parse_datetime(text) if len(text) > len("2026-01-31") else None
        day = parse_date(text) if moment is None else None
    except ValueError:
        moment, day = None, None
    if day is not None:
        moment = datetime.combine(day, time.max)
    if moment is None:
        raise ValidationError(
            {"as_of": "Give a date or a moment such as 2026-01-31 or 2026-01-31T12:00:00Z."}
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
