"""What cannot be read is refused in one line that names the file, the row and the column."""

from __future__ import annotations

import gzip
import json
import re
import resource
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from arena.vote_files import VoteFileError, json_list, open_votes
from tests.arena.vote_files.files import (
    FORMATS,
    rows_55k,
    rows_counts,
    rows_plain,
    rows_preferendum,
    write_json_list,
    write_jsonl,
    write_parquet,
)

HEADER = b"model_a,model_b,winner\n"
TABLES = ["csv", "jsonl", "json", "parquet"]


def refusal(path: Path, **columns: Any) -> str:
    """The error without the file's name, which it must begin with."""
    with pytest.raises(VoteFileError) as caught:
        list(open_votes(path, **columns))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return message.removeprefix(f"{path}: ")


def written(tmp_path: Path, data: bytes, name: str = "votes.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def changed(rows: list[dict[str, Any]], number: int, **values: Any) -> list[dict[str, Any]]:
    """The rows with other values in the row `number`, counted from 1."""
    rows[number - 1] = rows[number - 1] | values
    return rows


@pytest.mark.parametrize("suffix", TABLES)
@pytest.mark.parametrize("label", ["Model_A", "model_a ", "a", "left", "bothbad", "tie (both bad)"])
def test_an_unknown_label_names_its_row(tmp_path: Path, suffix: str, label: str) -> None:
    rows = changed(rows_plain(), 4, winner=label)
    rows = changed(rows, 6, winner="later")

    message = refusal(FORMATS[suffix](tmp_path / "votes", rows))

    assert message == (
        f"row 4, column winner: {label!r} is not one of "
        "model_a, model_b, tie, tie (bothbad), both_bad"
    )


@pytest.mark.parametrize("suffix", TABLES)
def test_labels_of_the_sides_go_with_columns_of_the_sides(tmp_path: Path, suffix: str) -> None:
    rows = [{"left": "x", "right": "y", "winner": "model_a"}]

    message = refusal(FORMATS[suffix](tmp_path / "votes", rows))

    assert message == "row 1, column winner: 'model_a' is not one of left, right, tie"


@pytest.mark.parametrize("suffix", TABLES)
@pytest.mark.parametrize(
    ("column", "reason"),
    [("model_a", "no model name"), ("model_b", "no model name"), ("winner", "")],
)
def test_a_value_that_is_missing(tmp_path: Path, suffix: str, column: str, reason: str) -> None:
    rows = changed(rows_plain(), 3, **{column: None})

    message = refusal(FORMATS[suffix](tmp_path / "votes", rows))

    assert message.startswith(f"row 3, column {column}: {reason}")


@pytest.mark.parametrize("suffix", TABLES)
def test_a_model_against_itself(tmp_path: Path, suffix: str) -> None:
    rows = changed(rows_plain(), 5, model_a="beta", model_b="beta")

    message = refusal(FORMATS[suffix](tmp_path / "votes", rows))

    assert message == "row 5: model 'beta' against itself"


def test_one_model_alone(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + b"x,x,tie\n")

    assert refusal(path) == "row 1: model 'x' against itself"


@pytest.mark.parametrize("column", ["model_a", "model_b", "winner"])
def test_a_missing_column_names_those_that_are_there(tmp_path: Path, column: str) -> None:
    fields = [name for name in ("model_a", "model_b", "winner") if name != column]
    path = written(tmp_path, f"{','.join(fields)}, more \nx,y,z\n".encode())

    message = refusal(path)

    assert message == f"no column {column!r}; the columns are {', '.join(fields)}, ' more '"


@pytest.mark.parametrize(
    ("rows", "column"),
    [(rows_55k(), "winner_tie"), (rows_counts(), "both_bad"), (rows_preferendum(), "choice")],
)
def test_a_missing_column_of_every_shape(tmp_path: Path, rows: Any, column: str) -> None:
    rows = [{name: value for name, value in row.items() if name != column} for row in rows]

    message = refusal(write_parquet(tmp_path / "votes", rows))

    missing = "winner" if column == "choice" else column
    assert message.startswith(f"no column {missing!r}; the columns are ")


def test_a_column_asked_for_that_is_not_there(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + b"x,y,tie\n")
    reason = "no column 'voter'; the columns are model_a, model_b, winner"

    assert refusal(path, groups=["voter"]) == reason
    assert refusal(path, values=["voter"]) == reason


@pytest.mark.parametrize("suffix", TABLES)
def test_a_vote_without_voter(tmp_path: Path, suffix: str) -> None:
    rows = changed([row | {"voter": "v"} for row in rows_plain()], 2, voter=None)

    message = refusal(FORMATS[suffix](tmp_path / "votes", rows), groups=["voter"])

    assert message.startswith("row 2, column voter: nothing stands here")


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ({"winner_model_b": 1}, "row 1: winner_model_a, winner_model_b, winner_tie are 1, 1, 0: "),
        ({"winner_model_a": 0}, "row 1: winner_model_a, winner_model_b, winner_tie are 0, 0, 0: "),
        ({"winner_model_a": 2}, "row 1, column winner_model_a: "),
        ({"winner_tie": None}, "row 1, column winner_tie: no number"),
    ],
)
@pytest.mark.parametrize("suffix", TABLES)
def test_one_of_three_marks_must_be_set(
    tmp_path: Path, suffix: str, marks: dict[str, Any], reason: str
) -> None:
    rows = changed(rows_55k(), 1, **marks)

    assert refusal(FORMATS[suffix](tmp_path / "votes", rows)).startswith(reason)


@pytest.mark.parametrize("count", [-1, 1.5, None, "many", "nan", "inf", 10**15])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json"])
def test_a_count_is_a_whole_number(tmp_path: Path, suffix: str, count: Any) -> None:
    rows = changed(rows_counts(), 2, ties=count)

    message = refusal(FORMATS[suffix](tmp_path / "votes", rows))

    assert message.startswith("row 2, column ties: ")


def test_counts_in_parquet_may_not_be_negative(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "votes", changed(rows_counts(), 2, wins_b=-3))

    assert refusal(path).startswith("row 2, column wins_b: -3 is not a whole number")


def test_what_excludes_a_vote_must_be_clear(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "votes", changed(rows_preferendum(), 3, counted="perhaps"))

    assert refusal(path) == "row 3, column counted: 'perhaps' is neither true nor false"


def test_a_file_in_which_no_vote_counts(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "votes", [rows_preferendum()[0]] * 2)

    assert refusal(path) == "no vote counts: all 2 rows are excluded"


def test_no_file_a_folder_or_what_is_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv") == "cannot be read: No such file or directory"
    assert refusal(tmp_path).startswith("is a folder")
    assert refusal(Path("-")) == "is no file: votes are not read from standard input"
    assert refusal(Path("/dev/null")).startswith("is not a regular file")


@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl", "votes.parquet"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    assert refusal(written(tmp_path, b"", name)) == "the file is empty"


@pytest.mark.parametrize("data", [HEADER, HEADER.strip(), HEADER + b"\n\n"])
def test_a_header_without_rows(tmp_path: Path, data: bytes) -> None:
    assert refusal(written(tmp_path, data)) == "there are no rows of votes"


def test_no_rows_in_other_formats(tmp_path: Path) -> None:
    table = pa.table(
        {name: pa.array([], pa.string()) for name in HEADER.decode().strip().split(",")}
    )
    pq.write_table(table, tmp_path / "votes.parquet")

    assert refusal(tmp_path / "votes.parquet") == "there are no rows of votes"
    for data in (b"[ ]", b"{}\n", b"\n\n", gzip.compress(b"")):
        assert refusal(written(tmp_path, data)) == ("there are no votes: nothing names the columns")


def test_a_header_that_names_a_column_twice(tmp_path: Path) -> None:
    path = written(tmp_path, b"model_a,model_b,winner,winner\nx,y,tie,tie\n")

    assert refusal(path) == "columns that stand twice: winner"


def test_a_missing_column_does_not_show_endless_names(tmp_path: Path) -> None:
    path = written(tmp_path, b"model_a," + b"x" * 100_000 + b"\na,b\n")

    assert refusal(path).startswith("no column 'model_b'; the columns are model_a, xxx")
    assert len(refusal(path)) < 200


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"SQLite format 3\0" + b"\0" * 5000, "is neither UTF-8 text nor Parquet"),
        (HEADER.replace(b",", b";") + b"x;y;tie\n", "columns are separated by ';': separate"),
        (HEADER.replace(b",", b"\t") + b"x\ty\ttie\n", "columns are separated by '\\t': separate"),
        (HEADER.replace(b"\n", b"\r") + b"x,y,tie\r", "lines end in a carriage return alone: "),
    ],
)
def test_what_is_almost_a_table(tmp_path: Path, data: bytes, reason: str) -> None:
    assert refusal(written(tmp_path, data)).startswith(f"line 1: {reason}")


@pytest.mark.parametrize(("line", "found"), [(b"x,y\n", 2), (b"x,y,tie,4\n", 4)])
def test_a_row_of_another_length(tmp_path: Path, line: bytes, found: int) -> None:
    path = written(tmp_path, HEADER + b"x,y,tie\n" * 3 + line)

    assert refusal(path) == f"row 4: {found} values, where the header names 3"


def test_a_row_of_another_length_that_is_not_utf8(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + b"x,\xff\n")

    assert refusal(path) == "row 1: 2 values, where the header names 3"


def test_control_characters_of_other_peoples_errors_are_written_out(tmp_path: Path) -> None:
    data = bytearray(write_parquet(tmp_path / "whole", rows_plain()).read_bytes())
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    data[footer : footer + 40] = b"\x0f\x1b" * 20

    refusal(written(tmp_path, bytes(data), "votes.parquet"))


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    bad = b"x,\xff,tie\n"
    line = b'{"model_a": "x", "model_b": "\xff", "winner": "tie"}\n'
    good = line.replace(b"\xff", b"y")

    assert refusal(written(tmp_path, HEADER + b"x,y,tie\n" + bad)) == (
        "row 2, column model_b: not UTF-8"
    )
    assert refusal(written(tmp_path, b"\xff" + HEADER)).startswith("line 1: is neither UTF-8")
    assert re.match(
        "(line 3: not UTF-8|row 3, column model_b: .* is not UTF-8)",
        refusal(written(tmp_path, good * 2 + line)),
    )
    assert refusal(written(tmp_path, b"[" + good + b"," + line + b"]")).startswith("not UTF-8")

    table = pa.table({"model_a": ["x", "x"], "winner": ["tie", "tie"]})
    table = table.append_column("model_b", pa.array([b"y", b"\xff"]).view(pa.string()))
    pq.write_table(table, tmp_path / "votes.parquet")
    assert refusal(tmp_path / "votes.parquet") == ("row 2, column model_b: b'\\xff' is not UTF-8")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"model_a": "x",', "line 4: not JSON: "),
        ('{"model_a": "x"} {}', "line 4: not JSON: Extra data"),
        ('{"model_a": "x"},', "line 4: not JSON: Extra data"),
        ("[1]", "line 4: not an object"),
        ("[" * 100_000, "line 4: not JSON: "),
        ('{"model_a": ["x"], "model_b": "y", "winner": "tie"}', "row 3, column model_a: ['x'] is"),
        ('{"model_a": 1.5, "model_b": "y", "winner": "tie"}', "row 3, column model_a: 1.5 is"),
        ('{"model_a": true, "model_b": "y", "winner": "tie"}', "row 3, column model_a: True is"),
        ('{"model_a": "\\ud800", "model_b": "y", "winner": "tie"}', "row 3, column model_a: "),
    ],
)
def test_lines_that_are_no_votes(tmp_path: Path, bad: str, reason: str) -> None:
    good = '{"model_a": "x", "model_b": "y", "winner": "tie"}\n'
    path = written(tmp_path, (good + "\n" + good + bad + "\n" + good).encode())

    assert refusal(path).startswith(reason)


def test_true_is_no_name_although_it_equals_one(tmp_path: Path) -> None:
    rows = [{"model_a": name, "model_b": "y", "winner": "tie"} for name in (1, True)]

    assert refusal(write_json_list(tmp_path / "votes", rows)) == (
        "row 2, column model_a: True is not a model name"
    )


def test_a_list_that_is_cut_off_or_is_none(tmp_path: Path) -> None:
    whole = write_json_list(tmp_path / "whole", rows_plain()).read_bytes()
    items = json.dumps(rows_plain()[:2]).encode()

    assert "not JSON, or cut off" in refusal(written(tmp_path, whole[:-30]))
    assert refusal(written(tmp_path, whole.strip()[:-1])).startswith("row 9: neither a comma nor")
    assert refusal(written(tmp_path, items[:-1] + b" 3]")) == (
        "row 2: neither a comma nor the end of the list follows"
    )
    assert refusal(written(tmp_path, items[:-1] + b", 3]")) == "row 3: not an object of one vote"


def test_votes_after_the_end_of_the_list_are_not_passed_over(tmp_path: Path) -> None:
    items = json.dumps(rows_plain()[:2]).encode()

    assert len(list(open_votes(written(tmp_path, items + b"\n\n")))) == 1
    for more in (items, b"]", b"[]"):
        assert refusal(written(tmp_path, items + b"\n" + more)) == (
            "row 2: something follows after the end of the list"
        )


def test_a_broken_item_does_not_read_the_whole_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_list, "_CHUNK_CHARACTERS", 100)
    monkeypatch.setattr(json_list, "_LONGEST_ITEM", 1000)
    path = written(tmp_path, b'[{"model_a": oops' + b" " * 100_000 + b"\xff")

    assert refusal(path).startswith("row 1: not JSON")


@pytest.mark.parametrize("kept", [4, 40, 0.5, 0.99])
def test_parquet_that_is_cut_off(tmp_path: Path, kept: float) -> None:
    data = write_parquet(tmp_path / "whole", rows_plain()).read_bytes()
    path = written(tmp_path, data[: int(kept if kept > 1 else kept * len(data))], "votes.parquet")

    assert refusal(path).startswith("damaged or cut-off Parquet: ")


def test_parquet_that_is_damaged_within(tmp_path: Path) -> None:
    rows = [
        {"model_a": f"m{n % 90}", "model_b": f"n{n % 91}", "winner": "tie"} for n in range(9000)
    ]
    data = bytearray(write_parquet(tmp_path / "whole", rows).read_bytes())
    data[100:300] = bytes(200)

    message = refusal(written(tmp_path, bytes(data), "votes.parquet"))

    assert re.match(r"damaged Parquet after row \d+: |row \d+|text that is not UTF-8", message)


@pytest.mark.parametrize("mask", [0xFF, 0x04])
def test_parquet_with_one_byte_that_is_wrong_is_read_or_refused(tmp_path: Path, mask: int) -> None:
    """Codes beyond the dictionary among others, which Arrow hands on as they are."""
    rows = [{"model_a": f"m{n % 5}", "model_b": "n", "winner": "tie"} for n in range(100)]
    path = tmp_path / "votes.parquet"
    pq.write_table(
        pa.Table.from_pylist(rows), path, compression="none", write_statistics=False,
        store_schema=False,
    )  # fmt: skip
    data = path.read_bytes()
    refused = set()

    for place in range(4, len(data) - 8):
        path.write_bytes(data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :])
        try:
            list(open_votes(path))
        except VoteFileError as error:
            refused.add(str(error).rpartition(": ")[2])

    assert "codes beyond the dictionary" in refused


def test_what_only_claims_to_be_parquet(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + b"x,y,tie\n", "votes.parquet")

    assert refusal(path) == "is not a Parquet file, in spite of its name"


def test_a_nested_column_in_the_place_of_names(tmp_path: Path) -> None:
    rows = [{"model_a": {"name": "x"}, "model_b": "y", "winner": "tie"}]

    message = refusal(write_parquet(tmp_path / "votes.parquet", rows))

    assert message.startswith("column model_a: ")


@pytest.mark.parametrize("suffix", ["csv.gz", "jsonl.gz", "csv.zst", "jsonl.zst"])
def test_compressed_files_that_are_cut_off(tmp_path: Path, suffix: str) -> None:
    rows = [row | {"noise": f"{hash((n, suffix)):x}"} for n in range(50) for row in rows_plain()]
    data = FORMATS[suffix](tmp_path / "whole", rows).read_bytes()
    path = written(tmp_path, data[: len(data) // 2], f"votes.{suffix}")

    assert refusal(path).startswith("cannot be read: ")


def test_a_compressed_file_that_is_damaged(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(HEADER + b"x,y,tie\n" * 1000))
    data[-8:] = bytes(8)

    assert refusal(written(tmp_path, bytes(data))).startswith("cannot be read: ")


def test_a_zip_archive(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, b"PK\x03\x04...")) == "is a zip archive: unpack it first"


@pytest.mark.parametrize("suffix", TABLES)
def test_a_million_models_are_refused_early_and_in_little_memory(
    tmp_path: Path, suffix: str
) -> None:
    names = pa.array([f"model-{number}" for number in range(1_000_000)])
    table = pa.table(
        {
            "model_a": names,
            "model_b": names.take(pa.array([1, *range(999_999)])),
            "winner": ["tie"] * 1_000_000,
        }
    )
    path = tmp_path / "votes"
    if suffix == "parquet":
        pq.write_table(table, path)
    else:
        FORMATS[suffix](path, table.slice(0, 100_000).to_pylist())
    del table, names
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    message = refusal(path)

    assert re.fullmatch(
        r"row \d+, column model_[ab]: more than 2048 different models: "
        r"is this the column of their names\?",
        message,
    )
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024
