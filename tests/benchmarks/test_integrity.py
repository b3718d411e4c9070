"""The benchmark of integrity runs, and FastChat's test is what it is said to be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import integrity, integrity_voters, results
from benchmarks.fastchat_outliers import fastchat_outliers
from ratings.simulation.defences import DEFENCES
from ratings.simulation.votes import SimulatedVotes, simulate
from ratings.simulation.worlds import World


def test_a_quick_run_prints_each_attack_under_each_defence_and_keeps_the_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "KEPT", tmp_path)
    # The grid of the outlier test has a test of its own.
    asked: list[list[str]] = []
    monkeypatch.setattr(integrity_voters, "main", lambda arguments: asked.append(list(arguments)))

    integrity.main(["--quick"])

    assert asked == [["--quick"]]
    kept = json.loads((tmp_path / "integrity-quick.json").read_text())
    rows = {(row["attack"], row["defence"]): row["means"] for row in kept["attacks"]}
    assert len(rows) == 2 * len(DEFENCES)
    bots, defended = rows["burst", "none"], rows["burst", "too_fast"]
    assert bots["points_gained"]["value"] > 10
    assert abs(defended["points_gained"]["value"]) < 5
    assert bots["votes_stopped"]["value"] == 0
    assert defended["votes_stopped"]["value"] > 0.9
    assert kept["copies"][0]["points"]["value"] > 5
    assert kept["dropped"][0]["fastchat"]["value"] > 0.5
    assert kept["dropped"][0]["ours"]["value"] < 0.02
    printed = capsys.readouterr().out
    assert "burst  10%  all rules, flagged left out  ranks " in printed


def test_the_tables_hold_every_attack_and_write_what_has_no_number_as_a_dash() -> None:
    nothing, half = integrity.Mean(None, None), integrity.Mean(0.5, 0.01)
    names = ("rank_gained", "points_gained", "voters_found", "votes_stopped", "honest_lost",
             "honest_found")  # fmt: skip
    rows = [
        integrity.Row("burst", 0.1, defence.name, dict.fromkeys(names, half)
                      | {"voters_found": nothing})
        for defence in DEFENCES
    ]  # fmt: skip
    copies = [integrity.Copies(5, half, half, half, half)]
    dropped = [integrity.Dropped(0.35, 260.0, 0.6, half, nothing)]

    text = integrity.tables(rows, copies, dropped)

    assert "| burst | 10% | 0.5 ± 0.0 | 0.5 ± 0.0 |" in text
    assert "| burst | 10% | - | 50.0 % ± 1.0 |" in text
    assert "| 35% | 260 | 0.6 | 50.0 % ± 1.0 | - |" in text


def test_docs_are_written_by_whole_runs_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        integrity.main(["--quick", "--write-docs"])

    assert "leave out --quick" in capsys.readouterr().err


def test_fastchats_test_drops_few_without_ties_and_most_with_many() -> None:
    """Honest voters dropped: 0.3 % at most without ties, 40 to 85 % with 35 % ties and models that
    differ much (its own code on 300 voters, seeds of ours)."""
    shares = {}
    for ties in (0.0, 0.35):
        world = World(voters=300, votes=18_000, tie_share=ties, spread=260.0, activity_sd=0.0)
        votes = simulate(world, seed=1).votes
        shares[ties] = fastchat_outliers(votes, models=20).mean()

    assert shares[0.0] < 0.02
    assert shares[0.35] > 0.4


def test_fastchats_test_by_hand() -> None:
    """Ten voters say that model 0 beats model 1, one says five times that it does not: 1/(2 · 5/15)
    to the power of five is 7.6; with ten votes 1/(2 · 10/20) each is no evidence at all."""

    def votes(against: int) -> SimulatedVotes:
        count = 10 + against
        zeros = np.zeros(count, dtype=np.int64)
        return SimulatedVotes(
            voter=np.append(np.arange(10), np.full(against, 10)), model_a=zeros, model_b=zeros + 1,
            outcome=np.append(np.zeros(10, dtype=np.int64), np.ones(against, dtype=np.int64)),
            prompt=zeros, words=zeros, seconds=zeros.astype(float), day=zeros, gold_side=zeros - 1,
            kind=zeros,
        )  # fmt: skip

    assert fastchat_outliers(votes(5), models=2, level=1 / 7.5).tolist() == [False] * 10 + [True]
    assert not fastchat_outliers(votes(5), models=2, level=1 / 7.7).any()
    assert not fastchat_outliers(votes(4), models=2, level=1 / 1.01).any()
    assert not fastchat_outliers(votes(10), models=2, level=1 / 1.01).any()
