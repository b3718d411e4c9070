"""The query parameters of published ratings, read and refused. Knows no votes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from rest_framework.exceptions import ValidationError

from inference.models import LanguageModel
from inference.selectors import language_models_listed
from ratings.boards import OVERALL, Board
from ratings.selectors import categories_listed

FORMATS = ("json", "csv")
NO = ("", "0", "false", "no", "off")
YES = ("1", "true", "yes", "on")
FEWEST_COMPARED, MOST_COMPARED = 2, 10


@dataclass(frozen=True, slots=True)
class RatingsQuery:
    """Which board, of which moment (None is now), in which form."""

    board: Board
    as_of: datetime | None
    format: str


def ratings_query(params: QueryDict) -> RatingsQuery:
    """Read the parameters; raises ValidationError that names the one at fault.

    Costs a query where a category is asked for.
    """
    category = params.get("category") or OVERALL
    if category != OVERALL and category not in (known := categories_listed()):
        raise ValidationError(
            {"category": f"There is no category {category!r}; there is: {', '.join(known)}."}
        )
    style_control = params.get("style_control", "").lower()
    if style_control not in (*NO, *YES):
        raise ValidationError({"style_control": "Give true or false."})
    format_ = params.get("format") or "json"
    if format_ not in FORMATS:
        raise ValidationError({"format": f"Give one of: {', '.join(FORMATS)}."})
    return RatingsQuery(
        board=Board(category, style_control in YES),
        as_of=_moment(params.get("as_of", "")),
        format=format_,
    )


def compared_models(params: QueryDict) -> list[LanguageModel]:
    """The models that `models` names; raises ValidationError for unknown ones or a wrong number."""
    slugs = list(dict.fromkeys(slug for slug in params.get("models", "").split(",") if slug))
    if not FEWEST_COMPARED <= len(slugs) <= MOST_COMPARED:
        raise ValidationError(
            {
                "models": f"Name {FEWEST_COMPARED} to {MOST_COMPARED} different models, separated "
                "by commas."
            }
        )
    models = list(language_models_listed().filter(slug__in=slugs))
    unknown = sorted(set(slugs) - {model.slug for model in models})
    if unknown:
        raise ValidationError({"models": f"There is no model {', '.join(unknown)}."})
    return models


def _moment(text: str) -> datetime | None:
    """A moment, or the end of a day; without a zone it is UTC."""
    if not text:
        return None
    try:
        moment = parse_datetime(text) if len(text) > len("2026-01-31") else None
        if moment is None and (day := parse_date(text)) is not None:
            moment = datetime.combine(day, time.max)
        if moment is not None:
            # In UTC, since PostgreSQL knows no zone that is 16 hours off.
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # No such day, or none that has a moment in UTC.
    raise ValidationError(
        {"as_of": "Give a date or a moment such as 2026-01-31 or 2026-01-31T12:00:00Z."}
    )
