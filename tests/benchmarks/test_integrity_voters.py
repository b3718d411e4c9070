"""A corner of the grid of the outlier test keeps what it promises, and the run tells of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import integrity_voters, results
from benchmarks.integrity_voters import CLEAN, GRID, MIXED, Cell, report, row_of, summed


@pytest.mark.parametrize(
    "cell",
    [
        Cell(CLEAN, 10, 0.6, 50.0, 0.35),
        Cell(CLEAN, 60, 0.0, 260.0, 0.35),
        Cell(CLEAN, 300, 0.6, 50.0, 0.0),
        Cell(MIXED, 10, 0.6, 50.0, 0.35),
        Cell(MIXED, 60, 0.6, 260.0, 0.2),
    ],
    ids=str,
)
def test_honest_voters_are_left_alone_in_the_corners_of_the_grid(cell: Cell) -> None:
    row = row_of(cell, seeds=range(3))

    assert cell in GRID
    assert row.any_flagged == 0
    assert row.kept


def test_bots_that_contradict_everybody_are_found_in_a_mixed_population() -> None:
    row = row_of(Cell(MIXED, 60, 0.0, 260.0, 0.0), seeds=range(2))

    assert row.found["mirrored"] > 0.4
    assert row.found["lazy"] == row.found["position-biased"] == 0


def test_a_broken_promise_is_said() -> None:
    cell = Cell(CLEAN, 10, 0.0, 50.0, 0.0)

    row = summed(cell, [{"honest": (100, 4)}, {"honest": (100, 0)}])

    assert row.share == 0.02
    assert row.any_flagged == 1
    assert not row.kept
    mixed = summed(Cell(MIXED, 10, 0.0, 50.0, 0.0), [{"honest": (500, 0), "lazy": (4, 1)}] * 2)
    told = report([row, mixed])
    assert "BREAKS the promise in: nobody rigs: 10 votes" in told
    assert "flagged in 1 of 2 arenas (50.0%" in told
    assert "| 10, 0.0, 50 points | 25% |" in told


def test_nobody_flagged_among_few_proves_little() -> None:
    """0 of 200 leave a share of 1.5 % open (Clopper and Pearson)."""
    row = summed(Cell(CLEAN, 10, 0.0, 50.0, 0.0), [{"honest": (100, 0)}] * 2)

    assert row.share_upper == pytest.approx(0.0149, abs=1e-4)


def test_a_run_prints_and_keeps_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "KEPT", tmp_path)
    monkeypatch.setattr(
        integrity_voters, "QUICK", tuple(Cell(p, 10, 0.0, 50.0, 0.0) for p in (CLEAN, MIXED))
    )

    integrity_voters.main(["--quick", "--replicates", "2"])

    kept = json.loads((tmp_path / "integrity_voters-quick.json").read_text())
    assert [row["cell"]["population"] for row in kept["rows"]] == [CLEAN, MIXED]
    assert "Nobody rigs: somebody honest was flagged in 0 of 2 arenas" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--replicates", "1"], ["--quick", "--write-docs"]])
def test_what_would_say_nothing_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        integrity_voters.main(arguments)
