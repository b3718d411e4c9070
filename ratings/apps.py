"""The Django app of the ratings; knows only that votes, and what is said of them, ask for a fit."""

from __future__ import annotations

from django.apps import AppConfig


class RatingsConfig(AppConfig):
    name = "ratings"
    label = "ratings"

    def ready(self) -> None:
        from arena.events import exclusions_recorded, vote_recorded
        from ratings.receivers import refit_after_vote

        for signal in (vote_recorded, exclusions_recorded):
            signal.connect(refit_after_vote, dispatch_uid="ratings.refit_after_vote")
