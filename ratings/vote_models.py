"""The arena's votes as ratings keep them: one compact row a vote, and counts that only grow.

All of it is derived from the vote ledger and what the arena knows of each vote, and can be made
anew (`manage.py fit_ratings --rebuild`). Knows nothing of ratings. Rows are written by
`ratings.services.votes` alone, under the lock that also keeps fits apart.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q


class RealField(models.FloatField):  # type: ignore[type-arg]
    """Four bytes: shares and probabilities need no more, and there are millions of them."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002
        return "real"


class VoteCategory(models.Model):
    """A language or a tag that votes were given; its number stands in their rows.

    Every vote belongs to category 0 besides, which needs no row here.
    """

    class Kind(models.TextChoices):
        LANGUAGE = "language"
        TAG = "tag"

    OVERALL = 0

    number = models.PositiveSmallIntegerField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind)
    slug = models.CharField(max_length=40, unique=True)
    bit = models.PositiveSmallIntegerField(
        null=True, unique=True, help_text="Of a tag in RatedVote.tags."
    )
    counted = models.BigIntegerField(default=0, help_text="Votes of it that count now.")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=Q(number__gt=0), name="category_0_is_overall"),
            models.CheckConstraint(
                condition=Q(kind="language", bit__isnull=True)
                | Q(kind="tag", bit__isnull=False, bit__lte=62),
                name="tags_have_a_bit",
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class RatedVote(models.Model):
    """A vote on two models. Every column has a fixed width but the exclusion and the pacing.

    The widest columns come first, so that PostgreSQL pads nothing.
    """

    sequence = models.BigIntegerField(primary_key=True, help_text="Of its ledger entry.")
    voter = models.BigIntegerField(help_text="63 bits of the voter's UUID; 0 once erased.")
    prompt = models.BigIntegerField(help_text="63 bits of the prompt's SHA-256; 0 once erased.")
    tags = models.BigIntegerField(help_text="Bits of the tags' VoteCategory rows.")
    day = models.DateField(help_text="UTC.")
    # Models with votes cannot be deleted; a foreign key would cost an index and a check a row.
    model_a = models.IntegerField(help_text="Shown first.")
    model_b = models.IntegerField()
    # The four style differences: (A - B) / (A + B), and 0 where neither has any.
    length = RealField()
    headers = RealField()
    bold = RealField()
    lists = RealField()
    probability = RealField(help_text="Of drawing this pair, sides not told apart.")
    language = models.SmallIntegerField(help_text="Number of its VoteCategory; 0 is unknown.")
    outcome = models.SmallIntegerField(help_text="ratings.core.outcomes.Outcome")
    exclusion = models.CharField(max_length=40, blank=True, help_text="Empty where it counts.")
    pacing = models.CharField(
        max_length=40, blank=True, help_text="As the battle was paced; empty where it was not."
    )

    class Meta:
        ordering = ["sequence"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__gte=0, outcome__lte=3), name="outcome_known"
            ),
            models.CheckConstraint(
                condition=~Q(model_a=F("model_b")), name="rated_vote_of_two_models"
            ),
        ]

    def __str__(self) -> str:
        return f"vote {self.sequence}"


class Cube(models.Model):
    """How often each outcome was voted in one cell. Cells of any votes add up."""

    category = models.SmallIntegerField(help_text="Number of a VoteCategory; 0 is every vote.")
    exclusion = models.CharField(max_length=40, blank=True, help_text="Empty where they count.")
    model_a = models.IntegerField(help_text="Shown first.")
    model_b = models.IntegerField()
    # No check that these are positive: it would refuse the negative rows by which an upsert
    # takes votes out of a cell. The fold looks at what it leaves instead.
    a_wins = models.BigIntegerField()
    b_wins = models.BigIntegerField()
    ties = models.BigIntegerField()
    both_bad = models.BigIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"category {self.category}: {self.model_a} shown before {self.model_b}"


class OutcomeCube(Cube):
    """All days together: what boards are fitted from, at a cost that votes do not raise."""

    pk = models.CompositePrimaryKey("category", "exclusion", "model_a", "model_b")

    class Meta:
        ordering = ["category", "exclusion", "model_a", "model_b"]


class DailyCube(Cube):
    """One day (UTC): any period is a sum of these."""

    pk = models.CompositePrimaryKey("category", "exclusion", "model_a", "model_b", "day")
    day = models.DateField()

    class Meta:
        ordering = ["day", "category", "exclusion", "model_a", "model_b"]


class PacingCount(models.Model):
    """How many votes of a category were cast under one pacing."""

    pk = models.CompositePrimaryKey("category", "exclusion", "pacing")
    category = models.SmallIntegerField(help_text="Number of a VoteCategory; 0 is every vote.")
    exclusion = models.CharField(max_length=40, blank=True, help_text="Empty where they count.")
    pacing = models.CharField(max_length=40, blank=True, help_text="Empty where there was none.")
    votes = models.BigIntegerField()

    class Meta:
        ordering = ["category", "exclusion", "pacing"]

    def __str__(self) -> str:
        return f"category {self.category}: {self.votes} votes paced {self.pacing or 'none'}"


class FoldCursor(models.Model):
    """How much of the ledger is in the rows and cubes; there is one row at most."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_cursor")]

    def __str__(self) -> str:
        return f"ledger read up to {self.sequence}"
