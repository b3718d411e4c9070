"""Fitting boards to the arena's votes: one after a vote, all of them every few minutes.

All boards of one run are fitted to the same votes, and seen together or not at all. Knows nothing
of pages and programs, nor of what a fit does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction

from arena.ledger import ledger_head
from arena.services.annotations import annotations_make
from inference.selectors import language_models_listed
from ratings.boards import OVERALL_BOARD, Board
from ratings.models import RatingSnapshot
from ratings.selectors.cubes import categories_listed
from ratings.services.locking import fits_lock
from ratings.services.publication import Run, board_publish
from ratings.services.votes import Progress, votes_fold, votes_forget

BoardDone = Callable[[Board], object]


def _ignore(_: object) -> None:
    """Nobody watches."""


def snapshot_fit(*, reason: str = "", wait: bool = True, quick: bool = False) -> RatingSnapshot:
    """Rate all counted votes and publish the result; return the snapshot of the overall board.

    When votes, models, method and versions are those of the newest snapshot, that one is returned
    and nothing is written. `quick` lets a large arena go without reading each vote again, see
    `ratings.services.publication`. Raises as `boards_fit` does.
    """
    fitted = _boards_fit(
        categories=None, boards=[OVERALL_BOARD], reason=reason, wait=wait, quick=quick
    )
    return fitted[OVERALL_BOARD]


def boards_fit(
    *,
    categories: Sequence[str] | None = None,
    reason: str = "",
    wait: bool = True,
    rebuild: bool = False,
    read: Progress = _ignore,
    done: BoardDone = _ignore,
) -> dict[Board, RatingSnapshot]:
    """Rate the votes of all categories, or of those given, with and without style control.

    Publishes a snapshot of every board whose input has changed; returns the newest snapshot of each
    board that has one. `rebuild` reads the whole ledger anew. `read` and `done` are told of ledger
    entries and boards as they are done.

    Takes the lock of `fits_lock` until the transaction ends, so that a fit sees all that the one
    before it published; with `wait=False` raises FitInProgressError when another fit holds it.
    Raises VoteDataError for too many models, FoldError for a ledger that is not the one read
    before.
    """
    return _boards_fit(
        categories=categories,
        boards=None,
        reason=reason,
        wait=wait,
        rebuild=rebuild,
        read=read,
        done=done,
    )


def _boards_fit(
    *,
    categories: Sequence[str] | None,
    boards: Sequence[Board] | None,
    reason: str,
    wait: bool,
    quick: bool = False,
    rebuild: bool = False,
    read: Progress = _ignore,
    done: BoardDone = _ignore,
) -> dict[Board, RatingSnapshot]:
    # Votes that come while the others are annotated are left to the next fit.
    head = ledger_head()["sequence"]
    annotations_make()
    fitted = {}
    with transaction.atomic():
        fits_lock(wait=wait)
        if rebuild:
            votes_forget()
        run = Run(
            cursor=votes_fold(upto=head, progress=read),
            # Read after the votes: a model that a vote names is in the registry by then.
            language_models=list(language_models_listed().order_by("pk")),
            reason=reason,
            quick=quick,
        )
        if boards is None:
            chosen = categories_listed() if categories is None else categories
            boards = [Board(category, style) for category in chosen for style in (False, True)]
        for board in boards:
            snapshot = board_publish(run, board)
            if snapshot is not None:
                fitted[board] = snapshot
            done(board)
    return fitted
