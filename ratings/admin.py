"""Snapshots in the admin, to be read: a published one is never changed."""

from __future__ import annotations

from django.contrib import admin

from arena.read_only_admin import ReadOnly
from ratings.models import RatingEntry, RatingSnapshot


class RatingEntryInline(ReadOnly, admin.TabularInline[RatingEntry, RatingSnapshot]):
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
class RatingSnapshotAdmin(ReadOnly, admin.ModelAdmin[RatingSnapshot]):
    list_display = ["id", "created_at", "method", "ledger_sequence", "reason"]
    date_hierarchy = "created_at"
    exclude = ["cells"]
    inlines = [RatingEntryInline]
