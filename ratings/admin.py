"""Snapshots in the admin, to be read: a published one is never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from ratings.models import RatingEntry, RatingSnapshot

if TYPE_CHECKING:
    EntryInline = admin.TabularInline[RatingEntry, RatingSnapshot]
    SnapshotAdmin = admin.ModelAdmin[RatingSnapshot]
else:
    EntryInline = admin.TabularInline
    SnapshotAdmin = admin.ModelAdmin


class ReadOnly:
    """No adding, changing or deleting, whatever the permissions of the operator."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False


class RatingEntryInline(ReadOnly, EntryInline):
    model = RatingEntry
    fields = [
        "model",
        "rank",
        "rank_low",
        "rank_high",
        "rating",
        "lower",
        "upper",
        "votes",
        "reason",
    ]


@admin.register(RatingSnapshot)
class RatingSnapshotAdmin(ReadOnly, SnapshotAdmin):
    list_display = ["id", "created_at", "method", "ledger_sequence", "reason"]
    date_hierarchy = "created_at"
    exclude = ["cells"]
    inlines = [RatingEntryInline]
