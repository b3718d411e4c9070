"""What all kinds of vote files have in common: named fields, and blocks of rows.

What the columns mean is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from arena.vote_files.columns import CodedColumn
from arena.vote_files.errors import VoteFileError, listed

# Rows of a block when whole conversations come along, and when only short columns do.
ROWS_WITH_TEXTS = 1024
ROWS = 1 << 18
BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Some successive rows: coded columns, and columns of Python values (a list of `rows`)."""

    rows: int
    coded: dict[str, CodedColumn]
    values: dict[str, list[Any]]


class Source(Protocol):
    """A file of rows. `fields` are its column names in their order."""

    path: Path
    fields: tuple[str, ...]

    def blocks(self, coded: Sequence[str], values: Sequence[str]) -> Iterator[Block]:
        """Read these columns, all of them among `fields`. Raises VoteFileError."""

    @property
    def fraction(self) -> float:
        """How much of the file has been read, from 0 to 1."""


class ByteStream:
    """A file's bytes, decompressed, and how far one has come in it."""

    def __init__(self, path: Path, compression: str | None) -> None:
        self._raw = pa.OSFile(str(path))
        self._size = max(path.stat().st_size, 1)
        self.file = pa.CompressedInputStream(self._raw, compression) if compression else self._raw

    @property
    def fraction(self) -> float:
        return 1.0 if self._raw.closed else float(self._raw.tell() / self._size)


def refuse_repeated(path: Path, fields: Sequence[str]) -> None:
    """Raise VoteFileError when a column name stands twice."""
    repeated = {field: None for field in fields if fields.count(field) > 1}
    if repeated:
        raise VoteFileError(path, f"columns that stand twice: {listed(tuple(repeated))}")
