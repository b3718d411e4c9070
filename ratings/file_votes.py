"""The votes of one file, as the ratings need them: counted, or one by one. No Django.

Models are numbered by the order of their names, so that the same votes in another order or shape
give the same numbers, also where random draws are involved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.vote_files import CountBatch, VoteBatch, VoteFileError, open_votes
from ratings.core.outcomes import CellCounter, IntArray, OutcomeCells, Votes, cells_from_counts
from ratings.style_features import StyleFeatures, columns_of_style, differences, style_features

# Batches are gathered to this many votes: a count of few votes of many models is mostly zeros.
_VOTES_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True)
class FileVotes:
    """What one file holds; models are positions in `names`.

    `votes` are single votes where they were asked for, else cells. `clusters` are arrays of shape
    (votes,). `excluded` votes, by what the file says of them, are not among them.
    """

    shape: str
    names: tuple[str, ...]
    votes: OutcomeCells | Votes
    count: int
    excluded: int
    clusters: tuple[IntArray, ...]
    style: StyleFeatures | None


def read_file(
    path: Path,
    *,
    single: bool,
    clusters: Sequence[str] = (),
    style: bool = False,
    progress: Callable[[float], None],
) -> FileVotes:
    """Read the votes: `single`, as `clusters` and `style` need them, or counted on the way.

    `progress` is told the fraction of the file that has been read. Raises VoteFileError.
    """
    file = open_votes(path, groups=clusters)
    if single and file.shape == "counts":
        raise VoteFileError(
            path, "holds counts: --cluster, --style and --method elo need single votes"
        )
    columns = columns_of_style(file) if style else ()
    if columns:
        file = open_votes(path, groups=clusters, values=columns)
    gathered, counter = _Gathered(clusters), CellCounter()
    features = []
    for batch in file:
        if isinstance(batch, CountBatch):
            a, b, models = batch.model_a, batch.model_b, len(file.names)
            counter.add_counts(cells_from_counts(a, b, batch.counts, models=models))
        else:
            gathered.add(batch)
            if columns:
                features.append(differences(file, batch))
            if not single and len(gathered) >= _VOTES_AT_ONCE:
                counter.add(gathered.votes(np.arange(len(file.names), dtype=np.int32)))
                gathered = _Gathered(())
        progress(file.fraction)
    places = _places(file.names)
    votes: OutcomeCells | Votes
    if single:
        votes = gathered.votes(places)
    else:
        if len(gathered):
            counter.add(gathered.votes(np.arange(len(places), dtype=np.int32)))
        votes = counter.cells(models=len(places)).restricted_to(np.argsort(places))
    count = len(votes) if isinstance(votes, Votes) else votes.votes
    if not count:
        raise VoteFileError(path, "there are no votes: all counts are 0")
    return FileVotes(
        shape=file.shape,
        names=tuple(sorted(file.names)),
        votes=votes,
        count=count,
        excluded=file.excluded,
        clusters=gathered.clusters(),
        style=style_features(columns, features) if columns else None,
    )


class _Gathered:
    """The arrays of many batches."""

    def __init__(self, clusters: Sequence[str]) -> None:
        self._models: tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]] = ([], [])
        self._outcomes: list[NDArray[np.int8]] = []
        self._clusters: dict[str, list[NDArray[np.int32]]] = {column: [] for column in clusters}
        self._votes = 0

    def __len__(self) -> int:
        return self._votes

    def add(self, batch: VoteBatch) -> None:
        self._models[0].append(batch.model_a)
        self._models[1].append(batch.model_b)
        self._outcomes.append(batch.outcome)
        for column, parts in self._clusters.items():
            parts.append(batch.groups[column])
        self._votes += len(batch.row)

    def votes(self, places: NDArray[np.int32]) -> Votes:
        """All votes at once, with `places[m]` as the number of model m. Empties itself."""
        a, b = (places[_joined(parts)] for parts in self._models)
        return Votes(a, b, _joined(self._outcomes), len(places))

    def clusters(self) -> tuple[IntArray, ...]:
        return tuple(_joined(parts).astype(np.int64) for parts in self._clusters.values())


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """The parts one after the other; they are let go, so that memory holds them once."""
    joined: NDArray[Any] = np.concatenate(parts)
    parts.clear()
    return joined


def _places(names: Sequence[str]) -> NDArray[np.int32]:
    """Where each model stands among the sorted names, shape (models,)."""
    places = np.empty(len(names), dtype=np.int32)
    places[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return places
