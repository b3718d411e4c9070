"""Refits as background jobs: soon after a vote, and every five minutes all boards; every hour a
review of the voters.

Knows nothing of what a fit does. Two things are left to PostgreSQL and not to the queue:
- that fits do not overlap: a job's own `lock` would stay taken by a worker that was killed, and no
  vote would be rated again; the advisory lock of a fit dies with its session;
- retries: the queue's own put the same job back, which fails for ever when a vote has queued
  another one meanwhile (both have the queueing lock). A job that failed queues a new one instead.
"""

from __future__ import annotations

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from ratings.services import (
    FitInProgressError,
    boards_fit,
    snapshot_fit,
    snapshots_thin,
    voters_review,
)

# A burst of votes is one refit; nobody waits longer than that for its first look at the queue.
DELAY_SECONDS = 1
RETRY_SECONDS = (1, 2, 5, 10)


def refit_defer(*, seconds: int = DELAY_SECONDS, attempt: int = 0) -> bool:
    """Queue a refit unless one is waiting; whether it was queued.

    A waiting refit has not read the votes yet, so it will see this one. A running one may have:
    it does not count as waiting, and another is queued behind it.
    """
    # Asked first: the queue's own refusal costs an exception and a savepoint at every vote.
    if ProcrastinateJob.objects.filter(queueing_lock="ratings_refit", status="todo").exists():
        return False
    try:
        # A savepoint: the refusal must not break a transaction that the caller may be in.
        with transaction.atomic():
            ratings_refit.configure(schedule_in={"seconds": seconds}).defer(attempt=attempt)
    except AlreadyEnqueued:
        return False
    return True


@app.task(name="ratings_refit", queueing_lock="ratings_refit")
def ratings_refit(attempt: int = 0) -> None:
    """Rate all votes anew, the overall board alone; `attempt` counts failures."""
    try:
        snapshot_fit(reason="votes", wait=False, quick=True)
    except FitInProgressError:
        refit_defer(attempt=attempt)
    except Exception:
        if attempt < len(RETRY_SECONDS):
            refit_defer(seconds=RETRY_SECONDS[attempt], attempt=attempt + 1)
        raise


@app.periodic(cron="*/5 * * * *")
@app.task(name="ratings_refit_boards", queueing_lock="ratings_refit_boards")
def ratings_refit_boards(timestamp: int) -> None:  # noqa: ARG001
    """Rate every board whose votes have changed; a board that is not due costs a look at its cells.

    It waits for a refit that is running. When it fails, the next one is five minutes away.
    """
    boards_fit(reason="schedule")


@app.periodic(cron="17 * * * *")
@app.task(name="ratings_thin", queueing_lock="ratings_thin")
def ratings_thin(timestamp: int) -> None:  # noqa: ARG001
    """Delete the snapshots of the past that are not kept."""
    snapshots_thin()


@app.periodic(cron="41 * * * *")
@app.task(name="ratings_review_voters", queueing_lock="ratings_review_voters")
def ratings_review_voters(timestamp: int) -> None:  # noqa: ARG001
    """Test and describe the voters; nothing happens where the ledger has not grown."""
    voters_review()
