"""Which models the votes connect, and so which of them can have finite ratings.

A finite Bradley-Terry maximum exists exactly when every model can be reached from every other by a
chain of wins and ties (Zermelo 1929; Ford 1957; Hunter 2004, assumption 1). What the ratings are is
not known here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ratings.core.outcomes import FloatArray, IntArray, PairCounts

NO_VOTES = "no votes yet"
LOST_ALL = "has lost every battle so far: no finite rating yet"
WON_ALL = "has won every battle so far: no finite rating yet"
ELSEWHERE = "not connected to the rated models by any chain of votes"
ONE_WAY = (
    "no chain of wins and ties leads both ways between it and the other models: "
    "no finite rating yet"
)


@dataclass(frozen=True, slots=True)
class Connectivity:
    """How the votes connect the models.

    `group` has shape (models,): the number of the group that chains of votes connect the model to,
    counted from 0 in falling size, and -1 without votes. `rated` are the models of the largest set
    within which finite ratings exist (ascending; empty when there is none). `reasons` says for each
    model why it has no rating, and is "" for the rated ones.
    """

    group: IntArray
    groups: int
    rated: IntArray
    reasons: tuple[str, ...]


def connectivity(pairs: PairCounts, *, models: int) -> Connectivity:
    """Find the groups, the ratable models and the reasons of the others."""
    votes = pairs.votes_by_model(models=models)
    group, groups = _numbered(_components(pairs, models, connection="weak"), votes)
    strong, sets = _numbered(_components(pairs, models, connection="strong"), votes)
    rated = np.flatnonzero(strong == 0) if sets else np.empty(0, dtype=np.int64)
    # One model alone is compared with nothing.
    if len(rated) < 2:
        rated = rated[:0]
    return Connectivity(
        group=group,
        groups=groups,
        rated=rated,
        reasons=_reasons(pairs, group, rated, votes),
    )


def _components(pairs: PairCounts, models: int, *, connection: str) -> IntArray:
    """Labels of the components of the graph whose edges lead from winner to loser."""
    down = (pairs.wins_first > 0) | (pairs.ties > 0)
    up = (pairs.wins_second > 0) | (pairs.ties > 0)
    winners = np.concatenate([pairs.first[down], pairs.second[up]])
    losers = np.concatenate([pairs.second[down], pairs.first[up]])
    graph = csr_array((np.ones(len(winners)), (winners, losers)), shape=(models, models))
    labels: IntArray = connected_components(graph, directed=True, connection=connection)[1]
    return labels


def _numbered(labels: IntArray, votes: FloatArray) -> tuple[IntArray, int]:
    """Number the components from 0: most models, then most votes, then lowest model first."""
    numbers = np.full(len(labels), -1, dtype=np.int64)
    voted = np.flatnonzero(votes > 0)
    if not len(voted):
        return numbers, 0
    found, first, inverse, sizes = np.unique(
        labels[voted], return_index=True, return_inverse=True, return_counts=True
    )
    weight = np.bincount(inverse, votes[voted])
    place = np.empty(len(found), dtype=np.int64)
    place[np.lexsort((first, -weight, -sizes))] = np.arange(len(found))
    numbers[voted] = place[inverse]
    return numbers, len(found)


def _reasons(
    pairs: PairCounts, group: IntArray, rated: IntArray, votes: FloatArray
) -> tuple[str, ...]:
    models = len(group)
    wins = pairs.summed_by_model(pairs.wins_first, pairs.wins_second, models=models)
    losses = pairs.summed_by_model(pairs.wins_second, pairs.wins_first, models=models)
    is_rated = np.zeros(models, dtype=bool)
    is_rated[rated] = True
    rated_group = int(group[rated[0]]) if len(rated) else None

    def reason(model: int) -> str:
        if is_rated[model]:
            return ""
        if votes[model] == 0:
            return NO_VOTES
        if losses[model] == votes[model]:
            return LOST_ALL
        if wins[model] == votes[model]:
            return WON_ALL
        if rated_group is not None and group[model] != rated_group:
            return ELSEWHERE
        return ONE_WAY

    return tuple(reason(model) for model in range(models))
