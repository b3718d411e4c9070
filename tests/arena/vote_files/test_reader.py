"""Whatever shape and format the votes come in, the same integers come out."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from arena.vote_files import (
    CountBatch,
    VoteBatch,
    VoteFile,
    csv_rows,
    json_rows,
    open_votes,
    parquet_rows,
)
from tests.arena.vote_files.files import (
    FORMATS,
    SHAPES,
    VOTES,
    rows_left_right,
    rows_plain,
    rows_preferendum,
    write_csv,
    write_json_list,
    write_jsonl,
    write_parquet,
)

MERGED = [(a, b, min(outcome, 2)) for a, b, outcome in VOTES]


def votes_in(file: VoteFile) -> list[tuple[str, str, int]]:
    found = []
    for batch in file:
        assert isinstance(batch, VoteBatch)
        columns = (batch.model_a.tolist(), batch.model_b.tolist(), batch.outcome.tolist())
        found += [
            (file.names[a], file.names[b], outcome) for a, b, outcome in zip(*columns, strict=True)
        ]
    return found


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "counts"])
def test_every_shape_in_every_format(tmp_path: Path, shape: str, suffix: str) -> None:
    path = FORMATS[suffix](tmp_path / f"votes.{suffix}", SHAPES[shape]())

    file = open_votes(path)

    assert file.shape == shape
    assert votes_in(file) == (MERGED if shape == "55k" else VOTES)
    assert set(file.names) == {"alpha", "beta", "gamma"}
    assert file.excluded == (2 if shape == "preferendum" else 0)
    assert file.fraction == 1


@pytest.mark.parametrize("suffix", FORMATS)
def test_counts_stay_counts(tmp_path: Path, suffix: str) -> None:
    path = FORMATS[suffix](tmp_path / f"votes.{suffix}", SHAPES["counts"]())

    file = open_votes(path)
    batches = list(file)

    assert file.shape == "counts"
    assert all(isinstance(batch, CountBatch) for batch in batches)
    found = {
        (file.names[a], file.names[b], outcome): count
        for batch in batches
        if isinstance(batch, CountBatch)
        for a, b, row in zip(batch.model_a, batch.model_b, batch.counts.tolist(), strict=True)
        for outcome, count in enumerate(row)
        if count
    }
    assert found == {vote: VOTES.count(vote) for vote in VOTES}


@pytest.mark.parametrize("suffix", FORMATS)
def test_left_and_right(tmp_path: Path, suffix: str) -> None:
    path = FORMATS[suffix](tmp_path / f"votes.{suffix}", rows_left_right())

    assert votes_in(open_votes(path)) == MERGED


@pytest.mark.parametrize("suffix", FORMATS)
def test_further_columns_come_along(tmp_path: Path, suffix: str) -> None:
    path = FORMATS[suffix](tmp_path / f"votes.{suffix}", rows_plain())

    (batch,) = open_votes(path, groups=["worker"], values=["winner"])

    assert isinstance(batch, VoteBatch)
    assert batch.groups["worker"].tolist() == [number % 4 for number in range(len(VOTES))]
    assert batch.values["winner"] == [row["winner"] for row in rows_plain()]
    assert batch.row.tolist() == list(range(1, len(VOTES) + 1))


def test_further_columns_of_votes_that_count_keep_their_rows(tmp_path: Path) -> None:
    rows = [row | {"voter": f"v{number}"} for number, row in enumerate(rows_preferendum())]
    path = write_jsonl(tmp_path / "votes.jsonl", rows)

    (batch,) = open_votes(path, groups=["voter"], values=["voter"])

    assert isinstance(batch, VoteBatch)
    counted = [number for number, row in enumerate(rows) if row["counted"]]
    assert batch.values["voter"] == [f"v{number}" for number in counted]
    assert batch.groups["voter"].tolist() == list(range(len(counted)))
    assert batch.row.tolist() == [number + 1 for number in counted]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
def test_many_small_blocks_give_the_same_votes(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers of models and voters, and of rows, go on from block to block."""
    rows = [
        row | {"worker": f"w{n % 7}", "prompt": 'two\n"lines",\n' * (n % 3)}
        for n in range(30)
        for row in rows_plain()
    ]
    path = FORMATS[suffix](tmp_path / f"votes.{suffix}", rows)
    monkeypatch.setattr(csv_rows, "BLOCK_BYTES", 256)
    monkeypatch.setattr(json_rows, "BLOCK_BYTES", 256)
    monkeypatch.setattr(json_rows, "ROWS_WITH_TEXTS", 7)
    monkeypatch.setattr(parquet_rows, "ROWS", 7)

    file = open_votes(path, groups=["worker"])
    batches = [batch for batch in file if isinstance(batch, VoteBatch)]

    assert len(batches) > 10
    assert votes_in(file) == VOTES * 30
    assert np.concatenate([batch.row for batch in batches]).tolist() == list(
        range(1, len(rows) + 1)
    )
    workers = np.concatenate([batch.groups["worker"] for batch in batches])
    assert workers.tolist() == [n % 7 for n in range(30) for _ in VOTES]


@pytest.mark.parametrize(
    "kind",
    [
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.dictionary(pa.int8(), pa.string()),
    ],
    ids=str,
)
def test_every_kind_of_text_that_parquet_knows(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.Table.from_pylist(rows_plain())
    for column in ("model_a", "model_b", "winner"):
        place = table.schema.get_field_index(column)
        table = table.set_column(place, column, table[column].cast(kind))
    path = tmp_path / "votes.parquet"
    pq.write_table(table, path)

    assert votes_in(open_votes(path)) == VOTES


@pytest.mark.parametrize("suffix", ["jsonl", "json", "parquet"])
def test_whole_numbers_are_names_too(tmp_path: Path, suffix: str) -> None:
    rows = [{"left": 0, "right": 1, "winner": "left"}, {"left": 2, "right": 0, "winner": "tie"}]
    path = FORMATS[suffix](tmp_path / f"votes.{suffix}", rows)

    assert votes_in(open_votes(path)) == [("0", "1", 0), ("2", "0", 2)]


def test_json_lines_may_change_their_minds(tmp_path: Path) -> None:
    """Numbers after text, fields left out, blank lines, a mark of the byte order."""
    lines = [
        '\ufeff{"model_a": "x", "model_b": "y", "winner": "tie"}',
        "",
        '{"winner": "model_a", "model_b": 7, "model_a": "y", "more": [1, {"a": null}]}',
        '{"model_a": "\\u00e9", "model_b": "x", "winner": "both_bad"}',
    ]
    path = tmp_path / "votes.jsonl"
    path.write_text("\n".join(lines), "utf-8")

    assert votes_in(open_votes(path)) == [("x", "y", 2), ("y", "7", 0), ("é", "x", 3)]


def test_json_lines_may_change_their_minds_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before is neither lost nor read twice."""
    rows = [*rows_plain() * 30, {"model_a": 7, "model_b": "beta", "winner": "tie"}, *rows_plain()]
    path = write_jsonl(tmp_path / "votes.jsonl", rows)
    monkeypatch.setattr(json_rows, "BLOCK_BYTES", 256)

    assert votes_in(open_votes(path)) == [*VOTES * 30, ("7", "beta", 2), *VOTES]


def test_declared_categories_without_votes_are_no_models(tmp_path: Path) -> None:
    names = pa.array(["x", "never met", "y"])
    table = pa.table(
        {
            "model_a": pa.DictionaryArray.from_arrays(pa.array([0, 2]), names),
            "model_b": pa.DictionaryArray.from_arrays(pa.array([2, 0]), names),
            "winner": ["tie", "tie"],
        }
    )
    path = tmp_path / "votes.parquet"
    pq.write_table(table, path)
    file = open_votes(path)

    assert votes_in(file) == [("x", "y", 2), ("y", "x", 2)]
    assert set(file.names) == {"x", "y"}


@pytest.mark.parametrize(
    "name", ["NA", "null", "None", " spaced ", 'quo"ted', "two\nlines", "模型"]
)
@pytest.mark.parametrize("suffix", FORMATS)
def test_names_are_kept_to_the_letter(tmp_path: Path, suffix: str, name: str) -> None:
    rows = [{"model_a": name, "model_b": "y", "winner": "tie", "prompt": 'a,\n"b"'}]
    path = FORMATS[suffix](tmp_path / f"votes.{suffix}", rows)

    assert votes_in(open_votes(path)) == [(name, "y", 2)]


def test_the_format_is_known_by_the_bytes_and_not_by_the_name(tmp_path: Path) -> None:
    for write in (write_csv, write_jsonl, write_json_list, write_parquet):
        assert votes_in(open_votes(write(tmp_path / "votes", rows_plain()))) == VOTES


def test_counts_may_be_written_as_decimal_numbers(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,wins_a,wins_b,ties,both_bad\nx,y,3.0,1e2,0,4\n")

    (batch,) = open_votes(path)

    assert isinstance(batch, CountBatch)
    assert batch.counts.tolist() == [[3, 100, 0, 4]]


def test_counts_may_be_the_decimals_of_a_database(tmp_path: Path) -> None:
    counts = {"wins_a": 3, "wins_b": 100, "ties": 0, "both_bad": 4}
    kind = pa.decimal128(38, 0)
    columns = {name: pa.array([Decimal(count)], kind) for name, count in counts.items()}
    path = tmp_path / "votes.parquet"
    pq.write_table(pa.table({"model_a": ["x"], "model_b": ["y"], **columns}), path)

    (batch,) = open_votes(path)

    assert isinstance(batch, CountBatch)
    assert batch.counts.tolist() == [[3, 100, 0, 4]]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_what_excludes_a_vote(tmp_path: Path, suffix: str) -> None:
    vote: dict[str, Any] = {"schema_version": 1, "model_a": "x", "model_b": "y", "winner": "tie"}
    rows = [
        vote | {"exclusion": None, "counted": True},
        vote | {"exclusion": "", "counted": True},
        vote | {"exclusion": "leak", "counted": True},
        vote | {"exclusion": "", "counted": False},
        vote | {"exclusion": "withdrawn", "counted": False, "winner": ""},
    ]
    path = FORMATS[suffix](tmp_path / f"votes.{suffix}", rows)
    file = open_votes(path)

    assert votes_in(file) == [("x", "y", 2)] * 2
    assert file.excluded == 3


def test_a_list_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    rows = [row | {"text": "x" * 400_000} for row in rows_plain()]
    path = tmp_path / "votes.json"
    path.write_text(json.dumps(rows), "utf-8")

    assert votes_in(open_votes(path)) == VOTES


def test_reading_again_starts_anew(tmp_path: Path) -> None:
    file = open_votes(write_csv(tmp_path / "votes.csv", rows_preferendum()))

    assert votes_in(file) == votes_in(file) == VOTES
    assert file.excluded == 2
