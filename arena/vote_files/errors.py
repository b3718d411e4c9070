"""What is wrong with a vote file, in one line that names the place. Knows no file format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_SHOWN_CHARACTERS = 60
_SHOWN_NAMES = 30


class VoteFileError(ValueError):
    """A vote file that cannot be read; the message is one line, `FILE: row N, column C: …`.

    Rows are data rows counted from 1: the header of a CSV file and blank lines are not counted.
    `line` is a line of the file, where what stands there is not even a row.
    """

    def __init__(
        self,
        path: Path,
        message: str,
        *,
        row: int | None = None,
        column: str | None = None,
        line: int | None = None,
    ) -> None:
        parts = []
        if line is not None:
            parts.append(f"line {line}")
        if row is not None:
            parts.append(f"row {row}")
        if column is not None:
            parts.append(f"column {named(column)}")
        place = f"{', '.join(parts)}: " if parts else ""
        super().__init__(f"{named(str(path))}: {place}{visible(' '.join(message.split()))}")


class BadValueError(ValueError):
    """A value that its column cannot hold; whoever knows the row turns it into VoteFileError."""


def shown(value: Any) -> str:
    """A value as an error shows it: on one line, and short."""
    return _short(repr(value))


def named(name: str) -> str:
    """A name as it is, or quoted where it holds what one would not see."""
    return name if name and name == name.strip() and name.isprintable() else repr(name)


def visible(text: str) -> str:
    """The text with what cannot be seen, such as the end of a line, written out."""
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in text
    )


def listed(names: tuple[str, ...]) -> str:
    """Names with commas, the first ones of many."""
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(_short(named(name)) for name in names[:_SHOWN_NAMES]) + more


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
