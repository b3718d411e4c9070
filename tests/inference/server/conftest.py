"""Two tiny models in one real service, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inference.tiny_model import running_inference_server, write_model_file, write_tiny_llama


@pytest.fixture(scope="session")
def tiny_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoint folders by slug."""
    root = tmp_path_factory.mktemp("tiny")
    return {
        slug: write_tiny_llama(root / slug, seed=seed) for seed, slug in enumerate(("one", "two"))
    }


@pytest.fixture(scope="session")
def service(
    tiny_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The base URL of a service with both models, two running and two waiting requests each."""
    root = tmp_path_factory.mktemp("service")
    model_file = write_model_file(root / "models.toml", tiny_folders)
    limits = ("--max-running", "2", "--max-waiting", "2")
    with running_inference_server(model_file, *limits, cache=root / "cache") as url:
        yield url
