"""A pytest plugin: the test run's own DATA_DIR and embedded PostgreSQL, before Django is set up.

Set DATABASE_URL to run the tests on another PostgreSQL server (its role must be a superuser).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from config.postgres import EmbeddedPostgres

_server: EmbeddedPostgres | None = None
_folder: Path | None = None


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Runs before pytest-django reads the settings, as a wrapper goes before every other hook."""
    global _server, _folder
    _folder = Path(tempfile.mkdtemp(prefix="preferendum-tests-"))
    # As root the server runs as another user, who must be able to reach its folder.
    _folder.chmod(0o755)
    os.environ["DATA_DIR"] = str(_folder / "data")
    for name in ("REDIS_URL", "PUBLIC_URL", "TRUSTED_PROXIES", "PORT", "HOST", "SECRET_KEY"):
        os.environ.pop(name, None)
    if "DATABASE_URL" not in os.environ:
        _server = EmbeddedPostgres(_folder / "data", durable=False)
        _server.start()
        os.environ["DATABASE_URL"] = _server.owner_url
    return (yield)


def pytest_unconfigure() -> None:
    if _server is not None:
        _server.stop()
    if _folder is not None:
        shutil.rmtree(_folder)
