"""Votes lead to refits: one for many votes, another for a vote that comes during one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob

from inference.models import LanguageModel
from ratings.boards import OVERALL_BOARD
from ratings.core import outcomes
from ratings.models import RatingSnapshot, VoterReview
from ratings.tasks import (
    RETRY_SECONDS,
    ratings_refit,
    ratings_refit_boards,
    ratings_review_voters,
    refit_defer,
)
from tests.ratings.arena_votes import annotate, language_model, vote

Contestants = Mapping[str, LanguageModel]


def waiting() -> list[dict[str, Any]]:
    jobs = ProcrastinateJob.objects.filter(task_name="ratings_refit", status="todo")
    return [job.args for job in jobs]


def test_many_votes_queue_one_refit(
    contestants: Contestants, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for choice in ("a", "b", "tie"):
            vote(contestants["ada"], contestants["bea"], choice)

    assert waiting() == [{"attempt": 0}]


def test_a_vote_during_a_refit_queues_another(db: None) -> None:
    refit_defer()
    with connection.cursor() as cursor:  # as a worker takes it
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE status = 'todo'")

    refit_defer()
    refit_defer()

    assert waiting() == [{"attempt": 0}]


def test_the_queued_refit_publishes_the_votes(voted: Contestants) -> None:
    ratings_refit(attempt=0)

    snapshot = RatingSnapshot.objects.get()
    assert snapshot.funnel["raw"] == 14
    assert snapshot.reason == "votes"
    assert waiting() == []


@pytest.mark.django_db(transaction=True)
def test_a_worker_rates_a_vote_that_was_committed() -> None:
    vote(language_model("ada"), language_model("bea"), "tie")
    with connection.cursor() as cursor:  # its second of delay is over
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")

    with app.replace_connector(DjangoConnector().get_worker_connector()) as worker:
        worker.run_worker(wait=False, install_signal_handlers=False)

    snapshot = RatingSnapshot.objects.get(category="overall", style_control=False)
    assert snapshot.funnel["counted"] == 1
    assert [entry.rating for entry in snapshot.entries.all()] == [1000, 1000]
    assert waiting() == []


def test_a_refit_that_meets_another_comes_back(voted: Contestants, other_session: None) -> None:
    ratings_refit(attempt=0)

    assert not RatingSnapshot.objects.exists()
    assert waiting() == [{"attempt": 0}]


@pytest.mark.parametrize("attempt", range(len(RETRY_SECONDS) + 1))
def test_a_refit_that_fails_is_tried_again_some_times(
    contestants: Contestants, monkeypatch: pytest.MonkeyPatch, attempt: int
) -> None:
    monkeypatch.setattr(outcomes, "MAX_MODELS", 3)

    with pytest.raises(outcomes.VoteDataError):
        ratings_refit(attempt=attempt)

    assert waiting() == ([{"attempt": attempt + 1}] if attempt < len(RETRY_SECONDS) else [])


def test_the_periodic_job_publishes_every_board(voted: Contestants) -> None:
    annotate(vote(voted["ada"], voted["bea"], "a"), categories=("coding",))

    ratings_refit_boards(timestamp=0)

    published = RatingSnapshot.objects.values_list("category", "style_control", "reason")
    assert ("overall", False, "schedule") in published
    assert ("coding", True, "schedule") in published


def test_the_jobs_of_the_clock_are_on_it() -> None:
    on_the_clock = {
        name: periodic.cron for (name, _), periodic in app.periodic_registry.periodic_tasks.items()
    }

    assert on_the_clock["ratings_refit_boards"] == "*/5 * * * *"
    assert on_the_clock["ratings_thin"] == "17 * * * *"
    assert "ratings_refit" not in on_the_clock


def test_a_vote_refits_the_overall_board_alone(voted: Contestants) -> None:
    ratings_refit(attempt=0)

    assert [s.filters for s in RatingSnapshot.objects.all()] == [OVERALL_BOARD.filters]


def test_the_voters_are_reviewed_every_hour(voted: Contestants) -> None:
    ratings_review_voters(timestamp=0)
    ratings_review_voters(timestamp=3600)

    assert VoterReview.objects.get().votes == 14
    assert app.periodic_registry.periodic_tasks["ratings_review_voters", ""].cron == "41 * * * *"
