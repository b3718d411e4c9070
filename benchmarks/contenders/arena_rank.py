"""arena-rank: Bradley-Terry by L-BFGS in JAX, with sandwich intervals.

It compiles anew at each fit. Its pinned numpy is not ours: it runs in an environment of its own.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
from arena_rank.utils.data_utils import ContextualPairDataset, PairDataset
from numpy.typing import NDArray

from benchmarks.contenders import Tasks, Work, columns

if TYPE_CHECKING:
    import pandas as pd

VERSION = version("arena-rank")


def bradley_terry(frame: pd.DataFrame) -> NDArray[np.float64]:
    data = PairDataset.from_pandas(frame)
    fit = BradleyTerry(len(data.competitors)).compute_ratings_and_cis(data)
    return np.asarray(fit["ratings"] + 0 * fit["rating_lower"])


def style_control(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Without weights and without the ridge that is its default, so that it fits what we fit."""
    features = [name for name in frame.columns if name not in columns.NAME_COLUMNS]
    data = ContextualPairDataset.from_pandas(frame, features, reweighted=False)
    model = ContextualBradleyTerry(len(data.competitors), len(features), reg=0.0)
    fit = model.compute_ratings_and_cis(data)
    return np.asarray(fit["ratings"] + 0 * fit["rating_lower"])


WORK: Tasks = {
    "names": Work(columns.names, bradley_terry),
    "style": Work(columns.names_and_features, style_control),
}
