"""Snapshots and reviews of the voters in the admin, to be read: nothing published is changed."""

from __future__ import annotations

from django.contrib import admin

from arena.read_only_admin import ReadOnly
from ratings.models import (
    RatingEntry,
    RatingSnapshot,
    VoteCategory,
    VoterFlag,
    VoterQuality,
    VoterReview,
)


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
        "exclusions",
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
    exclude = ["cells", "covariance", "left_out"]
    inlines = [RatingEntryInline]


@admin.register(VoteCategory)
class VoteCategoryAdmin(ReadOnly, admin.ModelAdmin[VoteCategory]):
    """Languages and tags that votes have."""

    list_display = ["slug", "kind", "counted"]
    list_filter = ["kind"]


class VoterFlagInline(ReadOnly, admin.TabularInline[VoterFlag, VoterReview]):
    model = VoterFlag
    fields = ["voter", "test", "statistic", "adjusted_p", "signs", "details"]


@admin.register(VoterReview)
class VoterReviewAdmin(ReadOnly, admin.ModelAdmin[VoterReview]):
    list_display = ["id", "created_at", "ledger_sequence", "voters", "tested", "taste_sd"]
    inlines = [VoterFlagInline]


@admin.register(VoterFlag)
class VoterFlagAdmin(ReadOnly, admin.ModelAdmin[VoterFlag]):
    """Whom reviews have flagged, newest first. A flag is no verdict."""

    list_display = ["voter", "review", "test", "statistic", "adjusted_p", "signs"]
    list_filter = ["test"]
    list_select_related = ["voter", "review"]
    search_fields = ["voter__id"]


@admin.register(VoterQuality)
class VoterQualityAdmin(ReadOnly, admin.ModelAdmin[VoterQuality]):
    """Numbers of each voter in the newest review."""

    list_display = [
        "voter", "votes", "ties", "first_excess", "first_p", "agreement", "agreement_expected",
        "retests", "retests_same", "seconds", "too_fast", "gold_seen", "gold_failed",
    ]  # fmt: skip
    list_select_related = ["voter"]
    search_fields = ["voter__id"]
