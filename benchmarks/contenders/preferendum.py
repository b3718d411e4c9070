"""Ours: the library calls that people make."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from arena.vote_files import VoteBatch, open_votes
from benchmarks.contenders import Loaded, Tasks, Work, columns
from ratings.core.bootstrap import BootstrapKind, bootstrap_bradley_terry
from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS, fit_bradley_terry
from ratings.core.outcomes import CellCounter, OutcomeCells, PairCounts, Votes
from ratings.core.standings import standings
from ratings.vote_columns import votes_from_columns

if TYPE_CHECKING:
    import pandas as pd

VERSION = ""


def from_ids(data: columns.Columns) -> NDArray[np.float64]:
    """Ratings and sandwich intervals, without rank ranges, which no peer has either."""
    (model_a, model_b, outcome), models = data
    return _rated(Votes(model_a, model_b, outcome, models).cells())


def ranked(data: columns.Columns) -> NDArray[np.float64]:
    """The same with simultaneous rank ranges."""
    (model_a, model_b, outcome), models = data
    return standings(Votes(model_a, model_b, outcome, models).cells()).rating


def from_names(frame: pd.DataFrame) -> NDArray[np.float64]:
    votes, _ = votes_from_columns(*(frame[name] for name in columns.NAME_COLUMNS))
    return _rated(votes.cells())


def style_control(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Features as they are: their unit changes their effects and no rating."""
    votes, _ = votes_from_columns(*(frame[name] for name in columns.NAME_COLUMNS))
    style = frame.iloc[:, len(columns.NAME_COLUMNS) :]
    found = standings(
        votes, features=style.to_numpy(), feature_names=list(style.columns), simultaneous=False
    )
    assert np.isfinite(found.upper).all()
    return found.rating


def clustered(data: columns.Columns) -> NDArray[np.float64]:
    (model_a, model_b, outcome, voter), models = data
    votes = Votes(model_a, model_b, outcome, models)
    found = standings(votes, clusters=[voter], simultaneous=False)
    assert np.isfinite(found.upper).all()
    return found.rating


def pairs(folder: Path) -> Loaded:
    """The counted votes, as pairs, and the number of models."""
    (model_a, model_b, outcome), models = columns.ids(folder).data
    cells = Votes(model_a, model_b, outcome, models).cells()
    return Loaded((cells.pairs(), models), cells.counts.nbytes)


def bootstrapped(data: tuple[PairCounts, int], *, kind: BootstrapKind) -> NDArray[np.float64]:
    counts, models = data
    replicates = bootstrap_bradley_terry(counts, models=models, rounds=1000, kind=kind)
    lower, upper = replicates.intervals()
    return POINTS_PER_LOG_ODDS * (lower + upper) / 2


def from_parquet(path: Path) -> NDArray[np.float64]:
    file, counter = open_votes(path), CellCounter()
    for batch in file:
        assert isinstance(batch, VoteBatch)
        counter.add(Votes(batch.model_a, batch.model_b, batch.outcome, len(file.names)))
    return _rated(counter.cells(models=len(file.names)))[np.argsort(file.names)]


def _rated(cells: OutcomeCells) -> NDArray[np.float64]:
    fit = fit_bradley_terry(cells.pairs(), models=cells.models)
    half = 1.96 * np.sqrt(np.diag(fit.ratings_covariance))
    assert np.isfinite(half).all()
    return fit.ratings


WORK: Tasks = {
    "names": Work(columns.names, from_names),
    "ids": Work(columns.ids, from_ids),
    "ids, with rank ranges": Work(columns.ids, ranked),
    "bootstrap, gamma": Work(pairs, partial(bootstrapped, kind="bayesian")),
    "bootstrap, multinomial": Work(pairs, partial(bootstrapped, kind="multinomial")),
    "style": Work(columns.names_and_features, style_control),
    "clusters": Work(columns.ids_and_voters, clustered),
    "parquet": Work(columns.parquet, from_parquet),
}
