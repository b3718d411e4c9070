"""The benchmark of the ratings runs, and tells a kept promise from a broken one."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from benchmarks import ratings, results
from benchmarks.promises import MEASURED_IN_MEMORY, PROMISES, RACES, Racer, judged
from benchmarks.race import DidNotFinishError, Result, race

MEASURED = Result(
    version="1",
    first=9.0,
    seconds=[3.0, 0.01, 0.02, 7.0, 0.015],
    processor_seconds=0.02,
    over_libraries=120,
    over_data=20,
    column_bytes=100,
    ratings=[990.0, 1010.0],
)


def verdicts(outcomes: dict[Racer, Result | str]) -> dict[str, str]:
    return {promise.text: promise.verdict for promise in judged(outcomes)}


def test_a_quick_run_prints_a_row_a_contender_and_keeps_the_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "KEPT", tmp_path)

    ratings.main(["--quick", "--only", "ids"])

    kept = json.loads((tmp_path / "ratings-quick.json").read_text())
    printed = capsys.readouterr().out
    assert len(kept["results"]) == len(RACES["ids"][1])
    for result in kept["results"]:
        assert "error" not in result
        assert len(result["seconds"]) == 1
        assert result["column_bytes"] == 20_000 * 9
    assert "preferendum, with rank ranges" in printed
    assert "not judged here" in printed


def test_a_promise_is_held_against_the_median() -> None:
    promise = next(promise for promise in PROMISES if promise.rival == ("evalica", "names"))
    slow = dataclasses.replace(MEASURED, seconds=[0.02 * 31])
    hardly = dataclasses.replace(MEASURED, seconds=[0.02 * 29])

    assert promise.rival
    assert verdicts({promise.ours: MEASURED, promise.rival: slow})[promise.text] == "kept"
    assert verdicts({promise.ours: MEASURED, promise.rival: hardly})[promise.text] == "BROKEN"
    assert verdicts({promise.ours: MEASURED, promise.rival: "failed"})[promise.text] == "not run"
    assert set(verdicts({}).values()) == {"not run"}


def test_what_may_be_added_to_the_floor_is_added() -> None:
    promise = next(promise for promise in PROMISES if promise.rival == ("bare", "ids"))
    floor = dataclasses.replace(MEASURED, seconds=[0.010])

    for ours, verdict in ((0.0299, "kept"), (0.0301, "BROKEN")):
        measured = dataclasses.replace(MEASURED, seconds=[ours])
        found = verdicts({promise.ours: measured, ("bare", "ids"): floor})
        assert found[promise.text] == verdict


def test_memory_is_held_against_the_columns() -> None:
    fat = dataclasses.replace(MEASURED, over_libraries=131)
    for task in MEASURED_IN_MEMORY:
        (text,) = (text for text in verdicts({}) if text.startswith(f"{task}: peak"))

        assert verdicts({("preferendum", task): MEASURED})[text] == "kept"
        assert verdicts({("preferendum", task): fat})[text] == "BROKEN"


def test_a_contender_that_fails_is_told_by_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(DidNotFinishError, match="No such file"):
        race(Path(sys.executable), "bare", "ids", tmp_path, runs=1)


def test_a_table_goes_between_its_marks_and_nothing_else_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# A\n<!-- x: written by the run -->\nold\n<!-- end of x -->\n## B\n")
    monkeypatch.setattr(results, "PAGE", page)

    results.write_section("x", results.markdown_table(("a", "b"), [(r"c\1", "2")]))

    assert page.read_text() == (
        "# A\n<!-- x: written by the run -->\n\n| a | b |\n| --- | ---: |\n| c\\1 | 2 |\n\n"
        "<!-- end of x -->\n## B\n"
    )
    with pytest.raises(ValueError, match="no place for y"):
        results.write_section("y", "")
