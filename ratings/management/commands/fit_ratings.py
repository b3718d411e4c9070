"""`manage.py fit_ratings`: rate the votes now, or make a published snapshot again and compare."""

from __future__ import annotations

import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ratings.boards import OVERALL, Board
from ratings.core.outcomes import VoteDataError
from ratings.models import RatingSnapshot
from ratings.selectors import LeaderboardRow, categories_listed, leaderboard, snapshot_latest
from ratings.services import FoldError, boards_fit
from ratings.verification import snapshot_verify

LATEST = "latest"


class Command(BaseCommand):
    help = "Fit the ratings to the votes of the ledger and publish a snapshot of every board."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--category", action="append", help="only this category; may be given several times"
        )
        parser.add_argument(
            "--rebuild", action="store_true", help="read the whole ledger anew first"
        )
        parser.add_argument(
            "--verify",
            metavar="SNAPSHOT",
            help=f"publish nothing: count and fit again what this snapshot (its id, or {LATEST}) "
            "was made from, and compare; exits 1 at the first difference",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["verify"]:
            self._verify(options["verify"])
            return
        categories = options["category"]
        unknown = set(categories or ()) - set(categories_listed())
        if unknown:
            raise CommandError(
                f"there is no category {', '.join(sorted(unknown))}; "
                f"there is: {', '.join(categories_listed())}"
            )
        with (
            _bar(unit=" ledger entries") as entries,
            _bar(unit=" boards") as boards,
        ):
            try:
                fitted = boards_fit(
                    categories=categories,
                    reason="command",
                    rebuild=options["rebuild"],
                    read=entries.update,
                    done=lambda _: boards.update(),
                )
            except (VoteDataError, FoldError) as error:
                raise CommandError(str(error)) from error
        shown = Board(categories[0] if categories else OVERALL)
        if shown in fitted:
            self._table(fitted[shown])
        others = sorted(board for board in fitted if board != shown)
        if others:
            self.stdout.write(f"also: {', '.join(map(str, others))}")
        if shown not in fitted:
            self.stdout.write(f"no votes of {shown} yet")

    def _table(self, snapshot: RatingSnapshot) -> None:
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

    def _verify(self, name: str) -> None:
        snapshot = _snapshot(name)
        with _bar(unit=" ledger entries", total=snapshot.ledger_sequence) as bar:
            found = snapshot_verify(snapshot=snapshot, progress=bar.update)
        if found.versions:
            self.stdout.write(f"fitted with other versions: {'; '.join(found.versions)}")
        if found.difference:
            raise CommandError(f"snapshot {snapshot.pk}: {found.difference}")
        self.stdout.write(
            f"snapshot {snapshot.pk}: verified"
            + (f" except {found.erased} erased votes" if found.erased else "")
        )


def _snapshot(name: str) -> RatingSnapshot:
    if name == LATEST:
        latest = snapshot_latest()
        if latest is None:
            raise CommandError("there is no snapshot yet; make one with: manage.py fit_ratings")
        return latest
    try:
        return RatingSnapshot.objects.get(pk=UUID(name))
    except (ValueError, RatingSnapshot.DoesNotExist) as error:
        raise CommandError(
            f"there is no snapshot {name}; the leaderboard names its own, and {LATEST!r} is the "
            "newest of the overall board"
        ) from error


def _bar(*, unit: str, total: int | None = None) -> tqdm[Any]:
    return tqdm(total=total, unit=unit, disable=not sys.stderr.isatty(), leave=False)


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
