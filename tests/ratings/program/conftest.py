"""What the tests of the program share: a way to run it, and a file of votes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ratings.program import main
from tests.arena.vote_files.files import SHAPES, write_jsonl


class Run:
    """Runs the program in this process and tells what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> str:
        assert main([str(argument) for argument in arguments]) == 0
        printed = self._capsys.readouterr()
        assert printed.err == ""
        return printed.out

    def json(self, *arguments: object) -> dict[str, Any]:
        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        found = json.loads(self(*arguments, "--json"), parse_constant=refuse)
        assert isinstance(found, dict)
        return found

    def refused(self, *arguments: object) -> str:
        assert main([str(argument) for argument in arguments]) == 2
        printed = self._capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        assert printed.err.startswith("ratings: ")
        return printed.err.removeprefix("ratings: ").rstrip("\n")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "votes.jsonl", SHAPES["33k"]())
