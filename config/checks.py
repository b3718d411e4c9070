"""System checks of the installation as a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from arena.pair_weights import LARGEST, SMALLEST

# As many as 1,024 tokens of English, the most that a model writes unless its card says otherwise.
USUAL_CHARACTERS = 4096
PATIENCE_SECONDS = 300


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


def pair_options_make_sense(**_: Any) -> Sequence[checks.CheckMessage]:
    """Options of the pair samplers that are out of range, or that the configured one ignores."""
    found: list[checks.CheckMessage] = []
    path = settings.ARENA_PAIR_SAMPLER
    try:
        sampler = import_string(path)
    except ImportError:
        return []  # told already, as config.E002
    if not callable(getattr(sampler, "weights", None)) or not hasattr(sampler, "version"):
        found.append(
            checks.Error(
                f"ARENA_PAIR_SAMPLER is {path!r}, which is no pair sampler: it lacks `weights` "
                "or `version`.",
                hint="docs/pairing.md lists the samplers that there are.",
                id="config.E003",
            )
        )
    ranges = {
        "ARENA_PAIR_NEWCOMER_VOTES": ("at least 1", 1, math.inf),
        "ARENA_PAIR_NEWCOMER_FACTOR": ("from 0.001 to 1000", SMALLEST, LARGEST),
        "ARENA_PAIR_TARGET_SHARE": ("from 0.001 to 1", SMALLEST, 1),
    }
    found += [
        checks.Error(f"{name} is {value}; it must be {said}.", id="config.E004")
        for name, (said, low, high) in ranges.items()
        if not low <= (value := getattr(settings, name)) <= high
    ]
    needed = {
        "ARENA_PAIR_WEIGHTS": "arena.matchmaking.weighted",
        "ARENA_PAIR_TARGETS": "arena.matchmaking.targeted",
    }
    for name, reader in needed.items():
        is_set, is_read = bool(getattr(settings, name)), path == reader
        if is_read and not is_set:
            found.append(
                checks.Error(
                    f"ARENA_PAIR_SAMPLER is {path!r}, which needs {name}.", id="config.E005"
                )
            )
        elif is_set and not is_read:
            found.append(
                checks.Warning(
                    f"{name} is set, but ARENA_PAIR_SAMPLER is {path!r}, which does not read it.",
                    hint=f"Set ARENA_PAIR_SAMPLER={reader}, or leave {name} out.",
                    id="config.W001",
                )
            )
    return found


def pacing_shows_an_answer_in_time(**_: Any) -> Sequence[checks.CheckMessage]:
    """At a few characters a second nobody waits for the end of a usual answer."""
    pacing = settings.ARENA_PACING
    if pacing is None or pacing.seconds(USUAL_CHARACTERS) <= PATIENCE_SECONDS:
        return []
    minutes = pacing.seconds(USUAL_CHARACTERS) / 60
    return [
        checks.Warning(
            f"ARENA_PACING is {str(pacing)!r}: an answer of {USUAL_CHARACTERS:,} characters is on "
            f"its way for {minutes:.0f} minutes.",
            hint="Choose a speed just below that of the slowest model; docs/blinding.md says how.",
            id="config.W002",
        )
    ]


def register_checks() -> None:
    checks.register(layer_reaches_every_process)
    checks.register(dotted_paths_lead_somewhere)
    checks.register(pair_options_make_sense)
    checks.register(pacing_shows_an_answer_in_time)
