"""`manage.py fit_ratings`: rate the votes now and print the table."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ratings.core.outcomes import VoteDataError
from ratings.selectors import LeaderboardRow, leaderboard
from ratings.services import snapshot_fit


class Command(BaseCommand):
    help = "Fit the ratings to the votes of the ledger and publish a snapshot."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            snapshot = snapshot_fit(reason="command")
        except VoteDataError as error:
            raise CommandError(str(error)) from error
        rows = leaderboard(snapshot=snapshot)
        width = max((len(row.name) for row in rows), default=0)
        for row in rows:
            self.stdout.write(_line(row, width))
        left_out = ", ".join(
            f"{count} {key}" for key, count in snapshot.funnel.items() if count and key != "raw"
        )
        self.stdout.write(
            f"snapshot {snapshot.id}: {snapshot.funnel['raw']} votes ({left_out or 'none yet'}), "
            f"ledger entry {snapshot.ledger_sequence}"
        )
        for note in snapshot.notes:
            self.stdout.write(note)


def _line(row: LeaderboardRow, width: int) -> str:
    if row.rating is None:
        return f"   -          {row.name:<{width}}        -  {row.votes:>7} votes  {row.reason}"
    rank = f"{row.rank:>4} ({row.rank_low}-{row.rank_high})"
    interval = (
        f"{row.lower:7.1f} to {row.upper:6.1f}"
        if row.lower is not None and row.upper is not None
        else row.reason
    )
    return f"{rank:<13} {row.name:<{width}}  {row.rating:7.1f}  {row.votes:>7} votes  {interval}"
