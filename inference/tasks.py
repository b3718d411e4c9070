"""Periodic work on the registry."""

from __future__ import annotations

from procrastinate.contrib.django import app

from inference.services import endpoints_probe


# The sixth field is seconds.
@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="inference.endpoints_probe")
def endpoints_probe_all(timestamp: int) -> None:  # noqa: ARG001
    """Ask every endpoint whether it serves its model, so that the pool holds live models only."""
    endpoints_probe()
