"""Vote files for tests: the same votes in every shape, written in every format."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

# Some votes on three models (a, b, outcome): 0 a wins, 1 b wins, 2 tie, 3 both bad.
VOTES = [
    ("alpha", "beta", 0),
    ("beta", "gamma", 0),
    ("gamma", "alpha", 0),
    ("alpha", "beta", 1),
    ("alpha", "gamma", 2),
    ("beta", "alpha", 3),
    ("alpha", "beta", 0),
    ("gamma", "beta", 2),
    ("beta", "gamma", 1),
]


def conversation(answer: str) -> list[Row]:
    return [{"content": "Hello?", "role": "user"}, {"content": answer, "role": "assistant"}]


def rows_33k() -> list[Row]:
    labels = ["model_a", "model_b", "tie", "tie (bothbad)"]
    return [
        {
            "question_id": f"q{number}",
            "model_a": a,
            "model_b": b,
            "winner": labels[outcome],
            "judge": f"arena_user_{number % 4}",
            "conversation_a": conversation(f"# One\n\n{'word ' * number}"),
            "conversation_b": conversation("**Two** words"),
            "turn": 1,
            "anony": True,
        }
        for number, (a, b, outcome) in enumerate(VOTES)
    ]


def rows_55k() -> list[Row]:
    """Both bad has been merged into tie there."""
    return [
        {
            "id": number,
            "model_a": a,
            "model_b": b,
            "prompt": '["Hello?"]',
            "response_a": json.dumps([f"# One\n\n{'word ' * number}"]),
            "response_b": '["**Two** words", null]',
            "winner_model_a": int(outcome == 0),
            "winner_model_b": int(outcome == 1),
            "winner_tie": int(outcome >= 2),
        }
        for number, (a, b, outcome) in enumerate(VOTES)
    ]


def rows_100k() -> list[Row]:
    more = {"judge_hash": "ab12", "dedup_tag": {"high_freq": False, "sampled": True}}
    return [row | more | {"conv_metadata": metadata(row["model_a"])} for row in rows_33k()]


def rows_140k() -> list[Row]:
    labels = ["model_a", "model_b", "tie", "both_bad"]
    return [
        {
            "id": f"{number}",
            "model_a": a,
            "model_b": b,
            "winner": labels[outcome],
            "evaluation_session_id": f"s{number % 3}",
            "evaluation_order": 1,
            "conv_metadata": metadata(a),
            "language": "en",
        }
        for number, (a, b, outcome) in enumerate(VOTES)
    ]


def metadata(model_a: str) -> Row:
    """Style counts as LMArena publishes them."""
    return {
        "sum_assistant_a_tokens": 100 + 50 * len(model_a),
        "sum_assistant_b_tokens": 300,
        "header_count_a": {f"h{level}": int(level == 2) for level in range(1, 7)},
        "header_count_b": dict.fromkeys([f"h{level}" for level in range(1, 7)], 0),
        "list_count_a": {"ordered": len(model_a), "unordered": 3},
        "list_count_b": {"ordered": 0, "unordered": 8},
        "bold_count_a": {"**": 1, "__": 1},
        "bold_count_b": {"**": len(model_a), "__": 0},
    }


def rows_counts() -> list[Row]:
    counted = Counter((a, b) for a, b, _ in VOTES)
    outcomes = Counter(VOTES)
    return [
        {
            "model_a": a,
            "model_b": b,
            "wins_a": outcomes[a, b, 0],
            "wins_b": outcomes[a, b, 1],
            "ties": outcomes[a, b, 2],
            "both_bad": outcomes[a, b, 3],
        }
        for a, b in counted
    ]


def rows_plain() -> list[Row]:
    labels = ["model_a", "model_b", "tie", "both_bad"]
    return [
        {"model_a": a, "model_b": b, "winner": labels[outcome], "worker": 50 + number % 4}
        for number, (a, b, outcome) in enumerate(VOTES)
    ]


def rows_left_right() -> list[Row]:
    labels = ["left", "right", "tie", "tie"]
    return [{"left": a, "right": b, "winner": labels[outcome]} for a, b, outcome in VOTES]


def rows_preferendum() -> list[Row]:
    labels = ["a", "b", "tie", "both_bad"]
    counted = [
        {
            "schema_version": 1,
            "model_a": a,
            "model_b": b,
            "choice": labels[outcome],
            "exclusion": "",
            "counted": True,
        }
        for a, b, outcome in VOTES
    ]
    leaked = counted[0] | {"exclusion": "leak", "counted": False}
    stranger = leaked | {"model_a": "only in votes that do not count"}
    return [leaked, *counted[:4], stranger, *counted[4:]]


SHAPES: dict[str, Callable[[], list[Row]]] = {
    "33k": rows_33k,
    "55k": rows_55k,
    "100k": rows_100k,
    "140k": rows_140k,
    "counts": rows_counts,
    "plain": rows_plain,
    "preferendum": rows_preferendum,
}


def write_csv(path: Path, rows: list[Row]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            texts = {
                key: json.dumps(value) if isinstance(value, list | dict) else value
                for key, value in row.items()
            }
            writer.writerow(texts)
    return path


def write_jsonl(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf-8")
    return path


def write_json_list(path: Path, rows: list[Row]) -> Path:
    path.write_text(json.dumps(rows, indent=1), "utf-8")
    return path


def write_parquet(path: Path, rows: list[Row]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def compressed_gzip(write: Callable[[Path, list[Row]], Path]) -> Callable[[Path, list[Row]], Path]:
    def write_compressed(path: Path, rows: list[Row]) -> Path:
        path.write_bytes(gzip.compress(write(path, rows).read_bytes()))
        return path

    return write_compressed


def compressed_zstd(write: Callable[[Path, list[Row]], Path]) -> Callable[[Path, list[Row]], Path]:
    def write_compressed(path: Path, rows: list[Row]) -> Path:
        data = write(path, rows).read_bytes()
        path.write_bytes(pa.Codec("zstd").compress(data, asbytes=True))
        return path

    return write_compressed


FORMATS: dict[str, Callable[[Path, list[Row]], Path]] = {
    "csv": write_csv,
    "csv.gz": compressed_gzip(write_csv),
    "csv.zst": compressed_zstd(write_csv),
    "jsonl": write_jsonl,
    "jsonl.gz": compressed_gzip(write_jsonl),
    "jsonl.zst": compressed_zstd(write_jsonl),
    "json": write_json_list,
    "parquet": write_parquet,
}
