"""Vote, its secret, the ledger of what counted, and what a voted turn is about.

Knows nothing of ratings, pages or transport.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from arena.models.battles import Turn, Voter


class Vote(models.Model):
    """One spent ballot. What counts is told by the ledger; `exclusion` is its latest word."""

    class Choice(models.TextChoices):
        A = "a"
        B = "b"
        TIE = "tie"
        BOTH_BAD = "both_bad"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    turn = models.OneToOneField(Turn, on_delete=models.PROTECT, related_name="vote")
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT, related_name="votes")
    choice = models.CharField(max_length=8, choices=Choice)
    reasons = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    comment = models.TextField(blank=True, help_text="What the voter said of it afterwards.")
    exclusion = models.CharField(
        max_length=20, blank=True, help_text="Why it does not count; empty when it does."
    )
    ledger_entry = models.OneToOneField(
        "LedgerEntry", on_delete=models.PROTECT, related_name="vote"
    )
    cast_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["ledger_entry"]
        indexes = [models.Index(fields=["voter", "cast_at"], name="votes_of_voter_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(choice__in=["a", "b", "tie", "both_bad"]), name="vote_choice_known"
            ),
        ]

    def __str__(self) -> str:
        return f"vote {self.choice} on {self.turn}"


class VoteReason(models.Model):
    """A reason that a voter may give by one tap; operators choose which there are."""

    class Tone(models.TextChoices):
        GOOD = "good"
        BAD = "bad"

    slug = models.SlugField(max_length=60, unique=True)
    label = models.CharField(max_length=60)
    tone = models.CharField(max_length=4, choices=Tone)
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower comes first.")
    is_active = models.BooleanField(default=True, help_text="Off: kept for old votes only.")

    class Meta:
        ordering = ["position", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(tone__in=["good", "bad"]), name="vote_reason_tone_known"
            ),
        ]

    def __str__(self) -> str:
        return self.label


class VoteSecret(models.Model):
    """What ties a public ledger entry to its texts and its voter. Erasable; the chain stays."""

    vote = models.OneToOneField(Vote, on_delete=models.CASCADE, related_name="secret")
    voter_token = models.CharField(max_length=64, unique=True)
    salts = models.JSONField(help_text="Field name to its 256-bit salt in hex.")

    class Meta:
        ordering = ["vote"]

    def __str__(self) -> str:
        return f"secret of {self.vote_id}"


class LedgerEntry(models.Model):
    """One link of the append-only chain. The database refuses UPDATE, DELETE and TRUNCATE."""

    class Kind(models.TextChoices):
        VOTE = "vote"
        EXCLUSION = "exclusion"
        REINSTATEMENT = "reinstatement"
        WITHDRAWAL = "withdrawal"
        RETIREMENT = "retirement"
        IMPORT = "import"

    sequence = models.PositiveBigIntegerField(primary_key=True)
    kind = models.CharField(max_length=15, choices=Kind)
    payload = models.TextField(help_text="Canonical JSON, byte for byte as it was hashed.")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["sequence"]
        verbose_name_plural = "ledger entries"

    def __str__(self) -> str:
        return f"ledger entry {self.sequence} ({self.kind})"


class TurnAnnotation(models.Model):
    """What a voted turn is about and how its answers are written; holds no text.

    Derived, and made anew at will by `arena.services.annotations`; goes with its turn.
    """

    turn = models.OneToOneField(
        Turn, on_delete=models.CASCADE, primary_key=True, related_name="annotation"
    )
    language = models.CharField(max_length=8, help_text="ISO 639 code of the prompts, or und.")
    categories = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    style = models.JSONField(
        help_text="Side to StyleCounts, summed over its answers up to this turn."
    )
    tagger = models.CharField(
        max_length=100, help_text="Version of what gave language and categories."
    )
    problem = models.CharField(
        max_length=100, blank=True, help_text="What the tagger failed with; empty when it did not."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["turn"]

    def __str__(self) -> str:
        return f"annotation of {self.turn_id}"
