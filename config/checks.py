"""System checks of the installation as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string


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


def dotted_paths_lead_somewhere(**_: Any) -> Sequence[checks.CheckMessage]:
    """A wrong path would otherwise be found at the first battle, or at the first refit."""
    found = []
    for name in ("ARENA_PAIR_SAMPLER", "ARENA_TAGGER"):
        path = getattr(settings, name)
        try:
            import_string(path)
        except ImportError as error:
            found.append(
                checks.Error(
                    f"{name} is {path!r}, which cannot be imported: {error}",
                    hint="Give the dotted path of a module and its attribute.",
                    id="config.E002",
                )
            )
    return found


def register_checks() -> None:
    checks.register(layer_reaches_every_process)
    checks.register(dotted_paths_lead_somewhere)
