"""choix: iterative Luce spectral ranking of a win matrix; it gives no intervals."""

from __future__ import annotations

from importlib.metadata import version

import choix
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.contenders import Tasks, Work, columns

VERSION = version("choix")
WON = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "both_bad": 0.5}


def fed_by_groupby(frame: pd.DataFrame) -> NDArray[np.float64]:
    """The matrix as one counts in pandas."""
    cells = frame.groupby(columns.NAME_COLUMNS).size().reset_index(name="votes")
    names = pd.Index(np.unique(cells[["model_a", "model_b"]]))
    first, second = (names.get_indexer(cells[side]) for side in ("model_a", "model_b"))
    won = cells["winner"].map(WON).to_numpy()
    wins = np.zeros((len(names), len(names)))
    np.add.at(wins, (first, second), won * cells["votes"])
    np.add.at(wins, (second, first), (1 - won) * cells["votes"])
    return _rated(wins)


def fed_by_bincount(frame: pd.DataFrame) -> NDArray[np.float64]:
    """The matrix in the fastest way that we know; the work is nearly all ours, not choix's."""
    codes, names = pd.factorize(pd.concat([frame["model_a"], frame["model_b"]]), sort=True)
    labels, label = pd.factorize(frame["winner"])
    votes, models = len(frame), len(names)
    cell = (codes[:votes] * models + codes[votes:]) * len(label) + labels
    counts = np.bincount(cell, minlength=models**2 * len(label)).reshape(models, models, -1)
    won = counts @ np.array([WON[name] for name in label])
    return _rated(won + (counts.sum(axis=2) - won).T)


def _rated(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    points: NDArray[np.float64] = 400 / np.log(10) * choix.ilsr_pairwise_dense(wins)
    return points


WORK: Tasks = {
    "names": Work(columns.names, fed_by_groupby),
    "names, fed by our bincount": Work(columns.names, fed_by_bincount),
}
