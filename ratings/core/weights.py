"""What one vote of a pair weighs: equal say for pairs, or what pairs would have had by plan.

Weights are symmetric matrices of shape (models, models), as `ratings.core.comparisons` takes them.
Where probabilities come from is not known here.
"""

from __future__ import annotations

import numpy as np

from ratings.core.outcomes import FloatArray, IntArray, OutcomeCells, VoteDataError

# Pairs with fewer votes than this are not weighted up further; as in arena-rank 0.1.1.
FEWEST_VOTES = 50

# Squares of weights, times votes, stay far from what a float cannot hold.
_LARGEST = 1e50


def balanced_weights(cells: OutcomeCells, *, fewest: int = FEWEST_VOTES) -> FloatArray:
    """1 / max(n, fewest) for a pair with n votes, so that often drawn pairs do not rule the fit.

    Scaled so that they are 1 on average over the votes: a prior then weighs what it says.
    """
    if fewest < 1:
        raise VoteDataError(f"fewest is {fewest}: give at least 1")
    votes = cells.counts.sum(axis=2)
    votes = votes + votes.T
    weights: FloatArray = 1.0 / np.maximum(votes, fewest)
    total = float((weights * votes).sum())
    return weights * (votes.sum() / total) if total else weights


def propensity_weights(issued: FloatArray, target: FloatArray, cells: OutcomeCells) -> FloatArray:
    """Target share of the pair over its summed drawing probability among the issued battles.

    `issued` (models, models), symmetric: the sum over issued battles of the probability that the
    battle had of being this pair, given its pool. `target`, same shape: the share of battles that
    the pair should have had (any scale). Weights are scaled so that they are 1 on average over the
    votes. A pair with votes or with a target above 0 that could never be drawn has no support, and
    raises VoteDataError (Horvitz and Thompson 1952; Hájek 1971 for the scale).
    """
    votes = cells.counts.sum(axis=2)
    votes = votes + votes.T
    for name, matrix in {"issued": issued, "target": target}.items():
        if matrix.shape != votes.shape or not np.allclose(matrix, matrix.T):
            raise VoteDataError(f"{name} must be symmetric with shape {votes.shape}")
        if not np.isfinite(matrix).all() or (matrix < 0).any():
            raise VoteDataError(f"{name} holds a negative or missing number")
    unsupported = np.argwhere(np.triu(((votes > 0) | (target > 0)) & (issued <= 0), k=1))
    if len(unsupported):
        first, second = unsupported[0]
        raise VoteDataError(
            f"models {first} and {second} could never be drawn as a pair: "
            "leave the pair out of target and votes"
        )
    weights = np.zeros(votes.shape)
    np.divide(target, issued, out=weights, where=issued > 0)
    np.fill_diagonal(weights, 0.0)
    total = float((weights * votes).sum())
    if total <= 0:
        raise VoteDataError("the target gives every pair that has votes the weight 0")
    weights *= votes.sum() / total
    return weights


def refuse_bad_weights(weights: FloatArray, *, models: int) -> None:
    """Raises VoteDataError for weights that are negative, missing, or of another shape."""
    if weights.shape != (models, models):
        raise VoteDataError(f"weights have shape {weights.shape}, not ({models}, {models})")
    bad = np.argwhere(~(weights >= 0) | np.isinf(weights))
    if len(bad):
        first, second = bad[0]
        raise VoteDataError(
            f"the weight of models {first} and {second} is {weights[first, second]}: "
            "weights are finite and not negative"
        )
    positive = weights[weights > 0]
    if len(positive) and not (positive.min() >= 1 / _LARGEST and positive.max() <= _LARGEST):
        raise VoteDataError(f"weights lie between {1 / _LARGEST:g} and {_LARGEST:g}, or are 0")
    if not np.allclose(weights, weights.T):
        raise VoteDataError("weights must be the same for both orders of a pair")


def effective_sample_size(weights: FloatArray, votes: IntArray) -> float:
    """(Σ w)² / Σ w² over votes, with votes of each pair in shape (models, models) (Kish 1965)."""
    squares = float((weights**2 * votes).sum())
    return float((weights * votes).sum()) ** 2 / squares if squares else 0.0
