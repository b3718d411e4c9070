"""What follows from a vote: a refit is asked for. Knows nothing of the vote itself."""

from __future__ import annotations

from typing import Any

from ratings.tasks import refit_defer


def refit_after_vote(**_signal: Any) -> None:
    """Queue one refit; `arena.events.vote_recorded` is sent once the vote is committed."""
    refit_defer()
