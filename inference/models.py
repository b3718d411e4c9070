"""The registry: which language models exist, who made them, and where each one answers.

Knows nothing of votes, benchmarks or pages. The fields are those of the model file
(`inference.model_file`), which documents them one by one.
"""

from __future__ import annotations

import math

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from inference.endpoint_rules import address_problem, key_name_problem


class Organization(models.Model):
    """Who makes or trains models."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    homepage = models.URLField(blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Training(models.Model):
    """One training run; its checkpoints are language models."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="trainings"
    )
    description = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class LanguageModel(models.Model):
    """A contestant. A retired one keeps its page, its votes and its old battles."""

    class Category(models.TextChoices):
        PRETRAINED = "pretrained"
        CONTINUOUSLY_PRETRAINED = "continuously-pretrained"
        FINE_TUNED = "fine-tuned"
        CHAT = "chat"
        MERGED = "merged"

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        RETIRED = "retired"

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="language_models"
    )
    description = models.TextField(blank=True)
    licence = models.CharField(max_length=200, blank=True)
    open_weights = models.BooleanField(default=False)
    parameters = models.PositiveBigIntegerField(null=True, blank=True)
    active_parameters = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Parameters used per token, where a model is sparse."
    )
    precision = models.CharField(max_length=100, blank=True)
    category = models.CharField(max_length=30, choices=Category, default=Category.CHAT)
    base_model = models.CharField(max_length=200, blank=True)
    training = models.ForeignKey(
        Training, on_delete=models.PROTECT, null=True, blank=True, related_name="checkpoints"
    )
    checkpoint_step = models.PositiveBigIntegerField(null=True, blank=True)
    context_length = models.PositiveIntegerField(null=True, blank=True, help_text="In tokens.")
    knowledge_cutoff = models.DateField(null=True, blank=True)
    release_date = models.DateField(null=True, blank=True)
    price_in = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="USD per million prompt tokens.",
    )
    price_out = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="USD per million answer tokens.",
    )
    homepage = models.URLField(blank=True)
    aliases = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Other names the model calls itself by; an answer that says one is a leak.",
    )
    sampling = models.JSONField(
        default=dict, blank=True, help_text="temperature, top_p, top_k, max_tokens …"
    )
    system_prompt = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    retired_on = models.DateField(null=True, blank=True)
    retired_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["active", "paused", "retired"]),
                name="language_model_status_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="retired")
                | (models.Q(retired_on__isnull=False) & ~models.Q(retired_reason="")),
                name="retired_model_has_date_and_reason",
                violation_error_message="A retired model needs a date and a reason.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


def validate_address(value: str) -> None:
    """By the model file's own rule; unlike a URLField it takes hosts without a dot."""
    if problem := address_problem(value):
        raise ValidationError(f"The address {problem}.")


def validate_key_name(value: str) -> None:
    if problem := key_name_problem(value):
        raise ValidationError(f"This {problem}.")


def validate_seconds(value: float) -> None:
    if not 0 < value < math.inf:
        raise ValidationError("A limit must be above 0 seconds.")


class Endpoint(models.Model):
    """Where a model answers. An empty base URL is this installation's own inference service."""

    class Dialect(models.TextChoices):
        OPENAI = "openai"
        ANTHROPIC = "anthropic"

    language_model = models.ForeignKey(
        LanguageModel, on_delete=models.CASCADE, related_name="endpoints"
    )
    base_url = models.CharField(max_length=300, blank=True, validators=[validate_address])
    name = models.CharField(max_length=200, help_text="What the endpoint calls the model.")
    dialect = models.CharField(max_length=10, choices=Dialect, default=Dialect.OPENAI)
    api_key_env = models.CharField(
        max_length=100,
        blank=True,
        validators=[validate_key_name],
        help_text="Name of the environment variable that holds the key; never the key.",
    )
    concurrency = models.PositiveIntegerField(default=8, validators=[MinValueValidator(1)])
    connect_timeout = models.FloatField(
        default=5.0, validators=[validate_seconds], help_text="Seconds, as all limits here."
    )
    first_token_timeout = models.FloatField(default=60.0, validators=[validate_seconds])
    between_tokens_timeout = models.FloatField(default=20.0, validators=[validate_seconds])
    total_timeout = models.FloatField(default=300.0, validators=[validate_seconds])
    is_up = models.BooleanField(default=False, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    problem = models.CharField(
        max_length=300,
        blank=True,
        editable=False,
        help_text="For operators; never shown to voters.",
    )
    failures = models.PositiveIntegerField(
        default=0, editable=False, help_text="Answers that failed in a row, each after it was up."
    )
    paused_until = models.DateTimeField(
        null=True, editable=False, help_text="Until then no probe calls it up."
    )

    class Meta:
        ordering = ["language_model", "base_url", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["language_model", "base_url", "name"], name="endpoint_listed_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.base_url or 'the own inference service'}"
