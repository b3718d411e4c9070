"""A small arena: three models that can be rated and one that nobody voted on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from django.db import connection

from inference.models import LanguageModel
from ratings.services.locking import SNAPSHOT_LOCK
from tests.ratings.arena_votes import language_model, vote


@pytest.fixture
def contestants(db: None) -> Mapping[str, LanguageModel]:
    # Numbered in another order than they are named: neither may be taken for the other.
    made = {slug: language_model(slug) for slug in ("cyd", "ada", "dot", "bea")}
    return {slug: made[slug] for slug in sorted(made)}


@pytest.fixture
def voted(contestants: Mapping[str, LanguageModel]) -> Mapping[str, LanguageModel]:
    """Fourteen counted votes, each of another voter: ada before bea before cyd, nobody unbeaten,
    dot not seen yet."""
    ada, bea, cyd = (contestants[slug] for slug in ("ada", "bea", "cyd"))
    for _ in range(2):
        for first, second, choice in (
            (ada, bea, "a"),
            (bea, ada, "b"),
            (ada, bea, "b"),
            (bea, cyd, "a"),
            (cyd, bea, "tie"),
            (cyd, ada, "both_bad"),
            (ada, cyd, "a"),
        ):
            vote(first, second, choice)
    return contestants


@pytest.fixture
def other_session(db: None) -> Iterator[None]:
    """Another session that holds the lock of a running fit."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [SNAPSHOT_LOCK])
        yield
        # Closing gives the session back to the pool, with all that it holds.
        cursor.execute("SELECT pg_advisory_unlock(%s)", [SNAPSHOT_LOCK])
    other.close()
