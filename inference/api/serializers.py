"""The public card of a model."""

from __future__ import annotations

from rest_framework import serializers

from inference.models import LanguageModel


class LanguageModelSerializer(serializers.ModelSerializer[LanguageModel]):
    organization = serializers.CharField(source="organization.name")
    training = serializers.CharField(source="training.slug", default=None)

    class Meta:
        model = LanguageModel
        fields = (
            "slug", "name", "organization", "description", "licence", "open_weights",
            "parameters", "active_parameters", "precision", "category", "base_model", "training",
            "checkpoint_step", "context_length", "knowledge_cutoff", "release_date", "price_in",
            "price_out", "homepage", "status", "retired_on", "retired_reason",
        )  # fmt: skip
        read_only_fields = fields
