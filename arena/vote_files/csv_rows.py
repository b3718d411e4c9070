"""Votes in CSV, as RFC 4180 has it: commas, double quotes, a header, UTF-8."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from arena.vote_files.columns import column_from_arrow
from arena.vote_files.errors import VoteFileError
from arena.vote_files.sources import BLOCK_BYTES, Block, ByteStream, refuse_repeated

_NO_TEXT = "is neither UTF-8 text nor Parquet"


class CsvSource:
    """One CSV file. Every value is text, and an empty one is "", never "missing"."""

    def __init__(self, path: Path, compression: str | None) -> None:
        self.path = path
        self._compression = compression
        self._stream = ByteStream(path, compression)
        self.fields: tuple[str, ...] = tuple(self._header())
        self._refuse_other_formats()
        refuse_repeated(path, self.fields)

    @property
    def fraction(self) -> float:
        return self._stream.fraction

    def blocks(self, coded: Sequence[str], values: Sequence[str]) -> Iterator[Block]:
        self._stream = ByteStream(self.path, self._compression)
        types = dict.fromkeys(values, pa.string())
        types.update(dict.fromkeys(coded, pa.dictionary(pa.int32(), pa.string())))
        try:
            reader = pa_csv.open_csv(
                self._stream.file,
                # Only one thread knows the numbers of the rows.
                read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
                parse_options=pa_csv.ParseOptions(newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=list(types), column_types=types, strings_can_be_null=False
                ),
            )
            for batch in reader:
                yield Block(
                    rows=batch.num_rows,
                    coded={name: column_from_arrow(batch.column(name)) for name in coded},
                    values={name: batch.column(name).to_pylist() for name in values},
                )
        except (pa.ArrowException, OSError) as error:
            raise self._explained(error) from error

    def _header(self) -> list[str]:
        lines = io.BufferedReader(self._stream.file)
        try:
            # Line by line: what is wrong further down is told with its row.
            rows = csv.reader(line.decode("utf-8-sig") for line in lines)
            return next((row for row in rows if row), [])
        except UnicodeDecodeError as error:
            raise VoteFileError(self.path, _NO_TEXT, line=1) from error
        except (csv.Error, OSError) as error:
            if "new-line character" in str(error):
                message = "lines end in a carriage return alone: end them in LF or CRLF"
                raise VoteFileError(self.path, message, line=1) from error
            raise VoteFileError(self.path, f"no header can be read: {error}", line=1) from error

    def _refuse_other_formats(self) -> None:
        header = ",".join(self.fields)
        if "\0" in header:
            raise VoteFileError(self.path, _NO_TEXT, line=1)
        if len(self.fields) == 1 and (found := re.search("[;\t|]", header)):
            raise VoteFileError(
                self.path, f"columns are separated by {found[0]!r}: separate them by commas", line=1
            )

    def _explained(self, error: Exception) -> VoteFileError:
        message = str(error)
        if found := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message):
            row, expected, actual = map(int, found.groups())
            return VoteFileError(
                self.path, f"{actual} values, where the header names {expected}", row=row - 1
            )
        if place := re.match(r"In CSV column #(\d+): Row #(\d+): .*invalid UTF8", message):
            column, row = int(place[1]), int(place[2]) - 1
            return VoteFileError(self.path, "not UTF-8", row=row, column=self.fields[column])
        if "straddles" in message:
            return VoteFileError(
                self.path,
                f"a row of more than {BLOCK_BYTES >> 20} MiB: is a closing quote missing?",
            )
        if "Empty CSV" in message:
            return VoteFileError(self.path, "there are no rows of votes")
        return VoteFileError(self.path, f"cannot be read: {message}")
