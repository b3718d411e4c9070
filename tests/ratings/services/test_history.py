"""Past snapshots grow fewer with age, and none that somebody may see now goes away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ratings.models import RatingSnapshot
from ratings.services import snapshots_thin
from tests.ratings.arena_votes import language_model

NOW = datetime(2026, 6, 15, 12, 30, tzinfo=UTC)


def published(ago: timedelta, *, category: str = "overall") -> RatingSnapshot:
    snapshot = RatingSnapshot.objects.create(
        method="bradley-terry",
        filters={"category": category, "style_control": False},
        parameters={},
        seed=0,
        versions={},
        ledger_sequence=0,
        ledger_hash="0" * 64,
        funnel={},
        cells=[],
        input_digest="0" * 64,
        covariance=b"\0\0\0\0",
    )
    RatingSnapshot.objects.filter(pk=snapshot.pk).update(created_at=NOW - ago)
    snapshot.entries.create(model=language_model(f"m{snapshot.pk}"), votes=0, reason="none")
    return snapshot


def kept() -> set[object]:
    return set(RatingSnapshot.objects.values_list("pk", flat=True))


@pytest.mark.django_db
def test_the_last_hours_are_kept_whole_then_hours_then_days() -> None:
    minute, hour, day = (timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days"))
    recent = [published(number * minute) for number in (1, 2, 119)]
    of_an_hour = [published(5 * hour + number * minute) for number in (1, 2, 3)]
    next_hour = published(6 * hour)
    of_a_day = [published(10 * day + number * hour) for number in (1, 2, 3)]
    next_day = published(11 * day)

    deleted = snapshots_thin(now=NOW)

    stay = [*recent, of_an_hour[0], next_hour, of_a_day[0], next_day]
    assert kept() == {snapshot.pk for snapshot in stay}
    assert deleted == 4
    assert snapshots_thin(now=NOW) == 0


@pytest.mark.django_db
def test_boards_are_thinned_each_by_itself() -> None:
    old = [published(timedelta(days=9), category=slug) for slug in ("overall", "coding")]

    snapshots_thin(now=NOW)

    assert kept() == {snapshot.pk for snapshot in old}


@pytest.mark.django_db
def test_old_snapshots_lose_their_covariance_unless_they_are_the_newest() -> None:
    days = [published(timedelta(days=number)) for number in (20, 10, 1)]
    only_one = published(timedelta(days=20), category="coding")

    snapshots_thin(now=NOW)

    has_covariance = RatingSnapshot.objects.filter(covariance__isnull=False)
    assert set(has_covariance.values_list("pk", flat=True)) == {days[2].pk, only_one.pk}
