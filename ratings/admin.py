"""Snapshots in the admin, to be read: a published one is never changed."""

from __future__ import annotations

from django.contrib import admin

from arena.read_only_admin import ReadOnly
from ratings.models import RatingEntry, RatingSnapshot, VoteCategory


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
        "excluded",
        "reason",
    ]


@admin.register(RatingSnapshot)
class RatingSnapshotAdmin(ReadOnly, admin.ModelAdmin[RatingSnapshot]):
    list_display = [
        "id",
        "created_at",
        "category",
        "style_control",
        "method",
        "ledger_sequence",
        "reason",
    ]
    list_filter = ["category", "style_control"]
    date_hierarchy = "created_at"
    exclude = ["cells", "covariance"]
    inlines = [RatingEntryInline]


@admin.register(VoteCategory)
class VoteCategoryAdmin(ReadOnly, admin.ModelAdmin[VoteCategory]):
    """Languages and tags that votes have."""

    list_display = ["slug", "kind", "counted"]
    list_filter = ["kind"]
