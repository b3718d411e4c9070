"""Votes of an imagined arena, drawn once from a seed and written where every contender reads them.

Few models get most of the votes, few voters cast most of them, and answers that are longer or
better formatted win more often. Knows no contender.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

POINTS_PER_LOG_ODDS = 400 / np.log(10)
RATING_SD = 120.0
TIES = 0.285  # half of them both bad
FEATURES = 8
FEW_VOTES, FEW_MODELS = 2_000, 8
ACTIVITY_SD = 1.5
WINNERS = ("model_a", "model_b", "tie", "both_bad")
# Drawn and written in pieces, so that 20 million votes need little memory.
_PIECE = 1_000_000


@dataclass(frozen=True, slots=True)
class Arena:
    """What the votes are drawn from.

    `strength` (models,) in log-odds and `popularity` (models,) that sums to one; `activity`
    (voters,) that sums to one; `taste` (FEATURES,), the log-odds of one unit of each feature.
    """

    names: tuple[str, ...]
    strength: NDArray[np.float64]
    popularity: NDArray[np.float64]
    activity: NDArray[np.float64]
    taste: NDArray[np.float64]


def arena(*, models: int, voters: int, seed: int) -> Arena:
    """An arena whose popularity falls like Zipf's law and whose ratings have sd 120 points."""
    random = np.random.default_rng(seed)
    popularity = 1 / (np.arange(models) + 10.0)
    activity = np.exp(ACTIVITY_SD * random.standard_normal(voters))
    return Arena(
        names=tuple(_name(number) for number in range(models)),
        strength=RATING_SD / POINTS_PER_LOG_ODDS * random.standard_normal(models),
        popularity=random.permutation(popularity / popularity.sum()),
        activity=activity / activity.sum(),
        taste=np.array([0.25, 0.05, 0.08, 0.04, -0.1, 0.0, 0.02, -0.03]),
    )


def _name(number: int) -> str:
    """Names of 15 to 35 letters that sort by number, as long as those of public arenas."""
    kind = ("chat", "instruct", "thinking-preview-2025", "a3b-instruct-fp8")[number % 4]
    return f"model-{number:04d}{'-7b' * (number % 3 == 0)}-{kind}"


def write_folder(folder: Path, *, votes: int, parquet_votes: int, models: int, voters: int) -> None:
    """All files of a benchmark, and the same of few votes in the folder `few`."""
    write_votes(folder, votes=votes, models=models, voters=voters)
    write_parquet(folder / "big.parquet", votes=parquet_votes, models=models)
    few = folder / "few"
    write_votes(few, votes=FEW_VOTES, models=FEW_MODELS, voters=FEW_VOTES // 10)
    write_parquet(few / "big.parquet", votes=FEW_VOTES, models=FEW_MODELS)


def write_votes(folder: Path, *, votes: int, models: int, voters: int, seed: int = 0) -> None:
    """Write `names.arrow` (the strings model_a, model_b and winner) and, as `.npy`, model_a,
    model_b and voter (int32), outcome (int8), features (doubles) and the number of models."""
    folder.mkdir(parents=True)
    source = arena(models=models, voters=voters, seed=seed)
    random = np.random.default_rng(seed + 1)
    pieces = [_draw(source, count, random) for count in _counts(votes)]
    columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    del pieces
    for name, column in columns.items():
        # Column by column, as a DataFrame holds the features.
        np.save(folder / f"{name}.npy", np.asfortranarray(column))
    np.save(folder / "models.npy", np.int64(models))
    table = _named(source, columns)
    # Not Parquet: its reader leaves more memory behind than the columns take.
    with pa.ipc.new_file(folder / "names.arrow", table.schema) as file:
        file.write_table(table, max_chunksize=_PIECE)


def write_parquet(path: Path, *, votes: int, models: int, seed: int = 0) -> None:
    """Write the three string columns model_a, model_b and winner, as pyarrow does by default."""
    source = arena(models=models, voters=1, seed=seed)
    random = np.random.default_rng(seed + 1)
    with pq.ParquetWriter(path, _named(source, _draw(source, 1, random)).schema) as writer:
        for count in _counts(votes):
            writer.write_table(_named(source, _draw(source, count, random)))


def _counts(votes: int) -> list[int]:
    return [min(_PIECE, votes - start) for start in range(0, votes, _PIECE)]


def _draw(source: Arena, count: int, random: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    models = len(source.names)
    model_a = random.choice(models, count, p=source.popularity)
    model_b = random.choice(models, count, p=source.popularity)
    while len(same := np.flatnonzero(model_a == model_b)):
        model_b[same] = random.choice(models, len(same), p=source.popularity)
    features = np.tanh(0.5 * random.standard_normal((count, FEATURES)))
    gap = source.strength[model_a] - source.strength[model_b] + features @ source.taste
    outcome = (random.random(count) > 1 / (1 + np.exp(-gap))).astype(np.int8)
    tied = random.random(count) < TIES
    outcome[tied] = random.integers(2, 4, tied.sum())
    return {
        "model_a": model_a.astype(np.int32),
        "model_b": model_b.astype(np.int32),
        "outcome": outcome,
        "voter": random.choice(len(source.activity), count, p=source.activity).astype(np.int32),
        "features": features,
    }


def _named(source: Arena, columns: dict[str, NDArray[np.generic]]) -> pa.Table:
    # The string type of pandas, which then takes the columns as they lie.
    names = pa.array(source.names, pa.large_string())
    winners = pa.array(WINNERS, pa.large_string())
    return pa.table(
        {
            "model_a": names.take(pa.array(columns["model_a"])),
            "model_b": names.take(pa.array(columns["model_b"])),
            "winner": winners.take(pa.array(columns["outcome"])),
        }
    )
