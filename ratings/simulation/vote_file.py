"""Simulated votes as a file that `python -m ratings` reads: CSV, JSON lines or Parquet.

Knows nothing of the truth but what it is told to write: the column `kind` says what each voter is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ratings.core.outcomes import Outcome
from ratings.simulation.kinds import Kind
from ratings.simulation.votes import Simulation
from ratings.simulation.worlds import SimulationError

_WINNERS = {
    Outcome.A_WINS: "model_a",
    Outcome.B_WINS: "model_b",
    Outcome.TIE: "tie",
    Outcome.BOTH_BAD: "both_bad",
}
_SIDES = ("", "a", "b")
_LINES_AT_ONCE = 50_000


def votes_write(simulation: Simulation, path: Path) -> None:
    """Write all votes in the order in which they were cast; the name's ending says in what format.

    Written under another name first, so that a file of this name is always whole. Raises
    SimulationError as `refuse_bad_name` does, and where the file cannot be written.
    """
    refuse_bad_name(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            _WRITERS[path.suffix](votes_table(simulation), draft)
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise SimulationError(f"{path}: cannot be written: {error.strerror}") from error


def refuse_bad_name(path: Path) -> None:
    """Raises SimulationError for an unknown ending, no folder, or a file that is there already."""
    if path.suffix not in _WRITERS:
        raise SimulationError(f"{path}: name a file that ends in {', '.join(_WRITERS)}")
    if path.exists():
        raise SimulationError(f"{path}: is there already; name another file")
    if not path.parent.is_dir():
        raise SimulationError(f"{path}: there is no folder {path.parent}")


def votes_table(simulation: Simulation) -> pa.Table:
    """One row a vote. `judge` is the voter, `seconds` are from the start of the answers on."""
    votes, names = simulation.votes, simulation.world.names
    labels = [_WINNERS[outcome] for outcome in Outcome]
    return pa.table(
        {
            "model_a": _named(votes.model_a, names),
            "model_b": _named(votes.model_b, names),
            "winner": _named(votes.outcome, labels),
            "judge": pa.array(np.char.add("voter-", votes.voter.astype(str))),
            "prompt": pa.array(np.char.add("prompt-", votes.prompt.astype(str))),
            "day": pa.array(votes.day),
            "seconds": pa.array(votes.seconds.round(2)),
            "words": pa.array(votes.words),
            "gold_side": _named(votes.gold_side + 1, _SIDES),
            "kind": _named(votes.kind, [kind.label for kind in Kind]),
        }
    )


def _named(numbers: np.ndarray, names: tuple[str, ...] | list[str]) -> pa.Array:
    return pa.array(np.array(names, dtype=object)[numbers], pa.string())


def _write_csv(table: pa.Table, path: Path) -> None:
    pa.csv.write_csv(table, path)


def _write_parquet(table: pa.Table, path: Path) -> None:
    pa.parquet.write_table(table, path)


def _write_lines(table: pa.Table, path: Path) -> None:
    with path.open("x", encoding="utf-8") as file:
        for batch in table.to_batches(_LINES_AT_ONCE):
            file.writelines(json.dumps(row) + "\n" for row in batch.to_pylist())


_WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_lines,
    ".parquet": _write_parquet,
}
