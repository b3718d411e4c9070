"""The Django app of the ratings; knows only that a vote may ask for a new fit."""

from __future__ import annotations

from django.apps import AppConfig


class RatingsConfig(AppConfig):
    name = "ratings"
    label = "ratings"

    def ready(self) -> None:
        from arena.events import vote_recorded
        from ratings.receivers import refit_after_vote

        vote_recorded.connect(refit_after_vote, dispatch_uid="ratings.refit_after_vote")
