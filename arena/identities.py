"""The detector of assistants that name themselves, made of what the registry calls its models.

Knows nothing of battles; the rules of language are in `arena.self_identification`.
"""

from __future__ import annotations

import threading
import time

from arena.self_identification import Detector, ModelNames
from inference.selectors import language_models_listed

# How long a renamed model may still be looked for under its old name alone.
REFRESH_SECONDS = 30.0

_lock = threading.Lock()
_made_of: tuple[ModelNames, ...] | None = None
_detector: Detector | None = None
_until = 0.0


def detector_now() -> Detector:
    """The detector of all models of the registry, retired ones too; made anew when names change."""
    global _made_of, _detector, _until
    with _lock:
        if _detector is None or time.monotonic() >= _until:
            names = _names()
            if _detector is None or names != _made_of:
                _made_of, _detector = names, Detector(names)
            _until = time.monotonic() + REFRESH_SECONDS
        return _detector


def detector_forget() -> None:
    """Look at the registry again at the next call."""
    global _until
    with _lock:
        _until = 0.0


def _names() -> tuple[ModelNames, ...]:
    rows = language_models_listed().values_list(
        "name", "slug", "aliases", "organization__name", "organization__slug"
    )
    return tuple(
        ModelNames(names=(name, slug, *aliases), organization=(organization, organization_slug))
        for name, slug, aliases, organization, organization_slug in rows
    )
