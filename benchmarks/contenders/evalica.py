"""evalica: Bradley-Terry by minorization and maximization in Rust; it gives no intervals."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import evalica
import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders import Tasks, Work, columns

if TYPE_CHECKING:
    import pandas as pd

VERSION = version("evalica")
WINNERS = {
    "model_a": evalica.Winner.X,
    "model_b": evalica.Winner.Y,
    "tie": evalica.Winner.Draw,
    "both_bad": evalica.Winner.Draw,
}


def bradley_terry(
    frame: pd.DataFrame, *, tolerance: float = 1e-6, limit: int = 100
) -> NDArray[np.float64]:
    scores = evalica.bradley_terry(
        frame["model_a"],
        frame["model_b"],
        frame["winner"].map(WINNERS),
        tolerance=tolerance,
        limit=limit,
    ).scores
    points: NDArray[np.float64] = 400 * np.log10(scores.sort_index().to_numpy())
    return points


WORK: Tasks = {
    "names": Work(columns.names, partial(bradley_terry, tolerance=1e-8, limit=10_000)),
    "names, defaults": Work(columns.names, bradley_terry),
}
