"""Other programs, given the same votes, find the same ratings.

That the real arena votes and one golden file agree with evalica is among the tests of the fit.
"""

from __future__ import annotations

import csv

import choix
import evalica
import numpy as np
import pytest

from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS, fit_bradley_terry
from ratings.core.elo import online_elo
from ratings.core.outcomes import FloatArray, OutcomeCells, Votes, cells_from_votes
from ratings.core.win_rate import win_rates
from tests.ratings.core.votes import chatbot_arena, drawn, real_votes

OUTCOMES = {"left": 0, "model_a": 0, "right": 1, "model_b": 1, "tie": 2}


def choix_points(cells: OutcomeCells) -> FloatArray:
    """Mean-centred points by iterated Luce spectral ranking, run until it no longer moves."""
    pairs = cells.pairs()
    wins = np.zeros((cells.models, cells.models))
    wins[pairs.first, pairs.second] = pairs.wins_first + pairs.ties / 2
    wins[pairs.second, pairs.first] = pairs.wins_second + pairs.ties / 2
    log_odds = choix.ilsr_pairwise_dense(wins, max_iter=1_000, tol=1e-10)
    return np.asarray(POINTS_PER_LOG_ODDS * (log_odds - log_odds.mean()))


def our_points(cells: OutcomeCells) -> FloatArray:
    fit = fit_bradley_terry(cells.pairs(), models=cells.models)
    return POINTS_PER_LOG_ODDS * fit.log_odds


def read(name: str) -> tuple[Votes, list[str]]:
    """Real votes in their order, and the names of the models."""
    with real_votes(name).open() as file:
        rows = [row[:3] for row in csv.reader(file)][1:]
    names = sorted({name for a, b, _ in rows for name in (a, b)})
    number = {name: index for index, name in enumerate(names)}
    table = np.array([[number[a], number[b], OUTCOMES[winner]] for a, b, winner in rows])
    a, b, outcome = table.T
    return Votes(a, b, outcome, len(names)), names


def golden(name: str, algorithm: str, names: list[str]) -> FloatArray:
    """What evalica published for these votes."""
    with real_votes(name).open() as file:
        scores = {
            row["item"]: float(row["score"])
            for row in csv.DictReader(file)
            if row["algorithm"] == algorithm
        }
    return np.array([scores[model] for model in names])


SMALL = [
    ("simple_evalica.csv", "simple_golden_evalica.csv"),
    ("food_evalica.csv", "food_golden_evalica.csv"),
]
CROWD = ("llmfao_crowd.csv", "llmfao_golden_evalica.csv")


def test_choix_rates_the_real_arena_votes_the_same() -> None:
    cells, _ = chatbot_arena()

    assert np.abs(our_points(cells) - choix_points(cells)).max() < 1e-4


def test_choix_rates_the_crowd_of_llmfao_the_same() -> None:
    cells = read("llmfao_crowd.csv")[0].cells()

    assert np.abs(our_points(cells) - choix_points(cells)).max() < 1e-4


@pytest.mark.parametrize(("models", "count", "spread"), [(8, 400, 0.7), (60, 50_000, 1.5)])
def test_peers_rate_drawn_votes_the_same(models: int, count: int, spread: float) -> None:
    a, b, outcome = drawn(models, count, seed=1, spread=spread)
    cells = cells_from_votes(a, b, outcome, models=models)

    ours = our_points(cells)

    winners = [(evalica.Winner.X, evalica.Winner.Y)[said] if said < 2 else evalica.Winner.Draw
               for said in outcome]  # fmt: skip
    found = evalica.bradley_terry(a.tolist(), b.tolist(), winners, tolerance=1e-13, limit=100_000)
    theirs = np.log(found.scores[list(range(models))].to_numpy())
    theirs = POINTS_PER_LOG_ODDS * (theirs - theirs.mean())
    assert np.abs(ours - theirs).max() < 1e-4
    assert np.abs(ours - choix_points(cells)).max() < 1e-4


@pytest.mark.parametrize(("file", "golden_file"), SMALL)
def test_published_strengths(file: str, golden_file: str) -> None:
    votes, names = read(file)

    strengths = np.exp(fit_bradley_terry(votes.cells().pairs(), models=len(names)).log_odds)

    expected = golden(golden_file, "bradley_terry", names)
    off = POINTS_PER_LOG_ODDS * np.log(strengths / strengths.sum() / (expected / expected.sum()))
    assert np.abs(off).max() < 1e-4


@pytest.mark.parametrize(("file", "golden_file"), [*SMALL, CROWD])
def test_published_average_win_rates(file: str, golden_file: str) -> None:
    votes, names = read(file)

    share = win_rates(votes.cells().pairs(), models=len(names)).share

    assert share == pytest.approx(golden(golden_file, "average_win_rate", names), abs=1e-12)


@pytest.mark.parametrize(("file", "golden_file"), [*SMALL, CROWD])
def test_published_elo_ratings(file: str, golden_file: str) -> None:
    votes, names = read(file)

    ratings = online_elo(votes, k=4)

    assert ratings == pytest.approx(golden(golden_file, "elo", names), abs=1e-8)
