"""Linear algebra of paired comparisons: Laplacians, and solving where only differences count.

Knows neither votes nor likelihoods. Vectors of parameters have one entry a model, then the effects
(position, tie, features), if there are any.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import ThreadpoolController

from ratings.core.outcomes import FloatArray, IntArray


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread: on busy cores two threads were 14 to 60 times slower than one."""
    with _threadpools().limit(limits=1, user_api="blas"):
        yield


@cache
def _threadpools() -> ThreadpoolController:
    return ThreadpoolController()


def summed_by(place: IntArray, values: FloatArray, size: int) -> FloatArray:
    """The sums of `values` by `place`, both of shape (rows,), as an array of shape (size,)."""
    return np.asarray(np.bincount(place, weights=values, minlength=size), dtype=np.float64)


def laplacian(first: IntArray, second: IntArray, weights: FloatArray, *, models: int) -> FloatArray:
    """The sum over rows of weight times (e_first - e_second)(e_first - e_second)'.

    The columns have shape (rows,); a pair may come in several rows and in either order. The result
    has shape (models, models).
    """
    sums = summed_by(first * models + second, weights, models * models)
    return laplacian_of(sums.reshape(models, models))


def laplacian_of(sums: FloatArray) -> FloatArray:
    """The same from the weights summed by first (rows) and second (columns)."""
    matrix = -(sums + sums.T)
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix


# Share of an effect's information that the models and the effects before it must leave: with less,
# rounding is all that tells the effect from them.
_LEAST_SHARE = 1e-12


class SingularError(ValueError):
    """The matrix has a direction, other than a shift of all models, in which nothing is known."""


class DifferenceSystem:
    """A symmetric matrix over models and effects, factorized once.

    `matrix` has shape (models + effects,) twice. With `shift_free` a shift of all models changes
    nothing (no prior and no ridge): the system is solved on vectors whose models sum to zero, where
    the Laplacian of a connected graph is regular. `left_to_effects` has shape (effects,): the
    information on each effect that models and earlier effects leave to it. Raises SingularError.
    """

    def __init__(self, matrix: FloatArray, *, models: int, shift_free: bool) -> None:
        self.models = models
        self.shift_free = shift_free
        lifted = matrix
        if shift_free:
            lifted = matrix.copy()
            lifted[:models, :models] += float(np.trace(matrix[:models, :models])) / models**2
        try:
            self._factor = cho_factor(lifted, check_finite=False)
        except np.linalg.LinAlgError:
            raise SingularError("the votes leave a direction of the fit open") from None
        self.left_to_effects: FloatArray = np.diag(self._factor[0])[models:] ** 2
        if (self.left_to_effects <= _LEAST_SHARE * np.diag(matrix)[models:]).any():
            raise SingularError("models and effects cannot be told apart by these votes")

    def solve(self, right: FloatArray) -> FloatArray:
        """The solution for `right`, shape (models + effects,) or (models + effects, k).

        With `shift_free` the models' part sums to zero, and a right side that does not is taken as
        if it did.
        """
        solution: FloatArray = cho_solve(self._factor, right, check_finite=False)
        return centred(solution, models=self.models) if self.shift_free else solution

    def inverse(self) -> FloatArray:
        """The inverse; with `shift_free` the pseudo-inverse on vectors that sum to zero."""
        solution = self.solve(np.eye(len(self._factor[0])))
        return centred(solution.T, models=self.models) if self.shift_free else solution


def centred(vectors: FloatArray, *, models: int) -> FloatArray:
    """The vectors, shape (models + effects, …), with their models' part made to sum to zero."""
    result = vectors.copy()
    result[:models] -= vectors[:models].mean(axis=0)
    return result


def centred_covariance(covariance: FloatArray, *, models: int) -> FloatArray:
    """The covariance of the centred vectors, exactly symmetric."""
    once = centred(covariance, models=models)
    twice = centred(once.T, models=models)
    return (twice + twice.T) / 2
