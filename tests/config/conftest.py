"""Data folders and processes of the tests that start real servers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config.postgres_cluster import Cluster


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """An empty folder that other users may pass, unlike `tmp_path` (PostgreSQL is not root)."""
    folder = Path(tempfile.mkdtemp(prefix="preferendum-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(open_folder: Path) -> Path:
    return open_folder / "data"


@pytest.fixture
def processes_of() -> Iterator[Callable[[Path], list[psutil.Process]]]:
    """The living processes of a DATA_DIR: they carry its path or its cluster's name."""
    seen: set[Path] = set()

    def find(data_dir: Path) -> list[psutil.Process]:
        seen.add(data_dir)
        marks = (str(data_dir), Cluster(data_dir).mark)
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(mark in " ".join(process.info["cmdline"] or ()) for mark in marks)
        ]

    yield find
    for data_dir in seen:  # what a failed test left, so that it spoils no other
        for process in find(data_dir):
            process.kill()
