"""The JSON of published ratings. Knows no rules: rows come finished from the selectors."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ratings.models import RatingSnapshot
from ratings.selectors import HistoryPoint, LeaderboardRow, PairRow


class LedgerHeadSerializer(serializers.Serializer[dict[str, Any]]):
    sequence = serializers.IntegerField()
    hash = serializers.CharField()


class SnapshotSerializer(serializers.ModelSerializer[RatingSnapshot]):
    """What the numbers were made from and with."""

    ledger_head = LedgerHeadSerializer()

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
