"""How far a fit moves when the votes of one cluster (a voter, a prompt) are left out.

By one Newton step from the full fit with that cluster's information removed, so that no refit is
needed. What the moves are for is not known here.

Sources: Bell and McCaffrey 2002; MacKinnon, Nielsen and Webb 2023, "Fast and reliable jackknife and
bootstrap methods for cluster-robust inference".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from ratings.core.comparisons import Block, VoteComparisons
from ratings.core.fitting import BorderedMatrix, PairedFit, score_vector
from ratings.core.linear import DifferenceSystem, SingularError, summed_by
from ratings.core.outcomes import BoolArray, FloatArray, IntArray, VoteDataError

# Clusters are worked on together while their votes and their rows of estimates fit in the cache.
_BLOCK_VOTES = 1 << 15
_BLOCK_CLUSTERS = 1 << 11
# A cluster with more leverage is solved by itself. The leverages add up to the number of free
# parameters, so there are at most (models + effects) / 0.2 of those, however many clusters.
_LARGE_LEVERAGE = 0.2
_SERIES_TOLERANCE = 1e-7
# What is left of a pair's information after subtraction, where nothing is left.
_ROUNDING = 1e-9
# The share of the information in any direction that one cluster may hold for the short way.
_MOST_LEVERAGE = 1 - 1e-6


def leave_one_out(
    comparisons: VoteComparisons, found: PairedFit, cluster: IntArray
) -> Iterator[tuple[IntArray, FloatArray, BoolArray]]:
    """How far the estimates move when each cluster is left out, in blocks of clusters.

    Yields the clusters' numbers (those of `cluster`), the estimates less those without the cluster,
    and whether those exist, both of shape (clusters, models + effects): leaving out a cluster that
    alone ties a model to the others leaves nothing to estimate it from, nor an effect whose feature
    differs in no other cluster's votes.
    """
    inverse = found.system.inverse()
    distance = np.diag(inverse)[:, None] + np.diag(inverse)[None, :] - 2 * inverse
    for rows, local in cluster_blocks(numbered(cluster, len(comparisons.votes))):
        moves, exists = _moves(comparisons, found, inverse, distance, rows, local)
        first_rows = np.flatnonzero(np.diff(local, prepend=-1))
        yield cluster[rows[first_rows]], moves, exists


def cluster_blocks(cluster: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """The rows of some clusters at a time, all rows of each, and their cluster's place from 0.

    `cluster` is `numbered`; both yielded arrays have shape (rows,), the places ascending.
    """
    order, starts = _by_cluster(cluster)
    for first, last in _chunks(starts):
        sizes = np.diff(starts[first : last + 1])
        yield order[starts[first] : starts[last]], np.repeat(np.arange(last - first), sizes)


def numbered(cluster: IntArray, votes: int) -> IntArray:
    """The clusters numbered anew where their numbers are large, so that none exceeds 4 * votes.

    `cluster` has shape (votes,), integers of at least 0; raises VoteDataError where it does not.
    """
    if cluster.shape != (votes,):
        raise VoteDataError(f"clusters have shape {cluster.shape}, not ({votes},)")
    if not np.issubdtype(cluster.dtype, np.integer):
        raise VoteDataError(f"clusters hold {cluster.dtype}, not integers")
    if votes and cluster.min() < 0:
        raise VoteDataError(f"row {int(cluster.argmin())}: a negative cluster number")
    # Numbers that are dense already are spared the sort.
    if votes and cluster.max() >= 4 * votes:
        return np.unique(cluster, return_inverse=True)[1]
    return cluster.astype(np.int64, copy=False)


def _by_cluster(cluster: IntArray) -> tuple[IntArray, IntArray]:
    """The order that brings each cluster's rows together, and where each begins; empty ones go.

    Clusters come in rising size, so that those that are worked on together have much the same
    leverage and need as many terms of the series.
    """
    sizes = np.bincount(cluster)
    present = np.flatnonzero(sizes)
    by_size = present[np.argsort(sizes[present], kind="stable")]
    place = np.empty(len(sizes), dtype=np.int32)
    place[by_size] = np.arange(len(by_size), dtype=np.int32)
    # A counting sort: linear, where a sort by comparison takes several times as long.
    votes = len(cluster)
    grouped = coo_array(
        (np.ones(votes, dtype=np.int8), (place[cluster], np.arange(votes, dtype=np.int32))),
        shape=(len(by_size), votes),
    ).tocsr()
    return grouped.indices, grouped.indptr


def _chunks(starts: IntArray) -> Iterator[tuple[int, int]]:
    """Runs of clusters with about _BLOCK_VOTES votes, and at most _BLOCK_CLUSTERS clusters."""
    first, clusters = 0, len(starts) - 1
    while first < clusters:
        by_votes = int(np.searchsorted(starts, starts[first] + _BLOCK_VOTES, side="right")) - 1
        last = min(max(first + 1, by_votes), first + _BLOCK_CLUSTERS, clusters)
        yield first, last
        first = last


def _moves(
    comparisons: VoteComparisons,
    found: PairedFit,
    inverse: FloatArray,
    distance: FloatArray,
    rows: IntArray,
    local: IntArray,
) -> tuple[FloatArray, BoolArray]:
    clusters = int(local[-1]) + 1
    operator = _ClusterOperator(found, comparisons.block(rows), local, clusters)
    leverage = operator.leverage(inverse, distance)
    # (H - H_g) d = s is solved by the series d = H⁻¹ (s + H_g d); its factor is the leverage.
    first_step = operator.score() @ inverse
    moves = first_step
    largest = float(leverage[leverage < _LARGE_LEVERAGE].max(initial=0.0))
    # Those with more leverage are solved below; here they only must not overflow.
    large = np.flatnonzero(leverage >= _LARGE_LEVERAGE)
    for _ in range(_series_length(largest)):
        moves = first_step + operator.information_times(moves) @ inverse
        moves[large] = 0.0
    exists = np.ones(moves.shape, dtype=np.bool_)
    for place in large:
        block = comparisons.block(rows[local == place])
        few = _move_by_few(found, inverse, block)
        if few is None:
            moves[place], exists[place] = _exact_move(found, block)
        else:
            moves[place] = few
    return moves, exists


def _series_length(leverage: float) -> int:
    """Terms until the rest of the geometric series is below the tolerance."""
    if leverage <= _SERIES_TOLERANCE:
        return 0
    return max(1, math.ceil(math.log(_SERIES_TOLERANCE) / math.log(leverage)) - 1)


class _ClusterOperator:
    """Scores of the clusters of one block, and their information as an operator."""

    def __init__(self, found: PairedFit, block: Block, local: IntArray, clusters: int) -> None:
        self._found, self._block, self._local, self._clusters = found, block, local, clusters
        self._size = found.models + len(found.effects)
        self._first = local * self._size + block.first
        self._second = local * self._size + block.second
        terms = found.terms(block)
        self._score = block.weighted(terms.score)
        self._information = block.weighted(terms.information)
        self._tie_score = None if terms.tie_score is None else block.weighted(terms.tie_score)
        self._cross = (
            None if terms.cross_information is None else block.weighted(terms.cross_information)
        )
        self._tie_information = (
            None if terms.tie_information is None else block.weighted(terms.tie_information)
        )

    def score(self) -> FloatArray:
        """Shape (clusters, models + effects)."""
        return self._scattered(self._score, self._tie_score)

    def information_times(self, vectors: FloatArray) -> FloatArray:
        """Each cluster's information times its row of `vectors`, shape as `score`."""
        flat = vectors.ravel()
        gap = flat[self._first] - flat[self._second]
        models = self._found.models
        if self._block.design is not None:
            columns = self._block.design.shape[1]
            effects = vectors[self._local, models : models + columns]
            gap += np.einsum("rc,rc->r", self._block.design, effects)
        if self._cross is None or self._tie_information is None:
            return self._scattered(self._information * gap, None)
        tie = vectors[self._local, -1]
        return self._scattered(
            self._information * gap + self._cross * tie,
            self._cross * gap + self._tie_information * tie,
        )

    def leverage(self, inverse: FloatArray, distance: FloatArray) -> FloatArray:
        """The trace of each cluster's information times the inverse: at least its largest factor.

        `distance` has shape (models + effects,) twice: the variance that the inverse gives to each
        difference.
        """
        block, models = self._block, self._found.models
        spread = distance[block.first, block.second]
        if block.design is not None:
            columns = slice(models, models + block.design.shape[1])
            beside = inverse[block.first, columns] - inverse[block.second, columns]
            within = block.design @ inverse[columns, columns]
            spread = spread + np.einsum("rc,rc->r", block.design, 2 * beside + within)
        each = self._information * spread
        if self._cross is not None and self._tie_information is not None:
            tie = inverse[block.first, -1] - inverse[block.second, -1]
            if block.design is not None:
                tie = tie + block.design @ inverse[models : models + block.design.shape[1], -1]
            each += 2 * self._cross * tie + self._tie_information * inverse[-1, -1]
        return summed_by(self._local, each, self._clusters)

    def _scattered(self, by_gap: FloatArray, by_tie: FloatArray | None) -> FloatArray:
        size, models = self._size, self._found.models
        flat = summed_by(self._first, by_gap, self._clusters * size)
        flat -= summed_by(self._second, by_gap, self._clusters * size)
        result = flat.reshape(self._clusters, size)
        if self._block.design is not None:
            for column in range(self._block.design.shape[1]):
                result[:, models + column] = summed_by(
                    self._local, by_gap * self._block.design[:, column], self._clusters
                )
        if by_tie is not None:
            result[:, -1] = summed_by(self._local, by_tie, self._clusters)
        return result


def _move_by_few(found: PairedFit, inverse: FloatArray, block: Block) -> FloatArray | None:
    """The step of one cluster by solving for the models that it met; the rest follows from them.

    None where those are most models, or where next to nothing is left of some votes without it.
    """
    met, number = np.unique(np.concatenate([block.first, block.second]), return_inverse=True)
    if 2 * len(met) > found.models:
        return None
    first, second = np.split(number, 2)
    terms, block = found.terms(block), replace(block, first=first, second=second)
    own = BorderedMatrix(models=len(met), effects=len(found.effects))
    own.add(block, terms)
    taken = own.matrix()
    score = score_vector(block, terms, models=len(met), effects=len(found.effects))
    touched = np.append(met, found.models + np.arange(len(found.effects)))
    corner = inverse[np.ix_(touched, touched)]
    values, vectors = np.linalg.eigh(taken)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    if np.linalg.eigvalsh(root.T @ corner @ root)[-1] > _MOST_LEVERAGE:
        return None
    moved = np.linalg.solve(np.eye(len(touched)) - corner @ taken, corner @ score)
    result: FloatArray = inverse[:, touched] @ (score + taken @ moved)
    return result


def _exact_move(found: PairedFit, block: Block) -> tuple[FloatArray, BoolArray]:
    """The step of one cluster by solving its own system, and which estimates it exists for."""
    models, effects = found.models, len(found.effects)
    terms = found.terms(block)
    own = BorderedMatrix(models=models, effects=effects)
    own.add(block, terms)
    remaining = found.information - own.matrix()
    score = score_vector(block, terms, models=models, effects=effects)
    exists = np.ones(models + effects, dtype=np.bool_)
    if found.system.shift_free:
        exists[:models] = _still_connected(found.information, remaining, models)
    system = _system_without(found, remaining, exists)
    # An effect that rests on this cluster alone is left out, in order, until none is.
    for effect in range(effects if system is None else 0):
        exists[models + effect :] = False
        exists[models + effect] = True
        exists[models + effect] = _system_without(found, remaining, exists) is not None
    system = system or _system_without(found, remaining, exists)
    move = np.zeros(models + effects)
    if system is None:
        return move, np.zeros_like(exists)
    move[exists] = system.solve(score[exists])
    return move, exists


def _system_without(
    found: PairedFit, remaining: FloatArray, exists: BoolArray
) -> DifferenceSystem | None:
    """The system of those estimates, None where nothing but rounding is left of one's votes."""
    models = found.models
    try:
        system = DifferenceSystem(
            remaining[np.ix_(exists, exists)],
            models=int(exists[:models].sum()),
            shift_free=found.system.shift_free,
        )
    except SingularError:
        return None
    full = found.system.left_to_effects[exists[models:]]
    return None if (system.left_to_effects <= _ROUNDING * full).any() else system


def _still_connected(information: FloatArray, remaining: FloatArray, models: int) -> BoolArray:
    """The largest set of models that pairs with some information left connect."""
    left = np.abs(remaining[:models, :models]) > _ROUNDING * np.abs(information[:models, :models])
    np.fill_diagonal(left, False)
    labels: IntArray = connected_components(csr_array(left), directed=False)[1]
    return np.asarray(labels == np.bincount(labels).argmax(), dtype=np.bool_)
