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
    counted from 0 in falling size, and -1 without votes. `sets` are the models (ascending) that are
    to be rated together: that of the largest group, or one of each group that has any. `reasons`
    says for each model why it has no rating, and is "" for the rated ones.
    """

    group: IntArray
    groups: int
    sets: tuple[IntArray, ...]
    reasons: tuple[str, ...]

    @property
    def rated(self) -> IntArray:
        """The models of the first set; empty when there is none."""
        return self.sets[0] if self.sets else np.empty(0, dtype=np.int64)


def connectivity(
    pairs: PairCounts, *, models: int, every_group: bool = False, both_ways: bool = True
) -> Connectivity:
    """Find the groups, the ratable models and the reasons of the others.

    With `every_group` each group is rated by itself. With `both_ways=False` (a prior makes every
    maximum finite) a whole group can be rated, also where chains of wins lead one way only.
    """
    votes = pairs.votes_by_model(models=models)
    connection = "strong" if both_ways else "weak"
    label, sets_found = _numbered(_components(pairs, models, connection=connection), votes)
    group, groups = label, sets_found
    # What is connected both ways throughout is one group.
    if both_ways and sets_found > 1:
        group, groups = _numbered(_components(pairs, models, connection="weak"), votes)
    sets = []
    for number in range(groups):
        inside = group == number
        # The sets are numbered in falling size, so the first one inside is the largest.
        largest = np.flatnonzero(label == label[inside].min())
        # One model alone is compared with nothing.
        if len(largest) >= 2:
            sets.append(largest)
    if not every_group:
        sets.sort(key=len, reverse=True)
        sets = sets[:1]
    return Connectivity(
        group=group, groups=groups, sets=tuple(sets), reasons=_reasons(pairs, group, sets, votes)
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
    pairs: PairCounts, group: IntArray, sets: list[IntArray], votes: FloatArray
) -> tuple[str, ...]:
    models = len(group)
    wins = pairs.summed_by_model(pairs.wins_first, pairs.wins_second, models=models)
    losses = pairs.summed_by_model(pairs.wins_second, pairs.wins_first, models=models)
    rated = {int(model) for found in sets for model in found}
    rated_groups = {int(group[found[0]]) for found in sets}

    def reason(model: int) -> str:
        if model in rated:
            return ""
        if votes[model] == 0:
            return NO_VOTES
        if losses[model] == votes[model]:
            return LOST_ALL
        if wins[model] == votes[model]:
            return WON_ALL
        if rated_groups and int(group[model]) not in rated_groups:
            return ELSEWHERE
        return ONE_WAY

    return tuple(reason(model) for model in range(models))
