"""Periodic work of the arena."""

from __future__ import annotations

from procrastinate.contrib.django import app

from arena.ledger_heads import head_publish
from arena.services.answers import answers_interrupt_silent
from arena.services.challenges import challenges_purge


# The sixth field is seconds.
@app.periodic(cron="* * * * * */10")
@app.task(queueing_lock="arena.answers_interrupt")
def answers_interrupt(timestamp: int) -> None:  # noqa: ARG001
    """Find the answers whose process died, so that their battles can go on."""
    answers_interrupt_silent()


@app.periodic(cron="* * * * *")
@app.task(name="ledger_head_publish", queueing_lock="ledger_head_publish")
def ledger_head_publish(timestamp: int) -> None:  # noqa: ARG001
    """Append the ledger's head, signed, to the file outside the database once it has grown."""
    head_publish()


@app.periodic(cron="17 * * * *")
@app.task(name="challenges_purge", queueing_lock="challenges_purge")
def spent_challenges_purge(timestamp: int) -> None:  # noqa: ARG001
    """Forget the spent proofs of work that have expired."""
    challenges_purge()
