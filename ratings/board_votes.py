"""The counted votes of a board as arrays: cells, and where they are needed the single votes.

Knows nothing of the database.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.core.outcomes import FloatArray, IntArray, OutcomeCells, Votes, cells_from_counts

FEATURES = ("length", "headers", "bold", "lists")
"""The style differences of a vote: (A - B) / (A + B) of each count."""


@dataclass(frozen=True, slots=True)
class VoteRows:
    """The votes of a selection; arrays of shape (votes,), `features` of shape (votes, 4) or None.

    Models are ids; equal numbers are one voter or one prompt.
    """

    model_a: IntArray
    model_b: IntArray
    outcome: IntArray
    voter: IntArray
    prompt: IntArray
    features: FloatArray | None


class RowsDifferError(ValueError):
    """Two accounts of the same votes disagree."""


@dataclass(frozen=True, slots=True)
class BoardVotes:
    """The counted votes of a board: models by id, ascending; cells numbered the same way.

    `rows` are the same votes one by one, None where only the cells were read.
    """

    ids: IntArray
    cells: OutcomeCells
    rows: VoteRows | None = None

    def __post_init__(self) -> None:
        if self.rows is not None and not np.array_equal(
            self._single_votes(self.rows).cells().counts, self.cells.counts
        ):
            raise RowsDifferError("the votes one by one are not those that were counted")

    def single_votes(self) -> Votes:
        """The votes, one by one."""
        if self.rows is None:
            raise ValueError("only the cells of these votes were read")
        return self._single_votes(self.rows)

    def _single_votes(self, rows: VoteRows) -> Votes:
        return Votes(
            np.searchsorted(self.ids, rows.model_a),
            np.searchsorted(self.ids, rows.model_b),
            rows.outcome,
            len(self.ids),
        )


def board_votes(ids: IntArray, cell_rows: IntArray, rows: VoteRows | None = None) -> BoardVotes:
    """From cell rows as `ratings.selectors.cubes.CategoryCounts` has them.

    Raises VoteDataError for too many models, RowsDifferError for rows that do not add up to the
    cells.
    """
    cells = cells_from_counts(
        np.searchsorted(ids, cell_rows[:, 0]),
        np.searchsorted(ids, cell_rows[:, 1]),
        cell_rows[:, 2:],
        models=len(ids),
    )
    return BoardVotes(ids, cells, rows)
