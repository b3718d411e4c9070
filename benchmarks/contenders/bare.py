"""The floor: what cannot be avoided before a rating can be made, and nothing more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contenders import Tasks, Work, columns

VERSION = f"numpy {np.__version__}, pyarrow {pa.__version__}"


def count_cells(votes: columns.Columns) -> None:
    """The index of each vote's cell, and one bincount."""
    (model_a, model_b, outcome), models = votes
    cell = (model_a.astype(np.int64) * models + model_b) * 4 + outcome
    np.bincount(cell, minlength=models * models * 4)


def read_columns(path: Path) -> None:
    """`read_table` of the three columns on one thread, as strings: pyarrow's defaults."""
    pq.read_table(path, columns=columns.NAME_COLUMNS, use_threads=False)


def read_dictionaries(path: Path) -> None:
    """The same with the columns left dictionary-encoded, as they lie in the file."""
    pq.read_table(
        path,
        columns=columns.NAME_COLUMNS,
        read_dictionary=columns.NAME_COLUMNS,
        use_threads=False,
    )


WORK: Tasks = {
    "ids": Work(columns.ids, count_cells),
    "parquet": Work(columns.parquet, read_columns),
    "parquet, as dictionaries": Work(columns.parquet, read_dictionaries),
}
