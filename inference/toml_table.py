"""A TOML table read against a dataclass: unknown or missing fields and wrong types are errors.

It knows nothing of what the fields mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints


class TableError(ValueError):
    """A table that breaks a rule; one line that names the file, the table and the field."""


class Table:
    """A TOML table with the words that an error needs to point at it."""

    def __init__(self, file: Path, where: str, values: Mapping[str, Any]) -> None:
        self.file = file
        self.where = where
        self.values = values

    def error(self, name: str, problem: str) -> TableError:
        place = f"{self.where}: {name}" if name else self.where
        return TableError(f"{self.file.name}: {place}: {problem}")

    def child(self, name: str, values: Any) -> Table:
        if not isinstance(values, dict):
            raise self.error(name, "must be a table")
        return Table(self.file, f"{self.where}: {name}", values)

    def read(self, spec: type[Any], *, nested: tuple[str, ...] = ()) -> dict[str, Any]:
        """Values by field of the dataclass `spec`, types checked; `nested` fields are left out."""
        known: dict[str, Field[Any]] = {item.name: item for item in fields(spec)}
        for name in self.values:
            if name not in known:
                raise self.error(name, f"unknown field; known are {', '.join(known)}")
        hints = get_type_hints(spec)
        values: dict[str, Any] = {}
        for name, item in known.items():
            if name in nested:
                continue
            if name in self.values:
                values[name] = self.convert(name, self.values[name], hints[name])
            elif item.default is MISSING and item.default_factory is MISSING:
                raise self.error(name, "is missing")
        return values

    def convert(self, name: str, value: Any, hint: Any) -> Any:
        """`value` as the type `hint`, or a `TableError`; a whole number may stand for a decimal."""
        if get_origin(hint) is UnionType:
            hint = next(part for part in get_args(hint) if part is not type(None))
        if get_origin(hint) is tuple:
            if not isinstance(value, list):
                raise self.error(name, "must be a list")
            return tuple(self.convert(name, entry, get_args(hint)[0]) for entry in value)
        number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if hint in (float, Decimal):
            if not number or not Decimal(value).is_finite():
                raise self.error(name, "must be a number")
            return hint(value)
        if hint is date:
            if not isinstance(value, date) or isinstance(value, datetime):
                raise self.error(
                    name, "must be a date such as 2026-01-31, without quotes or a time"
                )
            return value
        words = {str: "a text in quotes", bool: "true or false", int: "a whole number"}
        if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
            raise self.error(name, f"must be {words[hint]}")
        return value

    def check(self, name: str, held: bool, problem: str) -> None:
        if not held:
            raise self.error(name, problem)
