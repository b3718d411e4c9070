"""The Django app of the arena; knows only that a model may be retired."""

from __future__ import annotations

from django.apps import AppConfig


class ArenaConfig(AppConfig):
    name = "arena"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from arena.checks import register_checks
        from arena.receivers import retirement_after_save
        from inference.models import LanguageModel

        register_checks()
        post_save.connect(
            retirement_after_save, sender=LanguageModel, dispatch_uid="arena.retirement_after_save"
        )
