"""The columns of the votes in memory, as each kind of contender wants them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders import Loaded

if TYPE_CHECKING:
    import pandas as pd

Columns = tuple[tuple[NDArray[Any], ...], int]

NAME_COLUMNS = ["model_a", "model_b", "winner"]


def names(folder: Path) -> Loaded:
    """A DataFrame of the two models and the winner, in strings."""
    import pyarrow as pa

    with pa.OSFile(str(folder / "names.arrow")) as source:
        return _loaded(pa.ipc.open_file(source).read_all().to_pandas())


def names_and_features(folder: Path) -> Loaded:
    """The same with the style features, in doubles."""
    import pandas as pd

    features = np.load(folder / "features.npy")
    style = pd.DataFrame(features, columns=[f"style_{n}" for n in range(features.shape[1])])
    return _loaded(pd.concat([names(folder).data, style], axis=1))


def ids(folder: Path) -> Loaded:
    """Arrays model_a and model_b (int32), outcome (int8)."""
    return arrays(folder, "model_a", "model_b", "outcome")


def ids_and_voters(folder: Path) -> Loaded:
    """The same with the voter (int32)."""
    return arrays(folder, "model_a", "model_b", "outcome", "voter")


def parquet(folder: Path) -> Loaded:
    """The path of the many votes in Parquet, which reading belongs to the task; bytes on disk."""
    path = folder / "big.parquet"
    return Loaded(path, path.stat().st_size)


def arrays(folder: Path, *columns: str) -> Loaded:
    """The named arrays, in that order, and the number of models."""
    data = tuple(np.load(folder / f"{name}.npy") for name in columns)
    models = int(np.load(folder / "models.npy"))
    return Loaded((data, models), sum(column.nbytes for column in data))


def _loaded(frame: pd.DataFrame) -> Loaded:
    return Loaded(frame, int(frame.memory_usage(index=False, deep=True).sum()))
