"""The composition root as a Django app: grants after migrations, system checks."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks, grants

        checks.register_checks()
        # Sent once a migrate, after all tables are there; an app without models gets none itself.
        post_migrate.connect(grants.grant_service_role, sender=apps.get_app_config("arena"))
