"""The detector of assistants that name themselves, made of what the registry calls its models.

Knows nothing of battles; the rules of language are in `arena.self_identification`.
"""

from __future__ import annotations

import threading

from arena.self_identification import Detector, ModelNames
from inference.selectors import language_models_listed

_lock = threading.Lock()
_made: tuple[tuple[ModelNames, ...], Detector] | None = None


def detector_now() -> Detector:
    """The detector of all models of the registry, retired ones too; made anew when names change."""
    global _made
    names = _names()
    with _lock:
        if _made is None or _made[0] != names:
            _made = (names, Detector(names))
        return _made[1]


def _names() -> tuple[ModelNames, ...]:
    rows = language_models_listed().values_list(
        "name", "slug", "aliases", "organization__name", "organization__slug"
    )
    return tuple(
        ModelNames(names=(name, slug, *aliases), organization=(organization, organization_slug))
        for name, slug, aliases, organization, organization_slug in rows
    )
