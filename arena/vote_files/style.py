"""How the answers of a vote file are written: length, headers, bold and lists of either side.

Taken from the counts that a file brings along (`conv_metadata` of LMArena's data sets), else
counted from the answers themselves. What it does to votes is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.style_counts import StyleCounts, style_counts
from arena.vote_files.errors import BadValueError, VoteFileError, shown
from arena.vote_files.reader import VoteBatch
from arena.vote_files.shapes import number_of

FEATURES = ("length", "headers", "bold", "lists")
METADATA = "conv_metadata"

# For each feature the field of `conv_metadata`, `{}` being the side; most hold several counts.
_METADATA_FIELDS = (
    "sum_assistant_{}_tokens",
    "header_count_{}",
    "bold_count_{}",
    "list_count_{}",
)


def style_columns(fields: Collection[str]) -> tuple[str, ...]:
    """The columns to ask `open_votes` for as `values`; none when nothing tells the style."""
    for columns in (
        (METADATA,),
        ("conversation_a", "conversation_b"),
        ("response_a", "response_b"),
    ):
        if set(columns) <= set(fields):
            return columns
    return ()


def style_of_sides(path: Path, batch: VoteBatch) -> NDArray[np.float64]:
    """Counts of either answer, shape (votes, 2, features), from the columns of `style_columns`.

    Raises VoteFileError where a count is missing or an answer cannot be read.
    """
    columns = style_columns(batch.values)
    sides = np.empty((len(batch.row), 2, len(FEATURES)))
    if columns == (METADATA,):
        for side in (0, 1):
            for number, field in enumerate(_METADATA_FIELDS):
                name = field.format("ab"[side])
                read_field = partial(_published, field=name)
                sides[:, side, number] = _each(path, batch, METADATA, read_field, name)
        return sides
    read = _conversation if columns[0].startswith("conversation") else _responses
    for side, column in enumerate(columns):
        sides[:, side] = _each(path, batch, column, read)
    return sides


def _each(
    path: Path,
    batch: VoteBatch,
    column: str,
    read: Callable[[Any], Any],
    field: str = "",
) -> list[Any]:
    found = []
    for row, value in zip(batch.row, batch.values[column], strict=True):
        try:
            found.append(read(value))
        except BadValueError as error:
            place = f"{column}.{field}" if field else column
            raise VoteFileError(path, str(error), row=int(row), column=place) from error
    return found


def _published(value: Any, field: str) -> float:
    metadata = _parsed(value)
    if not isinstance(metadata, dict):
        raise BadValueError(f"{shown(value)} is not an object")
    count = metadata.get(field)
    parts = list(count.values()) if isinstance(count, dict) else [count]
    numbers = [number_of(part) for part in parts]
    if any(number < 0 for number in numbers):
        raise BadValueError(f"{shown(count)} is below 0")
    return sum(numbers)


def _conversation(value: Any) -> list[float]:
    """The assistant's messages; content is text, or a list of parts of which some have text."""
    messages = _parsed(value)
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise BadValueError(f"{shown(value)} is not a list of messages")
    return _counted(
        _content(message.get("content"))
        for message in messages
        if message.get("role") == "assistant"
    )


def _content(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    if content is None:
        return ""
    if not isinstance(content, str):
        raise BadValueError(f"{shown(content)} is not the text of a message")
    return content


def _responses(value: Any) -> list[float]:
    """A JSON list of answers; null where a model gave none, as the 55k data set has it."""
    answers = _parsed(value)
    if not isinstance(answers, list):
        raise BadValueError(f"{shown(value)} is not a list of answers")
    return _counted(_content(answer) for answer in answers)


def _counted(texts: Iterable[str]) -> list[float]:
    counts = sum((style_counts(text) for text in texts), StyleCounts())
    return [float(getattr(counts, feature)) for feature in FEATURES]


def _parsed(value: Any) -> Any:
    """The value itself, or what it says in JSON: CSV has no other way to hold a list."""
    if not isinstance(value, str | bytes):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadValueError(f"{shown(value)} is not JSON") from error
