"""System checks of the installation as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks


def layer_reaches_every_process(**_: Any) -> Sequence[checks.CheckMessage]:
    """Stop and reveal travel through the channel layer; the in-memory one ends at its process."""
    if settings.WEB_CONCURRENCY > 1 and not settings.REDIS_URL:
        return [
            checks.Error(
                f"WEB_CONCURRENCY is {settings.WEB_CONCURRENCY} but REDIS_URL is not set: "
                "control messages would not reach the other web processes.",
                hint="Set REDIS_URL, or WEB_CONCURRENCY=1.",
                id="config.E001",
            )
        ]
    return []


def register_checks() -> None:
    checks.register(layer_reaches_every_process)
