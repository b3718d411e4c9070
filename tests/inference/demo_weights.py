"""The demo's real weights, for tests that run only where the cache has them already."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DEMO_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def demo_gguf() -> Path:
    """The GGUF file of SmolLM2-135M-Instruct; skips the test where it is not in the cache."""
    return _cached(f"files/{DEMO_SHA256}.gguf")


def demo_folder() -> Path:
    """Its conversion to safetensors; skips the test where it is not in the cache."""
    return _cached(f"converted/{DEMO_SHA256}-v1")


def _cached(name: str) -> Path:
    cache = Path(os.environ.get("MODEL_CACHE") or "~/.cache/preferendum/models").expanduser()
    path = cache / name
    if not path.exists():
        pytest.skip(f"the demo's weights are not in {cache}: `make run` puts them there")
    return path
