"""What is kept of past snapshots. Knows nothing of what they say.

An arena refits after every vote, and a snapshot of many models is a megabyte: kept are all of the
last hours, then the last of each hour, then for ever the last of each day, for every board.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from ratings.models import RatingEntry, RatingSnapshot

ALL_FOR = timedelta(hours=2)
HOURLY_FOR = timedelta(days=2)


def snapshots_thin(*, now: datetime | None = None) -> int:
    """Delete the snapshots that are not kept, and the covariance of those kept for their day.

    Returns how many were deleted. A board's newest snapshot always stays as it is.
    """
    now = now or timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT id FROM (
                    SELECT id, created_at, row_number() OVER (
                               PARTITION BY category, style_control, created_at < %(hourly)s,
                                            date_trunc(
                                                CASE WHEN created_at < %(hourly)s THEN 'day'
                                                     ELSE 'hour' END,
                                                created_at, 'UTC'
                                            )
                               ORDER BY created_at DESC
                           ) AS place
                      FROM ratings_ratingsnapshot
                     WHERE created_at < %(all)s
                ) AS snapshot
                 WHERE place > 1
                """,
                {"all": now - ALL_FOR, "hourly": now - HOURLY_FOR},
            )
            ids = [row[0] for row in cursor.fetchall()]
        RatingEntry.objects.filter(snapshot__in=ids).delete()
        RatingSnapshot.objects.filter(pk__in=ids).delete()
        newest = RatingSnapshot.objects.order_by(
            "category", "style_control", "-created_at"
        ).distinct("category", "style_control")
        RatingSnapshot.objects.filter(
            created_at__lt=now - HOURLY_FOR, covariance__isnull=False
        ).exclude(pk__in=newest.values("pk")).update(covariance=None)
    return len(ids)
