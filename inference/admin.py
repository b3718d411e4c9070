"""The registry in the admin: models are retired, never deleted; endpoints show their health."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from inference.models import Endpoint, LanguageModel, Organization, Training


class EndpointInline(admin.TabularInline[Endpoint, LanguageModel]):
    model = Endpoint
    extra = 0
    readonly_fields = ("is_up", "checked_at", "problem", "failures", "paused_until")


@admin.register(LanguageModel)
class LanguageModelAdmin(admin.ModelAdmin[LanguageModel]):
    list_display = ("name", "slug", "organization", "category", "status")
    list_filter = ("status", "category", "open_weights", "organization")
    search_fields = ("name", "slug", "aliases")
    list_select_related = ("organization",)
    inlines = (EndpointInline,)

    def get_readonly_fields(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: LanguageModel | None = None,
    ) -> tuple[str, ...]:
        # The ledger knows a model by its slug, for good.
        return ("slug",) if obj else ()

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: LanguageModel | None = None,  # noqa: ARG002
    ) -> bool:
        return False


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin[Organization]):
    list_display = ("name", "slug", "homepage")
    search_fields = ("name", "slug")


@admin.register(Training)
class TrainingAdmin(admin.ModelAdmin[Training]):
    list_display = ("name", "slug", "organization")
    search_fields = ("name", "slug")
    list_select_related = ("organization",)
