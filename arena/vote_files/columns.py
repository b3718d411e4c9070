"""Columns of a block of rows: each distinct value once, and a code a row.

What the values mean is not known here. A check or a conversion looks at every distinct value once,
so that it costs the same for a hundred rows and for a hundred million.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from arena.vote_files.errors import BadValueError

Rows = NDArray[np.int64]


class BadRowError(ValueError):
    """The first row (from 0, within the block) whose value could not be converted, and why."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


@dataclass(frozen=True, slots=True)
class CodedColumn:
    """One column of a block; `codes` has shape (rows,).

    `values[k]` is what the rows with code `used[k]` hold, None where the file holds nothing; all
    codes are below `size`. Values that no row holds are left out, as those of a category that is
    declared and never used.
    """

    codes: NDArray[np.integer[Any]]
    used: NDArray[np.integer[Any]]
    values: list[Any]
    size: int

    def __len__(self) -> int:
        return len(self.codes)

    def taken(self, rows: Rows) -> CodedColumn:
        """The column of some of the rows (shape (n,), from 0)."""
        codes = self.codes[rows]
        kept = np.bincount(codes, minlength=self.size)[self.used] > 0
        values = [value for value, keep in zip(self.values, kept, strict=True) if keep]
        return CodedColumn(codes, self.used[kept], values, self.size)

    def converted(self, convert: Callable[[Any], Any], dtype: DTypeLike) -> NDArray[Any]:
        """What `convert` makes of each row's value, shape (rows,).

        Raises `BadRowError` for the first row whose value `convert` refuses by `BadValueError`.
        """
        table = np.zeros(self.size, dtype=dtype)
        refused: dict[int, str] = {}
        for code, value in zip(self.used.tolist(), self.values, strict=True):
            try:
                table[code] = convert(value)
            except BadValueError as error:
                refused[code] = str(error)
        if refused:
            row = int(np.isin(self.codes, list(refused)).argmax())
            raise BadRowError(row, refused[int(self.codes[row])])
        # NumPy gathers by indices of its own width at twice the speed.
        return table[self.codes.astype(np.intp, copy=False)]


def column_from_arrow(array: pa.Array) -> CodedColumn:
    """Code an Arrow array of plain values; one that is dictionary-encoded keeps its codes.

    Raises pa.ArrowInvalid for codes beyond the dictionary, as a damaged file may hold them.
    """
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    size = len(array.dictionary)
    indices = array.indices
    nulls = indices.null_count
    if nulls:
        indices = indices.fill_null(size)
    codes = indices.to_numpy(zero_copy_only=False)
    if len(codes) and not 0 <= codes.min() <= codes.max() < size + (nulls > 0):
        raise pa.ArrowInvalid("codes beyond the dictionary")
    used = np.flatnonzero(np.bincount(codes, minlength=size + 1))
    taken = used[used < size]
    # Not pa.array(taken), which would import pandas where that is installed.
    distinct = array.dictionary.take(
        pa.Array.from_buffers(pa.int64(), len(taken), [None, pa.py_buffer(taken)])
    )
    try:
        values = distinct.to_pylist()
    except UnicodeDecodeError:
        # Neither Parquet nor JSON promises UTF-8; as bytes, the one that is not can be named.
        values = distinct.view(pa.binary()).to_pylist()
    if len(used) > len(values):
        values.append(None)
    return CodedColumn(codes, used, values, size + 1)


def column_from_values(row_values: Sequence[Any]) -> CodedColumn:
    """Code Python values, such as those of JSON; lists and objects are kept for the check."""
    numbers: dict[Any, int] = {}
    values: list[Any] = []
    codes = np.empty(len(row_values), dtype=np.int64)
    for row, value in enumerate(row_values):
        # 1, 1.0 and True are equal and hash alike.
        key = (type(value), id(value) if isinstance(value, list | dict) else value)
        code = numbers.setdefault(key, len(values))
        if code == len(values):
            values.append(value)
        codes[row] = code
    return CodedColumn(codes, np.arange(len(values)), values, len(values))
