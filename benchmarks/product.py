"""The web server on a database of its own, with models that others serve, for benchmarks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from config.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def program(*command: str, env: Mapping[str, str], answers: str) -> Iterator[None]:
    """Run a program until the block ends; enters it when `answers`, a URL, is answered."""
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**os.environ, **env})
    try:
        while not _answered(answers):
            if process.poll() is not None:
                raise RuntimeError(f"{command} ended with {process.returncode}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def _answered(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310
            return True
    except OSError:
        return False


@contextmanager
def database(models_toml: str) -> Iterator[dict[str, str]]:
    """A migrated database with these models; yields the environment that leads to it."""
    with tempfile.TemporaryDirectory(prefix="preferendum-bench-") as folder:
        Path(folder).chmod(0o755)
        data_dir = Path(folder) / "data"
        server = EmbeddedPostgres(data_dir)
        server.start()
        try:
            env = {
                "DATA_DIR": str(data_dir),
                "DATABASE_URL": server.service_url,
                "ARENA_RATE_LIMITS": "",
                "ENDPOINT_NETWORKS": "127.0.0.1/32",
            }
            models = Path(folder) / "models.toml"
            models.write_text(models_toml)
            for arguments, url in (
                (("migrate", "--verbosity", "0"), server.owner_url),
                (("collectstatic", "--no-input", "--verbosity", "0"), server.service_url),
                (("load_models", str(models)), server.service_url),
            ):
                subprocess.run(
                    [sys.executable, "manage.py", *arguments],
                    cwd=ROOT,
                    env={**os.environ, **env, "DATABASE_URL": url},
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
            yield env
        finally:
            server.stop()
