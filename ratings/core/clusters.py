"""The covariance of ratings when votes of one voter (or on one prompt) belong together.

CR3, the cluster jackknife: how far the estimates move when one cluster's votes are left out, by one
Newton step from the full fit with that cluster's information removed, so that no refit is needed.
Two-way clusters are the sum of both less that of their intersections. Who the voters are is not
known here; a voter who returns under another number is two.

Sources: Bell and McCaffrey 2002 (CR3); MacKinnon, Nielsen and Webb 2023, "Fast and reliable
jackknife and bootstrap methods for cluster-robust inference"; Cameron, Gelbach and Miller 2011
(two-way); Carter, Schnepel and Steigerwald 2017 (effective number of clusters).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from ratings.core.comparisons import Block, VoteComparisons
from ratings.core.fitting import BorderedMatrix, PairedFit, score_vector
from ratings.core.linear import (
    DifferenceSystem,
    SingularError,
    centred,
    centred_covariance,
    single_threaded_blas,
    summed_by,
)
from ratings.core.outcomes import BoolArray, FloatArray, IntArray, VoteDataError

# Below this many effective clusters no interval is given.
FEWEST_CLUSTERS = 10
# Clusters are worked on together while their votes and their rows of estimates fit in the cache.
_BLOCK_VOTES = 1 << 15
_BLOCK_CLUSTERS = 1 << 11
# A cluster with more leverage is solved by itself. The leverages add up to the number of free
# parameters, so there are at most (models + effects) / 0.2 of those, however many clusters.
_LARGE_LEVERAGE = 0.2
_SERIES_TOLERANCE = 1e-7
# What is left of a pair's information after subtraction, where nothing is left.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ClusteredCovariance:
    """The covariance of models and effects, shape (models + effects,) twice, log-odds squared.

    `effective_clusters` is N² / Σ n², with n the votes of a cluster: as many clusters of equal size
    would say as much. Intervals are Student's t with one degree of freedom less. `has_interval` has
    shape (models,): False where one cluster alone ties a model to the others, so that nothing tells
    how it would move without.
    """

    covariance: FloatArray
    effective_clusters: float
    has_interval: BoolArray

    @property
    def degrees_of_freedom(self) -> float:
        return self.effective_clusters - 1


def effective_clusters(cluster: IntArray, *, weight: FloatArray | None = None) -> float:
    """N² / Σ n² over clusters; `cluster` has shape (votes,), numbered from 0; 0 without votes."""
    sizes = np.bincount(cluster, weight)
    squares = float((sizes.astype(np.float64) ** 2).sum())
    return float(sizes.sum()) ** 2 / squares if squares else 0.0


def clustered_covariance(
    comparisons: VoteComparisons, found: PairedFit, clusters: Sequence[IntArray]
) -> ClusteredCovariance:
    """One-way or two-way CR3.

    `clusters` are one or two arrays of shape (votes,), integers from 0: the voter of each vote, and
    the prompt. Raises VoteDataError where they do not fit the votes.
    """
    ways = [_checked(cluster, len(comparisons.votes)) for cluster in clusters]
    if not 1 <= len(ways) <= 2:
        raise VoteDataError(f"{len(ways)} columns to cluster by: give one or two")
    covariance, has_interval = _one_way(comparisons, found, ways[0])
    effective = effective_clusters(ways[0])
    if len(ways) == 2:
        other, other_has = _one_way(comparisons, found, ways[1])
        both = np.unique(ways[0] * (int(ways[1].max()) + 1) + ways[1], return_inverse=True)[1]
        common, _ = _one_way(comparisons, found, both)
        covariance = _positive(covariance + other - common)
        has_interval = has_interval & other_has
        effective = min(effective, effective_clusters(ways[1]))
    return ClusteredCovariance(
        covariance=centred_covariance(covariance, models=found.models),
        effective_clusters=effective,
        has_interval=has_interval,
    )


def leave_one_out(
    comparisons: VoteComparisons, found: PairedFit, cluster: IntArray
) -> Iterator[tuple[IntArray, FloatArray, BoolArray]]:
    """How far the estimates move when each cluster is left out, in blocks of clusters.

    Yields the clusters' numbers (those of `cluster`), the estimates less those without the cluster,
    shape (clusters, models + effects), and whether they exist, shape (clusters, models): leaving
    out a cluster that alone ties a model to the others leaves nothing to estimate it from.
    """
    order, starts = _by_cluster(cluster)
    inverse = found.system.inverse()
    distance = np.diag(inverse)[:, None] + np.diag(inverse)[None, :] - 2 * inverse
    for first, last in _chunks(starts):
        rows = order[starts[first] : starts[last]]
        sizes = np.diff(starts[first : last + 1])
        local = np.repeat(np.arange(last - first), sizes)
        moves, exists = _moves(comparisons, found, inverse, distance, rows, local)
        yield cluster[order[starts[first:last]]], moves, exists


def multiplier_bootstrap(
    comparisons: VoteComparisons, found: PairedFit, cluster: IntArray, *, rounds: int, seed: int
) -> FloatArray:
    """Replicates of the estimates, shape (rounds, models + effects), by one step from the fit.

    Each cluster's votes get one exponential weight (the Bayesian bootstrap of clusters); what that
    moves is taken from its leave-one-out step, so all replicates cost one pass over the votes.
    """
    random = np.random.default_rng(seed)
    moved = np.zeros((rounds, found.models + len(found.effects)))
    with single_threaded_blas():
        for numbers, moves, _ in leave_one_out(comparisons, found, cluster):
            moved += (random.standard_exponential((rounds, len(numbers))) - 1) @ moves
    estimates = np.concatenate([found.log_odds, found.effects])
    return estimates + centred(moved.T, models=found.models).T


def _checked(cluster: IntArray, votes: int) -> IntArray:
    if cluster.shape != (votes,):
        raise VoteDataError(f"clusters have shape {cluster.shape}, not ({votes},)")
    if not np.issubdtype(cluster.dtype, np.integer):
        raise VoteDataError(f"clusters hold {cluster.dtype}, not integers")
    if votes and cluster.min() < 0:
        raise VoteDataError(f"row {int(cluster.argmin())}: a negative cluster number")
    return cluster.astype(np.int64, copy=False)


def _one_way(
    comparisons: VoteComparisons, found: PairedFit, cluster: IntArray
) -> tuple[FloatArray, BoolArray]:
    size = found.models + len(found.effects)
    total = np.zeros((size, size))
    has_interval = np.ones(found.models, dtype=np.bool_)
    count = 0
    with single_threaded_blas():
        for numbers, moves, exists in leave_one_out(comparisons, found, cluster):
            total += moves.T @ moves
            has_interval &= exists.all(axis=0)
            count += len(numbers)
    return total * ((count - 1) / max(count, 1)), has_interval


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
    exists = np.ones((clusters, found.models), dtype=np.bool_)
    for place in large:
        moves[place], exists[place] = _exact_move(found, comparisons.block(rows[local == place]))
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


def _exact_move(found: PairedFit, block: Block) -> tuple[FloatArray, BoolArray]:
    """The step of one cluster by solving its own system, and which models it exists for."""
    models, effects = found.models, len(found.effects)
    terms = found.terms(block)
    own = BorderedMatrix(models=models, effects=effects)
    own.add(block, terms)
    remaining = found.information - own.matrix()
    score = score_vector(block, terms, models=models, effects=effects)
    exists = np.ones(models, dtype=np.bool_)
    if found.system.shift_free:
        exists = _still_connected(found.information, remaining, models)
    kept = np.append(np.flatnonzero(exists), models + np.arange(effects))
    move = np.zeros(models + effects)
    try:
        system = DifferenceSystem(
            remaining[np.ix_(kept, kept)],
            models=int(exists.sum()),
            shift_free=found.system.shift_free,
        )
    except SingularError:
        # Not a model but an effect rests on this cluster alone.
        return move, np.zeros(models, dtype=np.bool_)
    move[kept] = system.solve(score[kept])
    return move, exists


def _still_connected(information: FloatArray, remaining: FloatArray, models: int) -> BoolArray:
    """The largest set of models that pairs with some information left connect."""
    left = np.abs(remaining[:models, :models]) > _ROUNDING * np.abs(information[:models, :models])
    np.fill_diagonal(left, False)
    labels: IntArray = connected_components(csr_array(left), directed=False)[1]
    return np.asarray(labels == np.bincount(labels).argmax(), dtype=np.bool_)


def _positive(covariance: FloatArray) -> FloatArray:
    """The nearest covariance without negative variances, which a difference can bring about."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    result: FloatArray = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return result
