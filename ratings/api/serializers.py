"""The JSON of published ratings. Knows no rules: rows come finished from the selectors."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ratings.models import RatingSnapshot
from ratings.selectors import (
    CategoryComparison,
    Comparison,
    ComparisonRow,
    HistoryPoint,
    LeaderboardRow,
    PairRow,
)


class LedgerHeadSerializer(serializers.Serializer[dict[str, Any]]):
    """The entry that the votes were read up to, signed; old snapshots lack the last three."""

    sequence = serializers.IntegerField()
    hash = serializers.CharField()
    signed_at = serializers.CharField(required=False)
    key = serializers.CharField(required=False)
    signature = serializers.CharField(required=False)


class EffectSerializer(serializers.Serializer[dict[str, Any]]):
    """A style coefficient in log-odds: what a difference of 1, all of it on one side, does."""

    name = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    se = serializers.FloatField(allow_null=True)
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)


class SnapshotSerializer(serializers.ModelSerializer[RatingSnapshot]):
    """What the numbers were made from and with."""

    ledger_head = LedgerHeadSerializer()
    effects = EffectSerializer(many=True)

    class Meta:
        model = RatingSnapshot
        fields = [
            "id",
            "created_at",
            "method",
            "filters",
            "parameters",
            "seed",
            "versions",
            "ledger_head",
            "funnel",
            "input_digest",
            "notes",
            "effects",
            "degrees_of_freedom",
        ]


class LeaderboardRowSerializer(serializers.Serializer[LeaderboardRow]):
    rank = serializers.IntegerField(allow_null=True)
    rank_low = serializers.IntegerField(allow_null=True)
    rank_high = serializers.IntegerField(allow_null=True)
    model = serializers.CharField()
    name = serializers.CharField()
    organization = serializers.CharField()
    licence = serializers.CharField()
    status = serializers.CharField()
    rating = serializers.FloatField(allow_null=True)
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)
    votes = serializers.IntegerField()
    exclusion_rate = serializers.FloatField(allow_null=True)
    leak_rate = serializers.FloatField(allow_null=True)
    exclusions = serializers.DictField(child=serializers.FloatField())
    scores = serializers.DictField()
    reason = serializers.CharField()


class LeaderboardSerializer(serializers.Serializer[dict[str, Any]]):
    snapshot = SnapshotSerializer(allow_null=True)
    results = LeaderboardRowSerializer(many=True)


class HistoryPointSerializer(serializers.Serializer[HistoryPoint]):
    snapshot = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    rank = serializers.IntegerField(allow_null=True)
    rank_low = serializers.IntegerField(allow_null=True)
    rank_high = serializers.IntegerField(allow_null=True)
    rating = serializers.FloatField(allow_null=True)
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)
    votes = serializers.IntegerField()
    reason = serializers.CharField()


class HistorySerializer(serializers.Serializer[dict[str, Any]]):
    model = serializers.CharField()
    results = HistoryPointSerializer(many=True)


class PairRowSerializer(serializers.Serializer[PairRow]):
    model_a = serializers.CharField()
    model_b = serializers.CharField()
    wins_a = serializers.IntegerField()
    wins_b = serializers.IntegerField()
    ties = serializers.IntegerField()
    both_bad = serializers.IntegerField()
    votes = serializers.IntegerField()
    observed = serializers.FloatField()
    predicted = serializers.FloatField(allow_null=True)


class PairsSerializer(serializers.Serializer[dict[str, Any]]):
    snapshot = SnapshotSerializer(allow_null=True)
    results = PairRowSerializer(many=True)


class ComparisonRowSerializer(serializers.Serializer[ComparisonRow]):
    category = serializers.CharField()
    model_a = serializers.CharField()
    model_b = serializers.CharField()
    difference = serializers.FloatField(allow_null=True)
    difference_lower = serializers.FloatField(allow_null=True)
    difference_upper = serializers.FloatField(allow_null=True)
    probability = serializers.FloatField(allow_null=True)
    probability_lower = serializers.FloatField(allow_null=True)
    probability_upper = serializers.FloatField(allow_null=True)
    wins_a = serializers.IntegerField()
    wins_b = serializers.IntegerField()
    ties = serializers.IntegerField()
    both_bad = serializers.IntegerField()
    votes = serializers.IntegerField()
    observed = serializers.FloatField(allow_null=True)
    reason = serializers.CharField()


class CategoryComparisonSerializer(serializers.Serializer[CategoryComparison]):
    category = serializers.CharField()
    snapshot = serializers.UUIDField()
    results = ComparisonRowSerializer(many=True)


class ComparisonSerializer(serializers.Serializer[Comparison]):
    snapshot = SnapshotSerializer(allow_null=True)
    results = ComparisonRowSerializer(many=True)
    categories = CategoryComparisonSerializer(many=True)


class ShareSerializer(serializers.Serializer[dict[str, Any]]):
    """A share of `votes` with its 95 % interval."""

    votes = serializers.IntegerField()
    value = serializers.FloatField()
    lower = serializers.FloatField()
    upper = serializers.FloatField()


class FavouredModelSerializer(serializers.Serializer[dict[str, Any]]):
    """A model that more voters favour (or slight: negative) strongly than tastes explain."""

    slug = serializers.CharField()
    excess = serializers.FloatField()
    adjusted_p = serializers.FloatField()


class VoterReviewSerializer(serializers.Serializer[dict[str, Any]]):
    """What `ratings.selectors.site_voting` says."""

    created_at = serializers.DateTimeField()
    ledger_sequence = serializers.IntegerField()
    version = serializers.CharField()
    level = serializers.FloatField()
    voters = serializers.IntegerField()
    tested = serializers.IntegerField()
    flagged = serializers.IntegerField()
    taste_sd = serializers.FloatField()
    first_share = ShareSerializer(allow_null=True)
    tie_share = ShareSerializer(allow_null=True)
    retest_share = ShareSerializer(allow_null=True)
    gold_seen = serializers.IntegerField()
    gold_failed = serializers.IntegerField()
    median_seconds = serializers.FloatField(allow_null=True)
    models_favoured = FavouredModelSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class VotersSerializer(serializers.Serializer[dict[str, Any]]):
    review = VoterReviewSerializer(allow_null=True)
