"""Periodic work on battles."""

from __future__ import annotations

from procrastinate.contrib.django import app

from arena.services.answers import answers_interrupt_silent


# The sixth field is seconds.
@app.periodic(cron="* * * * * */10")
@app.task(queueing_lock="arena.answers_interrupt")
def answers_interrupt(timestamp: int) -> None:  # noqa: ARG001
    """Find the answers whose process died, so that their battles can go on."""
    answers_interrupt_silent()
