"""What follows from a vote, or from its exclusion: a refit. Knows nothing of the vote itself."""

from __future__ import annotations

import time
from typing import Any

from ratings.tasks import DELAY_SECONDS, refit_defer

# When this process last queued a refit, on the monotonic clock.
_queued_at = float("-inf")


def refit_after_vote(**_signal: Any) -> None:
    """Queue one refit; the signals of `arena.events` are sent once all is committed.

    One that this process has just queued has not begun yet, and reads what was committed since.
    """
    global _queued_at
    now = time.monotonic()
    if now - _queued_at >= 0.8 * DELAY_SECONDS and refit_defer():
        _queued_at = now
