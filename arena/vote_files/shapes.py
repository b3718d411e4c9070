"""The shapes of public vote files: known by their field names, and what their values may be.

Reads no files. 33k, 55k, 100k and 140k are the data sets of LMArena; `counts`, `plain` and
`preferendum` are ours (docs/vote-files.md).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any, Literal

from arena.vote_files.errors import BadValueError, shown

ShapeName = Literal["33k", "55k", "100k", "140k", "counts", "plain", "preferendum"]

# The outcomes as integers, as in the vote log and in `ratings.core.outcomes.Outcome`.
A_WINS, B_WINS, TIE, BOTH_BAD = range(4)

COUNTS = ("wins_a", "wins_b", "ties", "both_bad")
ONE_HOT = ("winner_model_a", "winner_model_b", "winner_tie")
# No sum of so many counts of so many pairs leaves 64 bits.
LARGEST_COUNT = 10**12
# Squares and sums of numbers up to here are finite.
LARGEST_NUMBER = 1e100

WINNERS = {
    "model_a": A_WINS,
    "model_b": B_WINS,
    "tie": TIE,
    "tie (bothbad)": BOTH_BAD,
    "both_bad": BOTH_BAD,
}
SIDES = {"left": A_WINS, "right": B_WINS, "tie": TIE}
CHOICES = {"a": A_WINS, "b": B_WINS, "tie": TIE, "both_bad": BOTH_BAD}


class MissingColumnError(ValueError):
    """A column that this shape needs is not there; `column` is its name."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


@dataclass(frozen=True, slots=True)
class Shape:
    """How one shape says who met and what came of it.

    `models` are the two columns of names; `outcome` are the columns that say what came of it: one
    of labels (then `labels` says what they mean), the three of `ONE_HOT`, or the four of `COUNTS`.
    `exclusion` are columns that can say that a vote does not count.
    """

    name: ShapeName
    models: tuple[str, str]
    outcome: tuple[str, ...]
    labels: dict[str, int]
    exclusion: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read, each once."""
        return (*self.models, *self.outcome, *self.exclusion)


def shape_of(fields: Collection[str]) -> Shape:
    """Recognise the shape of a file with these fields. Raises MissingColumnError."""
    models = ("model_a", "model_b")
    if not set(models) & set(fields) and {"left", "right"} & set(fields):
        models = ("left", "right")
    if models == ("left", "right"):
        shape = Shape("plain", models, ("winner",), SIDES)
    elif {"wins_a", "wins_b"} & set(fields):
        shape = Shape("counts", models, COUNTS, {})
    elif set(ONE_HOT[:2]) & set(fields):
        shape = Shape("55k", models, ONE_HOT, {})
    elif "schema_version" in fields:
        exclusion = tuple(field for field in ("exclusion", "counted") if field in fields)
        is_choice = "choice" in fields
        outcome, labels = ("choice", CHOICES) if is_choice else ("winner", WINNERS)
        shape = Shape("preferendum", models, (outcome,), labels, exclusion)
    else:
        shape = Shape(_name_by_winner(fields), models, ("winner",), WINNERS)
    for column in shape.columns:
        if column not in fields:
            raise MissingColumnError(column)
    return shape


def _name_by_winner(fields: Collection[str]) -> ShapeName:
    if "evaluation_session_id" in fields:
        return "140k"
    if {"judge_hash", "dedup_tag"} & set(fields):
        return "100k"
    if "conversation_a" in fields and {"judge", "question_id"} & set(fields):
        return "33k"
    return "plain"


def model_name(value: Any) -> str:
    """A name as text; whole numbers are taken too. Raises BadValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or value == "":
        raise BadValueError("no model name")
    return _text(value, "a model name")


def outcome_of(value: Any, labels: dict[str, int]) -> int:
    """The outcome that a label stands for, which must match to the letter. Raises BadValueError."""
    if value is None:
        raise BadValueError("nothing stands here")
    outcome = labels.get(_text(value, "a label"))
    if outcome is None:
        raise BadValueError(f"{shown(value)} is not one of {', '.join(labels)}")
    return outcome


def whole_count(value: Any) -> int:
    """A count of votes, as a number or as text. Raises BadValueError."""
    number = number_of(value)
    if number < 0 or number != int(number):
        raise BadValueError(f"{shown(value)} is not a whole number of votes from 0 up")
    if number > LARGEST_COUNT:
        raise BadValueError(f"{shown(value)} votes are more than can be counted")
    return int(number)


def one_or_zero(value: Any) -> int:
    """A mark of a one-hot column. Raises BadValueError."""
    number = number_of(value)
    if number not in (0, 1):
        raise BadValueError(f"{shown(value)} is neither 0 nor 1")
    return int(number)


def number_of(value: Any) -> float:
    """A finite number, as a number or as text. Raises BadValueError."""
    if value is None or value == "":
        raise BadValueError("no number stands here")
    if not isinstance(value, str | int | float | Decimal):
        raise BadValueError(f"{shown(value)} is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        raise BadValueError(f"{shown(value)} is not a number") from error
    if not isfinite(number):
        raise BadValueError(f"{shown(value)} is not a finite number")
    if abs(number) > LARGEST_NUMBER:
        raise BadValueError(f"{shown(value)} is too large a number")
    return number


def is_excluded(column: str, value: Any) -> bool:
    """Whether `exclusion` or `counted` says that the vote does not count. Raises BadValueError."""
    if column == "exclusion":
        return value is not None and _text(value, "a reason") != ""
    for answer, values in (
        (False, (True, 1, "true", "True")),
        (True, (False, 0, "false", "False")),
    ):
        if value in values:
            return answer
    raise BadValueError(f"{shown(value)} is neither true nor false")


def group_key(value: Any) -> Any:
    """What tells one voter or prompt from another. Raises BadValueError."""
    if value is None or value == "" or value != value:
        raise BadValueError("nothing stands here, and every vote needs a value to be grouped by")
    if isinstance(value, list | dict):
        raise BadValueError("a list or an object stands here: group by plain values")
    return value


def _text(value: Any, what: str) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise BadValueError(f"{shown(value)} is not UTF-8") from error
    if not isinstance(value, str):
        raise BadValueError(f"{shown(value)} is not {what}")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise BadValueError(f"{shown(value)} holds half of a surrogate pair")
    return value
