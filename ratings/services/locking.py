"""One fit at a time. The lock is the database's, so that it dies with the session that holds it."""

from __future__ import annotations

from django.db import connection

# An arbitrary constant: the key of the advisory lock under which votes are folded and fitted.
SNAPSHOT_LOCK = 0x50524546_52415445


class FitInProgressError(Exception):
    """Another fit holds the lock."""


def fits_lock(*, wait: bool) -> None:
    """Keep other fits out until the caller's transaction ends.

    With `wait=False` raises FitInProgressError when another fit holds the lock.
    """
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SNAPSHOT_LOCK])
            return
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SNAPSHOT_LOCK])
        if not cursor.fetchone()[0]:
            raise FitInProgressError("another fit is running: its snapshot appears when it ends")
