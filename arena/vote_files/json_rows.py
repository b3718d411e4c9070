"""Votes in JSON: one object a line, or one list of objects.

Lines are read by Arrow, which is fast, as long as they hold what the first ones promise. From the
first block on that does not, and for whole conversations and lists, Python's own parser reads on:
it takes what is unusual, and names the line of what is wrong.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pa_json

from arena.vote_files.columns import column_from_arrow, column_from_values
from arena.vote_files.errors import VoteFileError
from arena.vote_files.json_list import list_items
from arena.vote_files.sources import BLOCK_BYTES, ROWS_WITH_TEXTS, Block, ByteStream

Record = dict[str, Any]

# Fields may be left out of an object, so several are looked at.
_ROWS_LOOKED_AT = 100
_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


class JsonSource:
    """One file of JSON objects; a field that an object leaves out is None there."""

    def __init__(self, path: Path, compression: str | None, *, is_list: bool) -> None:
        self.path = path
        self._compression = compression
        self._is_list = is_list
        self._stream = ByteStream(path, compression)
        self._first = list(itertools.islice(self._records(), _ROWS_LOOKED_AT))
        self.fields: tuple[str, ...] = tuple(dict.fromkeys(itertools.chain(*self._first)))

    @property
    def fraction(self) -> float:
        return self._stream.fraction

    def blocks(self, coded: Sequence[str], values: Sequence[str]) -> Iterator[Block]:
        rows = 0
        schema = None if values or self._is_list else self._schema(coded)
        if schema is not None:
            try:
                for block in self._arrow_blocks(schema):
                    rows += block.rows
                    yield block
                return
            except (pa.ArrowException, OSError):
                pass  # read on below, where the place of what is wrong is known
        records = itertools.islice(self._records(), rows, None)
        while chunk := list(itertools.islice(records, ROWS_WITH_TEXTS)):
            yield Block(
                rows=len(chunk),
                coded={n: column_from_values([row.get(n) for row in chunk]) for n in coded},
                values={n: [row.get(n) for row in chunk] for n in values},
            )

    def _schema(self, fields: Sequence[str]) -> pa.Schema | None:
        """Arrow's types of these fields, if the first rows show them plainly."""
        types = []
        for field in fields:
            kinds = {type(row.get(field)) for row in self._first} - {type(None)}
            if len(kinds) != 1 or not kinds <= _TYPES.keys():
                return None
            types.append((field, _TYPES[kinds.pop()]))
        return pa.schema(types)

    def _arrow_blocks(self, schema: pa.Schema) -> Iterator[Block]:
        self._stream = ByteStream(self.path, self._compression)
        options = pa_json.ReadOptions(use_threads=False, block_size=BLOCK_BYTES)
        parse = pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        for batch in pa_json.open_json(self._stream.file, options, parse):
            coded = {name: column_from_arrow(batch.column(name)) for name in schema.names}
            yield Block(rows=batch.num_rows, coded=coded, values={})

    def _records(self) -> Iterator[Record]:
        self._stream = ByteStream(self.path, self._compression)
        file = io.BufferedReader(self._stream.file, 1 << 20)
        try:
            yield from list_items(self.path, file) if self._is_list else self._lines(file)
        except OSError as error:
            raise VoteFileError(self.path, f"cannot be read: {error}") from error

    def _lines(self, file: io.BufferedReader) -> Iterator[Record]:
        for number, line in enumerate(file, 1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line.isspace():
                continue
            try:
                record = json.loads(line)
            except UnicodeDecodeError as error:
                raise VoteFileError(self.path, "not UTF-8", line=number) from error
            except (ValueError, RecursionError) as error:
                raise VoteFileError(self.path, f"not JSON: {error}", line=number) from error
            if not isinstance(record, dict):
                raise VoteFileError(self.path, "not an object of one vote", line=number)
            yield record
