"""Simulated votes go to a file whole, and are read back as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ratings.core.outcomes import Votes
from ratings.file_votes import read_file
from ratings.simulation.kinds import Attack, Kind
from ratings.simulation.vote_file import votes_write
from ratings.simulation.votes import Simulation, simulate
from ratings.simulation.worlds import SimulationError, World


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    world = World(models=5, voters=20, votes=300)
    return simulate(world, [Attack(Kind.SYBIL, 0.1)], seed=1)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_file_is_read_as_the_votes_that_were_written(
    tmp_path: Path, simulation: Simulation, ending: str
) -> None:
    path = tmp_path / f"votes.{ending}"

    votes_write(simulation, path)

    found = read_file(path, single=True, clusters=["judge", "kind"], progress=lambda _: None)
    assert found.names == simulation.world.names
    assert found.count == len(simulation.votes)
    expected = simulation.votes.for_rating(models=5).cells().counts
    assert isinstance(found.votes, Votes)
    np.testing.assert_array_equal(found.votes.cells().counts, expected)
    judge, kind = found.clusters
    assert len(np.unique(judge)) == len(np.unique(simulation.votes.voter))
    assert np.bincount(kind).tolist() == np.bincount(simulation.votes.kind)[[0, 6]].tolist()
    assert [path.name for path in tmp_path.iterdir()] == [f"votes.{ending}"]


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path, simulation: Simulation) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("mine")

    with pytest.raises(SimulationError, match=r"votes\.csv: is there already; name another file$"):
        votes_write(simulation, path)

    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("votes.xlsx", r"votes\.xlsx: name a file that ends in \.csv, \.jsonl, \.parquet$"),
        ("none/votes.csv", r"votes\.csv: there is no folder .*none$"),
    ],
)
def test_a_file_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, simulation: Simulation, name: str, message: str
) -> None:
    with pytest.raises(SimulationError, match=message):
        votes_write(simulation, tmp_path / name)
