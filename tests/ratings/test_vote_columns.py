"""Columns of names become votes, whatever holds them, and what is no vote is named by its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ratings.core.outcomes import VoteDataError
from ratings.vote_columns import votes_from_columns

A = ["zoe", "ada", "bea", "zoe", "ada"]
B = ["ada", "bea", "ada", "bea", "zoe"]
WINNER = ["model_a", "model_b", "tie", "both_bad", "tie (bothbad)"]


@pytest.mark.parametrize(
    "held",
    [
        list,
        pd.Series,
        lambda values: pd.Series(values, dtype=object),
        lambda values: pd.Series(values, dtype="category"),
        np.array,
        pa.array,
        lambda values: pa.array(values).dictionary_encode(),
        lambda values: pa.chunked_array([values[:2], values[2:]]),
        lambda values: pa.array(values, pa.large_string()),
    ],
)
def test_any_holder_of_strings_gives_the_same_votes(held: Callable[[list[str]], Any]) -> None:
    votes, names = votes_from_columns(held(A), held(B), held(WINNER))

    assert names == ("ada", "bea", "zoe")
    assert [names[model] for model in votes.model_a] == A
    assert [names[model] for model in votes.model_b] == B
    assert votes.outcome.tolist() == [0, 1, 2, 3, 3]
    assert votes.models == 3


def test_names_that_appear_late_keep_their_numbers() -> None:
    random = np.random.default_rng(0)
    count = 300_000
    # More names in each piece than in the one before.
    name = np.array([f"model {number:03d}" for number in range(200)])
    model_a = name[random.integers(0, 1 + np.arange(count) * 198 // count)]
    model_b = np.roll(name, -1)[np.searchsorted(name, model_a)]

    votes, names = votes_from_columns(model_a, model_b, np.full(count, "tie"))

    assert np.array_equal(np.array(names)[votes.model_a], model_a)
    assert np.array_equal(np.array(names)[votes.model_b], model_b)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ((A, B, [*WINNER[:4], "draw"]), "row 4: winner is 'draw', not one of model_a"),
        ((A, B, WINNER[:4]), "differ in length"),
        (([*A[:3], None, "ada"], B, WINNER), "row 3: model_a is missing"),
        ((A, A, WINNER), "against itself"),
        (([1, 2, 3, 4, 5], B, WINNER), "model_a holds int64, not strings"),
        (
            ([f"model {number}" for number in range(3000)], ["x"] * 3000, ["tie"] * 3000),
            "model_a has more than 2048 different strings",
        ),
        ((A, [*B[:4], 7], WINNER), "model_b does not hold strings alone"),
    ],
)
def test_what_is_no_vote_is_refused_in_one_line(columns: tuple[Any, Any, Any], says: str) -> None:
    with pytest.raises(VoteDataError, match=says) as refusal:
        votes_from_columns(*columns)

    assert "\n" not in str(refusal.value)
