"""Style as features of the fit: `--style` of `python -m ratings`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena.vote_files.style import FEATURES
from ratings.style_features import difference_of_sides, style_features
from tests.arena.vote_files.files import SHAPES, write_csv, write_jsonl, write_parquet
from tests.ratings.program.conftest import Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


def styled_votes(count: int, *, effect: float) -> list[dict[str, Any]]:
    """Votes on two equal models of which the longer answer is preferred by `effect` log-odds."""
    random = np.random.default_rng(5)
    rows = []
    for number in range(count):
        longer = bool(random.integers(2))
        swapped = number % 2
        wins = random.random() < 1 / (1 + np.exp(-effect if longer else effect))
        metadata: dict[str, Any] = {
            "sum_assistant_a_tokens": 300 if longer else 100,
            "sum_assistant_b_tokens": 100 if longer else 300,
        }
        for kind, parts in (("header", "h1"), ("list", "ordered"), ("bold", "**")):
            for side in "ab":
                metadata[f"{kind}_count_{side}"] = {parts: 0}
        rows.append(
            {
                "model_a": "y" if swapped else "x",
                "model_b": "x" if swapped else "y",
                "winner": "model_a" if wins else "model_b",
                "conv_metadata": metadata,
                "judge_hash": f"v{number % 50}",
            }
        )
    return rows


def test_a_preference_for_length_is_found_and_features_that_never_differ_are_left_out(
    run: Run, tmp_path: Path
) -> None:
    path = write_parquet(tmp_path / "votes.parquet", styled_votes(3000, effect=1.0))

    found = run.json(path, "--style", "--cluster", "judge_hash")

    assert list(found["parameters"]["style"]) == ["length"]
    effect = found["parameters"]["style"]["length"]
    assert effect["lower"] < 1.0 < effect["upper"]
    assert effect["lower"] > 0.8
    for feature in ("headers", "bold", "lists"):
        assert any(f"feature {feature} never differs" in note for note in found["notes"])
    assert "length" in run(path, "--style")


def test_swapping_the_sides_of_all_votes_changes_nothing(run: Run, tmp_path: Path) -> None:
    """Also where the longer answer stands first more often: no feature is centred."""
    rows = [
        row for n, row in enumerate(styled_votes(600, effect=0.5)) if n % 3 or row["model_a"] > "a"
    ]
    rows = [
        row
        for number, row in enumerate(rows)
        if number % 4 or row["conv_metadata"]["sum_assistant_a_tokens"] == 300
    ]
    swapped = []
    for row in rows:
        metadata = row["conv_metadata"]
        other = {"model_a": "model_b", "model_b": "model_a"}
        swapped.append(
            {
                **row,
                "model_a": row["model_b"],
                "model_b": row["model_a"],
                "winner": other[row["winner"]],
                "conv_metadata": {
                    name: metadata[name.replace("_a", "_#").replace("_b", "_a").replace("_#", "_b")]
                    if name.endswith(("_a", "_b"))
                    else metadata[f"sum_assistant_{'b' if '_a_' in name else 'a'}_tokens"]
                    for name in metadata
                },
            }
        )

    there = run.json(write_jsonl(tmp_path / "there.jsonl", rows), "--style")
    back = run.json(write_jsonl(tmp_path / "back.jsonl", swapped), "--style")

    assert there["parameters"]["style"]["length"] == pytest.approx(
        back["parameters"]["style"]["length"]
    )
    assert [row["rating"] for row in there["models"]] == pytest.approx(
        [row["rating"] for row in back["models"]]
    )


def test_columns_of_style_are_taken_as_they_are(run: Run, tmp_path: Path) -> None:
    rows = [
        {
            "left": row["model_a"],
            "right": row["model_b"],
            "winner": {"model_a": "left", "model_b": "right"}[row["winner"]],
            "style_warmth": 2 if row["conv_metadata"]["sum_assistant_a_tokens"] == 300 else -2,
        }
        for row in styled_votes(2000, effect=1.0)
    ]
    path = write_csv(tmp_path / "votes.csv", rows)

    found = run.json(path, "--style")

    assert found["parameters"]["style"]["warmth"]["value"] == pytest.approx(0.5, abs=0.1)
    assert any("taken as they are" in note for note in found["notes"])


@pytest.mark.parametrize("value", ["", "nan", "inf", "long", "1e200"])
def test_a_feature_that_is_no_number_is_named(run: Run, tmp_path: Path, value: str) -> None:
    rows = [
        {"model_a": "x", "model_b": "y", "winner": "tie", "style_length": number}
        for number in ("1", value, "3")
    ]
    path = write_csv(tmp_path / "votes.csv", rows)

    message = run.refused(path, "--style")

    assert message.startswith(f"{path}: row 2, column style_length: ")


def test_a_file_without_style_is_refused(run: Run, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "votes.csv", SHAPES["plain"]())

    assert run.refused(path, "--style").startswith(f"{path}: --style needs conv_metadata, ")


@pytest.mark.parametrize(
    ("shape", "features"),
    [
        ("33k", ["length", "headers", "bold"]),
        ("55k", ["length", "headers", "bold"]),
        ("100k", ["length", "headers", "bold", "lists"]),
        ("140k", ["length", "headers", "bold", "lists"]),
    ],
)
def test_every_shape_that_tells_the_style(
    run: Run, tmp_path: Path, shape: str, features: list[str]
) -> None:
    path = write_parquet(tmp_path / "votes.parquet", SHAPES[shape]())

    assert list(run.json(path, "--style")["parameters"]["style"]) == features


def test_when_nothing_differs_the_fit_goes_on_without_style(run: Run, tmp_path: Path) -> None:
    rows = [row | {"style_length": 0} for row in SHAPES["plain"]()]
    path = write_jsonl(tmp_path / "votes.jsonl", rows)

    found = run.json(path, "--style")

    assert found["parameters"]["style"] == {}
    assert found["models"] == run.json(path)["models"]


def test_effects_that_are_not_there_are_not_explained(run: Run, tmp_path: Path) -> None:
    same = [{"role": "assistant", "content": "the same"}]
    rows = [row | {"conversation_a": same, "conversation_b": same} for row in SHAPES["33k"]()]
    path = write_jsonl(tmp_path / "votes.jsonl", rows)

    notes = run.json(path, "--style")["notes"]

    assert any("length never differs" in note for note in notes)
    assert not any("log-odds" in note for note in notes)


def test_differences_are_between_minus_one_and_one() -> None:
    sides = np.array([[[3.0, 0, 5, 0], [1.0, 0, 0, 2]]])

    assert difference_of_sides(sides).tolist() == [[0.5, 0, 1, -1]]


def test_measured_features_are_scaled_to_a_spread_of_one() -> None:
    random = np.random.default_rng(1)
    batches = [random.normal(0.3, 0.2, (50, 4)), random.normal(0, 2, (70, 4))]

    found = style_features(("conv_metadata",), batches)

    assert found.names == FEATURES
    assert (found.values**2).mean(axis=0) == pytest.approx(1)
    assert found.values[0] / batches[0][0] == pytest.approx(found.values[-1] / batches[1][-1])
