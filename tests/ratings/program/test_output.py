"""`python -m ratings FILE`: what a script relies on."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from ratings.core.connectivity import LOST_ALL
from ratings.core.standings import standings
from ratings.file_votes import read_file
from tests.arena.vote_files.files import (
    FORMATS,
    SHAPES,
    VOTES,
    rows_preferendum,
    write_csv,
    write_jsonl,
)
from tests.ratings.core.votes import real_votes
from tests.ratings.program.conftest import Run

MODEL_FIELDS = {
    "model": str,
    "rating": float,
    "lower": float,
    "upper": float,
    "se": float,
    "rank": int,
    "rank_low": int,
    "rank_high": int,
    "battles": int,
    "component": int,
}


def plain(path: Path, *votes: tuple[str, str, str], times: int = 1) -> Path:
    fields = ("model_a", "model_b", "winner")
    return write_csv(path, [dict(zip(fields, vote, strict=True)) for vote in votes * times])


def test_the_object_has_the_promised_fields_and_types(run: Run, votes: Path) -> None:
    found = run.json(votes)

    assert list(found) == [
        "method",
        "models",
        "components",
        "votes",
        "dropped",
        "parameters",
        "notes",
    ]
    assert found["method"] == "bradley-terry"
    assert found["components"] == 1
    assert found["votes"] == len(VOTES)
    assert found["dropped"] == 0
    assert found["parameters"] == {"tie": None, "position": None, "style": {}}
    assert all(isinstance(note, str) for note in found["notes"])
    ratings = [row["rating"] for row in found["models"]]
    assert ratings == sorted(ratings, reverse=True)
    for row in found["models"]:
        assert {name: type(value) for name, value in row.items()} == MODEL_FIELDS
        assert row["lower"] < row["rating"] < row["upper"]
        assert row["rank_low"] <= row["rank"] <= row["rank_high"]
    assert sum(row["rating"] for row in found["models"]) == pytest.approx(3000)
    assert {row["model"]: row["battles"] for row in found["models"]} == {
        "alpha": 6,
        "beta": 7,
        "gamma": 5,
    }


def test_the_numbers_are_those_of_the_library(run: Run, votes: Path) -> None:
    cells = read_file(votes, single=False, progress=lambda _: None).votes
    expected = standings(cells, seed=3, level=0.9)

    rows = run.json(votes, "--seed", 3, "--level", 0.9)["models"]

    for place, row in enumerate(sorted(rows, key=lambda row: str(row["model"]))):
        for name in ("rating", "lower", "upper", "se", "rank", "rank_low", "rank_high"):
            assert row[name] == pytest.approx(getattr(expected, name)[place], rel=1e-12)


def test_the_same_votes_give_the_same_object_in_every_shape_and_format(
    run: Run, tmp_path: Path
) -> None:
    objects = []
    for shape in SHAPES.keys() - {"55k"}:
        for suffix in ("csv", "jsonl", "json", "parquet"):
            path = FORMATS[suffix](tmp_path / f"{shape}.{suffix}", SHAPES[shape]()[::-1])
            found = run.json(path, "--both-bad", "drop")
            if shape == "preferendum":
                assert found["dropped"] == 3
                found["dropped"] = 1
                found["notes"] = [note for note in found["notes"] if "the file says" not in note]
            objects.append(found)

    assert objects == [objects[0]] * len(objects)
    assert objects[0]["votes"] == len(VOTES) - 1


def test_both_bad_merged_into_ties_is_the_same_fit(run: Run, tmp_path: Path, votes: Path) -> None:
    path = FORMATS["parquet"](tmp_path / "55k.parquet", SHAPES["55k"]())

    assert run.json(path) == run.json(votes)


def test_votes_that_are_left_out_are_counted(run: Run, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "votes.jsonl", rows_preferendum())

    found = run.json(path, "--both-bad", "drop")

    assert (found["votes"], found["dropped"]) == (len(VOTES) - 1, 3)
    assert any(note.startswith("2 votes are left out") for note in found["notes"])
    assert any(note.startswith("1 votes that both are bad") for note in found["notes"])


def test_a_model_that_lost_every_battle_has_no_numbers_and_is_named(
    run: Run, tmp_path: Path
) -> None:
    path = plain(
        tmp_path / "votes.csv",
        ("x", "y", "model_a"),
        ("x", "y", "model_b"),
        ("x", "worst", "model_a"),
        ("y", "worst", "model_a"),
        times=3,
    )

    found = run.json(path)

    assert [row["model"] for row in found["models"]] == ["x", "y", "worst"]
    worst = found["models"][2]
    assert (worst["battles"], worst["component"]) == (6, 0)
    assert all(worst[n] is None for n in ("rating", "lower", "upper", "se", "rank", "rank_low"))
    assert any("worst" in note and "lost every battle" in note for note in found["notes"])
    assert found["components"] == 1
    (line,) = (line for line in run(path).splitlines() if line.lstrip().startswith("worst"))
    assert line.split()[1:] == ["6", *LOST_ALL.split()]


def test_groups_that_no_vote_connects_are_rated_apart(run: Run, tmp_path: Path) -> None:
    path = plain(
        tmp_path / "votes.csv",
        ("x", "y", "model_a"),
        ("y", "z", "model_a"),
        ("z", "x", "model_a"),
        ("x", "y", "tie"),
        ("p", "q", "model_a"),
        ("p", "q", "model_a"),
        ("p", "q", "model_b"),
    )

    found = run.json(path)

    assert found["components"] == 2
    rows = {row["model"]: row for row in found["models"]}
    assert [row["component"] for row in found["models"]] == [0, 0, 0, 1, 1]
    assert (rows["p"]["rank"], rows["q"]["rank"]) == (1, 2)
    assert rows["p"]["rating"] + rows["q"]["rating"] == pytest.approx(2000)
    assert rows["x"]["rating"] + rows["y"]["rating"] + rows["z"]["rating"] == pytest.approx(3000)
    assert any("2 groups" in note for note in found["notes"])
    assert len(set(found["notes"])) == len(found["notes"])
    assert [line for line in run(path).splitlines() if line.startswith("component")] == [
        "component 0",
        "component 1",
    ]


def test_an_anchor_shifts_ratings_and_has_no_width(run: Run, votes: Path) -> None:
    free = {row["model"]: row for row in run.json(votes)["models"]}

    found = run.json(votes, "--anchor", "beta=1234.5")

    rows = {row["model"]: row for row in found["models"]}
    shift = 1234.5 - free["beta"]["rating"]
    for name, row in rows.items():
        assert row["rating"] == pytest.approx(free[name]["rating"] + shift)
        assert row["se"] == pytest.approx(free[name]["se"])
        assert row["rank"] == free[name]["rank"]
    assert rows["beta"]["lower"] == rows["beta"]["rating"] == rows["beta"]["upper"] == 1234.5
    assert any("beta has the rating 1234.5" in note for note in found["notes"])


def test_the_interval_at_an_anchor_is_that_of_the_difference(run: Run, tmp_path: Path) -> None:
    """Of two models the difference has twice the error of either."""
    path = plain(
        tmp_path / "v.csv", ("x", "y", "model_a"), ("x", "y", "model_b"), ("x", "y", "tie"), times=9
    )
    free = {row["model"]: row for row in run.json(path)["models"]}

    rows = {row["model"]: row for row in run.json(path, "--anchor", "y=0")["models"]}

    width = free["x"]["upper"] - free["x"]["lower"]
    assert rows["x"]["upper"] - rows["x"]["lower"] == pytest.approx(2 * width)


def test_an_anchor_moves_its_own_group_only(run: Run, tmp_path: Path) -> None:
    path = plain(
        tmp_path / "votes.csv",
        *(("x", "y", winner) for winner in ("model_a", "model_b", "tie")),
        *(("p", "q", winner) for winner in ("model_a", "model_b")),
    )

    found = run.json(path, "--anchor", "x=1500")

    ratings = {row["model"]: row["rating"] for row in found["models"]}
    assert ratings == pytest.approx({"x": 1500, "y": 1500, "p": 1000, "q": 1000})
    assert any("in its own component only" in note for note in found["notes"])


def test_names_with_equals_signs_can_be_anchors(run: Run, tmp_path: Path) -> None:
    path = plain(tmp_path / "v.csv", ("t=0.7", "y", "model_a"), ("t=0.7", "y", "model_b"))

    rows = run.json(path, "--anchor", "t=0.7=900")["models"]

    assert {row["model"]: row["rating"] for row in rows} == pytest.approx({"t=0.7": 900, "y": 900})


@pytest.mark.parametrize("method", ["davidson", "rao-kupper"])
def test_tie_and_position_are_parameters_with_intervals(run: Run, votes: Path, method: str) -> None:
    found = run.json(votes, "--method", method, "--position")

    assert found["method"] == method
    for name in ("tie", "position"):
        effect = found["parameters"][name]
        assert list(effect) == ["value", "se", "lower", "upper"]
        assert effect["lower"] < effect["value"] < effect["upper"]


def test_win_rates_come_along_with_their_method(run: Run, votes: Path) -> None:
    found = run.json(votes, "--method", "win-rate")

    rates = {row["model"]: row["win_rate"] for row in found["models"]}
    # Against beta three of four votes with one both bad half won, against gamma half of a tie.
    assert rates["alpha"] == pytest.approx((2.5 / 4 + 0.5 / 2) / 2)
    assert "won" in run(votes, "--method", "win-rate").splitlines()[3]


def test_elo_depends_on_the_order_and_says_so(run: Run, tmp_path: Path) -> None:
    there = write_jsonl(tmp_path / "there.jsonl", SHAPES["33k"]())
    back = write_jsonl(tmp_path / "back.jsonl", SHAPES["33k"]()[::-1])

    found = run.json(there, "--method", "elo")

    assert found["models"] != run.json(back, "--method", "elo")["models"]
    assert all(row["lower"] is None and row["rank_low"] is None for row in found["models"])
    assert any("order" in note for note in found["notes"])


@pytest.mark.parametrize("ci", ["bootstrap", "none"])
def test_other_intervals(run: Run, votes: Path, ci: str) -> None:
    arguments = (votes, "--ci", ci, "--rounds", 50, "--seed", 4)
    found = run.json(*arguments)

    assert found == run.json(*arguments)
    assert {row["lower"] is None for row in found["models"]} == {ci == "none"}
    assert {row["rank_low"] is None for row in found["models"]} == {ci == "none"}
    assert found != run.json(votes, "--ci", ci, "--rounds", 50, "--seed", 5) or ci == "none"


def test_options_reach_the_fit_and_are_noted(run: Run, votes: Path) -> None:
    bare = run.json(votes)

    for option, word in (
        (("--prior", 3), "Prior"),
        (("--ridge", 2), "Ridge"),
        (("--balanced",), "weighted"),
        (("--pointwise-ranks",), "pointwise"),
    ):
        found = run.json(votes, *option)
        assert any(word in note for note in found["notes"])
        assert not any(word in note for note in bare["notes"])


def test_a_prior_gives_a_loser_a_rating(run: Run, tmp_path: Path) -> None:
    path = plain(tmp_path / "votes.csv", ("x", "y", "model_a"), times=5)

    assert run.json(path)["models"][0]["rating"] is None
    x, y = run.json(path, "--prior", 1)["models"]
    assert x["rating"] > 1000 > y["rating"]


def test_too_few_voters_is_said_and_gives_no_interval(run: Run, votes: Path) -> None:
    found = run.json(votes, "--cluster", "judge")

    assert all(row["se"] is None and row["rating"] for row in found["models"])
    assert any("too few voters" in note for note in found["notes"])


def test_the_table_names_models_as_one_line_whatever_they_hold(run: Run, tmp_path: Path) -> None:
    names = ["模型", "two\nlines", "\x1b[31mred"]
    path = plain(
        tmp_path / "votes.csv",
        *((names[i], names[i - 1], winner) for i in range(3) for winner in ("model_a", "model_b")),
    )

    lines = run(path).splitlines()

    assert lines[0] == "Bradley-Terry ratings of 3 models from 6 votes"
    assert lines[1].startswith("95 % intervals: sandwich, votes independent")
    shown = [re.split("  +", line.strip())[2] for line in lines[4:7]]
    assert sorted(shown) == sorted(["two\\nlines", "\\x1b[31mred", "模型"])
    assert {row["model"] for row in run.json(path)["models"]} == set(names)


def test_names_that_differ_in_blanks_only_can_be_told_apart(run: Run, tmp_path: Path) -> None:
    path = plain(tmp_path / "votes.csv", ("x", "y", "model_a"), ("y", "x ", "model_a"))

    shown = [line.split()[0] for line in run(path).splitlines()[4:]]
    notes = run.json(path)["notes"]

    assert sorted(shown) == ["'x", "x", "y"]
    assert any(note.startswith("Model 'x ': has lost") for note in notes)


def test_dropping_both_bad_where_nobody_said_so_is_noted(run: Run, tmp_path: Path) -> None:
    path = plain(tmp_path / "votes.csv", ("x", "y", "model_a"), ("y", "x", "model_a"))

    note = "No vote says that both are bad: --both-bad drop left nothing out."
    assert note in run.json(path, "--both-bad", "drop")["notes"]
    assert note not in run.json(path)["notes"]


def test_counts_of_more_than_a_million_votes(run: Run) -> None:
    found = run.json(real_votes("chatbot_arena_20240814_counts.csv"))

    assert found["votes"] == 1_670_250
    assert len(found["models"]) == 129
    assert found["components"] == 1
    best = found["models"][0]
    assert best["model"] == "chatgpt-4o-latest"
    assert best["rating"] == pytest.approx(1204, abs=1)
    assert [row["rank"] for row in found["models"]] == sorted(
        row["rank"] for row in found["models"]
    )
    assert all(math.isfinite(row["se"]) for row in found["models"])


def test_human_votes_clustered_by_worker_and_prompt(run: Run) -> None:
    path = real_votes("llmfao_crowd.csv")

    bare = {row["model"]: row for row in run.json(path)["models"]}
    found = run.json(path, "--cluster", "worker", "--cluster", "prompt")

    assert found["votes"] == 8931
    for row in found["models"]:
        assert row["rating"] == pytest.approx(bare[row["model"]]["rating"])
    wider = [row["se"] > bare[row["model"]]["se"] for row in found["models"] if row["se"]]
    assert sum(wider) > len(wider) / 2
