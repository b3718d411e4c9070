"""Votes become cells without loss, add up, and are refused in one line when they are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from ratings.core.outcomes import (
    MAX_MODELS,
    Outcome,
    OutcomeCells,
    VoteDataError,
    cells_from_counts,
    cells_from_votes,
)
from tests.ratings.core.votes import drawn, votes


def test_every_vote_lands_in_the_cell_of_its_ordered_pair_and_outcome() -> None:
    cells = votes((0, 1, 0), (0, 1, 0), (1, 0, 0), (2, 0, 1), (2, 1, 2), (1, 2, 3), models=3)

    assert cells.counts[0, 1].tolist() == [2, 0, 0, 0]
    assert cells.counts[1, 0].tolist() == [1, 0, 0, 0]
    assert cells.counts[2, 0].tolist() == [0, 1, 0, 0]
    assert cells.counts[2, 1].tolist() == [0, 0, 1, 0]
    assert cells.counts[1, 2].tolist() == [0, 0, 0, 1]
    assert cells.votes == 6


def test_cells_of_two_halves_add_up_to_the_cells_of_the_whole() -> None:
    a, b, outcome = drawn(5, 400, seed=1)

    halves = [
        cells_from_votes(a[s], b[s], outcome[s], models=5) for s in (np.s_[:150], np.s_[150:])
    ]

    whole = cells_from_votes(a, b, outcome, models=5)
    assert np.array_equal((halves[0] + halves[1]).counts, whole.counts)


def test_small_integer_columns_do_not_overflow() -> None:
    a = np.full(3, 199, dtype=np.uint8)

    cells = cells_from_votes(a, np.full(3, 198, np.uint8), np.full(3, 3, np.int8), models=200)

    assert cells.counts[199, 198, Outcome.BOTH_BAD] == 3


def test_counted_rows_of_one_pair_add_up() -> None:
    cells = cells_from_counts(
        np.array([0, 0]), np.array([1, 1]), np.array([[1, 2, 3, 4], [10, 0, 0, 0]]), models=2
    )

    assert cells.counts[0, 1].tolist() == [11, 2, 3, 4]


def test_pairs_join_both_orders_and_treat_both_bad_as_asked() -> None:
    cells = votes((0, 1, 0), (1, 0, 0), (1, 0, 1), (0, 1, 2), (1, 0, 3), models=2)

    as_tie, dropped = cells.pairs("tie"), cells.pairs("drop")

    assert [as_tie.wins_first[0], as_tie.wins_second[0], as_tie.ties[0]] == [2, 1, 2]
    assert [dropped.wins_first[0], dropped.wins_second[0], dropped.ties[0]] == [2, 1, 1]


@pytest.mark.parametrize(
    ("a", "b", "outcome", "message"),
    [
        ([0, 1], [1, 1], [0, 0], "row 1: model 1 against itself"),
        ([0, 3], [1, 0], [0, 0], "row 1: model_a is 3, not from 0 to 2"),
        ([0, 1], [1, -1], [0, 0], "row 1: model_b is -1, not from 0 to 2"),
        ([0, 1], [1, 0], [0, 4], "row 1: outcome is 4, not from 0 to 3"),
        ([0, 1], [1], [0, 0], "model_b has shape (1,), not (2,)"),
        ([0, 1], [1, 0], [0.0, float("nan")], "outcome holds float64, not integers"),
    ],
)
def test_a_wrong_vote_is_named_in_one_line(
    a: list[int], b: list[int], outcome: list[float], message: str
) -> None:
    with pytest.raises(VoteDataError) as raised:
        cells_from_votes(np.array(a), np.array(b), np.array(outcome), models=3)

    assert str(raised.value) == message


def test_wrong_counts_are_named_in_one_line() -> None:
    a, b = np.array([0, 1]), np.array([1, 0])

    with pytest.raises(VoteDataError, match=r"^row 1: a negative count$"):
        cells_from_counts(a, b, np.array([[1, 0, 0, 0], [0, -1, 0, 0]]), models=2)
    with pytest.raises(VoteDataError, match=r"^row 0: model 0 against itself$"):
        cells_from_counts(a, np.array([0, 0]), np.ones((2, 4), dtype=int), models=2)


def test_too_many_models_are_refused_before_memory_is_taken() -> None:
    none = np.empty(0, dtype=np.int64)

    with pytest.raises(VoteDataError, match=f"at most {MAX_MODELS} can be rated"):
        cells_from_votes(none, none, none, models=10**6)


def test_cells_of_different_numberings_do_not_add() -> None:
    with pytest.raises(VoteDataError, match="number the models the same way"):
        OutcomeCells(np.zeros((2, 2, 4), int)) + OutcomeCells(np.zeros((3, 3, 4), int))
