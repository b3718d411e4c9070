"""Votes for the tests of the mathematics: drawn, written out, and the real ones where they lie."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from ratings.core.outcomes import IntArray, OutcomeCells, cells_from_counts, cells_from_votes

REAL_VOTES = Path(__file__).resolve().parents[4] / "shared" / "data" / "votes"


def real_votes(name: str) -> Path:
    path = REAL_VOTES / name
    if not path.exists():
        pytest.skip(f"the public votes {name} are not beside this checkout")
    return path


def chatbot_arena() -> tuple[OutcomeCells, list[str]]:
    """1.67 million Chatbot Arena votes as cells, and the names of the models."""
    with real_votes("chatbot_arena_20240814_counts.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = sorted({row[side] for row in rows for side in ("model_a", "model_b")})
    number = {name: index for index, name in enumerate(names)}
    cells = cells_from_counts(
        np.array([number[row["model_a"]] for row in rows]),
        np.array([number[row["model_b"]] for row in rows]),
        np.array(
            [[int(row[key]) for key in ("wins_a", "wins_b", "ties", "both_bad")] for row in rows]
        ),
        models=len(names),
    )
    return cells, names


def won(wins: list[list[int]]) -> OutcomeCells:
    """Cells of a win matrix: row beat column, without ties."""
    counts = np.zeros((len(wins), len(wins), 4), dtype=np.int64)
    counts[:, :, 0] = wins
    return OutcomeCells(counts)


def votes(*rows: tuple[int, int, int], models: int) -> OutcomeCells:
    """Cells of votes written out as (model a, model b, outcome)."""
    a, b, outcome = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return cells_from_votes(a, b, outcome, models=models)


def drawn(
    models: int, count: int, seed: int, *, spread: float = 0.7, ties: float = 0.25
) -> tuple[IntArray, IntArray, IntArray]:
    """Votes on random pairs of models whose log-odds have the standard deviation `spread`."""
    random = np.random.default_rng(seed)
    strength = random.normal(0, spread, models)
    a = random.integers(0, models, count)
    b = (a + random.integers(1, models, count)) % models
    a_wins = random.random(count) < 1 / (1 + np.exp(strength[b] - strength[a]))
    outcome = np.where(a_wins, 0, 1)
    outcome = np.where(random.random(count) < ties, random.integers(2, 4, count), outcome)
    return a, b, outcome


@st.composite
def connected_cells(draw: st.DrawFn) -> OutcomeCells:
    """Small cells in which every model has lost to its left and tied or lost on to its right."""
    models = draw(st.integers(2, 6))
    counts = np.array(
        draw(st.lists(st.integers(0, 4), min_size=4 * models**2, max_size=4 * models**2))
    ).reshape(models, models, 4)
    ring = np.arange(models)
    counts[ring, (ring + 1) % models, 0] += 1
    counts[ring, ring] = 0
    return OutcomeCells(counts)
