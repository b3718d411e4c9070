"""How either answer is written, from whatever the file has to tell it by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from arena.style_counts import style_counts
from arena.vote_files import VoteBatch, VoteFileError, open_votes
from arena.vote_files.style import style_columns, style_of_sides
from tests.arena.vote_files.files import FORMATS, SHAPES, VOTES, conversation, write_jsonl


def sides_of(path: Path) -> Any:
    file = open_votes(path, values=style_columns(open_votes(path).fields))
    return np.concatenate(
        [style_of_sides(path, batch) for batch in file if isinstance(batch, VoteBatch)]
    )


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("shape", ["100k", "140k"])
def test_published_counts_are_taken_as_they_are(tmp_path: Path, shape: str, suffix: str) -> None:
    sides = sides_of(FORMATS[suffix](tmp_path / "votes", SHAPES[shape]()))

    a = [[100 + 50 * len(name), 1, 2, len(name) + 3] for name, _, _ in VOTES]
    b = [[300, 0, len(name), 8] for name, _, _ in VOTES]
    assert sides.tolist() == [[first, second] for first, second in zip(a, b, strict=True)]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("shape", ["33k", "55k"])
def test_answers_are_counted_where_no_counts_are_published(
    tmp_path: Path, shape: str, suffix: str
) -> None:
    sides = sides_of(FORMATS[suffix](tmp_path / "votes", SHAPES[shape]()))

    for number, (a, b) in enumerate(sides.tolist()):
        assert a == [style_counts(f"# One\n\n{'word ' * number}").length, 1, 0, 0]
        assert b == [style_counts("**Two** words").length, 0, 1, 0]


def test_all_answers_of_a_conversation_count_and_no_prompt(tmp_path: Path) -> None:
    row = SHAPES["33k"]()[0] | {
        "conversation_a": [*conversation("- one"), *conversation("- two\n- three")],
        "conversation_b": [
            {"role": "user", "content": [{"type": "text", "text": "# Not counted"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "# Head"},
                    {"type": "image", "image": "…", "text": None},
                    {"type": "text", "text": "**bold**"},
                ],
            },
        ],
    }

    ((a, b),) = sides_of(write_jsonl(tmp_path / "votes.jsonl", [row])).tolist()

    assert a[1:] == [0, 0, 3]
    assert b[1:] == [1, 1, 0]


def test_answers_may_be_bytes(tmp_path: Path) -> None:
    texts = pa.Table.from_pylist(SHAPES["55k"]())
    names = ("response_a", "response_b")
    bytes_of = {name: texts[name].cast(pa.binary()) for name in names}
    pq.write_table(texts, tmp_path / "texts.parquet")
    pq.write_table(
        texts.drop_columns(names)
        .append_column(names[0], bytes_of[names[0]])
        .append_column(names[1], bytes_of[names[1]]),
        tmp_path / "bytes.parquet",
    )

    sides = sides_of(tmp_path / "bytes.parquet")

    assert sides.tolist() == sides_of(tmp_path / "texts.parquet").tolist()


@pytest.mark.parametrize(
    ("shape", "change", "place"),
    [
        ("33k", {"conversation_b": None}, "row 2, column conversation_b: None is not a list"),
        ("33k", {"conversation_a": "no JSON"}, "row 2, column conversation_a: 'no JSON' is not"),
        (
            "33k",
            {"conversation_a": [{"role": "assistant", "content": 7}]},
            "row 2, column conversation_a: 7 is not the text",
        ),
        ("55k", {"response_a": '{"a": 1}'}, "row 2, column response_a: '{\"a\": 1}' is not a list"),
        ("140k", {"conv_metadata": None}, "row 2, column conv_metadata.sum_assistant_a_tokens: "),
        (
            "140k",
            {
                "conv_metadata": SHAPES["140k"]()[0]["conv_metadata"]
                | {"sum_assistant_b_tokens": -7}
            },
            "row 2, column conv_metadata.sum_assistant_b_tokens: -7 is below 0",
        ),
        (
            "140k",
            {
                "conv_metadata": SHAPES["140k"]()[0]["conv_metadata"]
                | {"bold_count_a": {"**": 1e200}}
            },
            "row 2, column conv_metadata.bold_count_a: 1e+200 is too large a number",
        ),
        (
            "140k",
            {"conv_metadata": SHAPES["140k"]()[0]["conv_metadata"] | {"list_count_b": None}},
            "row 2, column conv_metadata.list_count_b: no number stands here",
        ),
        (
            "140k",
            {
                "conv_metadata": SHAPES["140k"]()[0]["conv_metadata"]
                | {"bold_count_a": {"**": float("nan")}}
            },
            "row 2, column conv_metadata.bold_count_a: nan is not a finite number",
        ),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, shape: str, change: dict[str, Any], place: str
) -> None:
    rows = SHAPES[shape]()
    rows[1] |= change
    path = write_jsonl(tmp_path / "votes.jsonl", rows)

    with pytest.raises(VoteFileError) as caught:
        sides_of(path)

    assert str(caught.value).startswith(f"{path}: {place}")
