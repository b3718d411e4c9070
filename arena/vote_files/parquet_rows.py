"""Votes in Parquet, read with their dictionaries and block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from arena.vote_files.columns import column_from_arrow
from arena.vote_files.errors import VoteFileError
from arena.vote_files.sources import ROWS, ROWS_WITH_TEXTS, Block, refuse_repeated


class ParquetSource:
    """One Parquet file. Memory stays flat however large its row groups are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._schema = pq.read_schema(path)
            self.fields: tuple[str, ...] = tuple(self._schema.names)
            self._rows: int = max(pq.read_metadata(path).num_rows, 1)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise VoteFileError(path, f"damaged or cut-off Parquet: {error}") from error
        refuse_repeated(path, self.fields)
        self._rows_read = 0

    @property
    def fraction(self) -> float:
        return self._rows_read / self._rows

    def blocks(self, coded: Sequence[str], values: Sequence[str]) -> Iterator[Block]:
        self._rows_read = 0
        for name in coded:
            kind = self._schema.field(name).type
            if pa.types.is_nested(kind):
                raise VoteFileError(self.path, f"holds {kind}, not plain values", column=name)
        try:
            with pq.ParquetFile(
                self.path,
                read_dictionary=list(coded),
                pre_buffer=False,
                buffer_size=1 << 20,
            ) as file:
                for batch in file.iter_batches(
                    batch_size=ROWS_WITH_TEXTS if values else ROWS,
                    columns=[*coded, *values],
                    use_threads=False,
                ):
                    block = Block(
                        rows=batch.num_rows,
                        coded={name: column_from_arrow(batch.column(name)) for name in coded},
                        values={name: batch.column(name).to_pylist() for name in values},
                    )
                    self._rows_read += batch.num_rows
                    yield block
        except UnicodeDecodeError as error:
            raise VoteFileError(
                self.path, f"text that is not UTF-8 after row {self._rows_read}"
            ) from error
        except (pa.ArrowException, OSError) as error:
            raise VoteFileError(
                self.path, f"damaged Parquet after row {self._rows_read}: {error}"
            ) from error
