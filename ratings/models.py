"""Published ratings: snapshots, which are never changed once they can be seen, and their rows.

Knows nothing of how ratings are fitted; what a snapshot was made from and with stands in it, so
that one can be made again and compared. The votes as ratings keep them are in
`ratings.vote_models`, what is said of voters in `ratings.voter_models`.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from inference.models import LanguageModel
from ratings.vote_models import (
    DailyCube,
    FoldCursor,
    OutcomeCube,
    PacingCount,
    RatedVote,
    VoteCategory,
)
from ratings.voter_models import VoterFlag, VoterQuality, VoterReview

__all__ = [
    "DailyCube",
    "FoldCursor",
    "OutcomeCube",
    "PacingCount",
    "RatedVote",
    "RatingEntry",
    "RatingSnapshot",
    "VoteCategory",
    "VoterFlag",
    "VoterQuality",
    "VoterReview",
]


class RatingSnapshot(models.Model):
    """One fit of one selection of votes, complete from the moment it can be seen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=200, blank=True, help_text="What asked for the fit.")
    method = models.CharField(max_length=40)
    filters = models.JSONField(help_text="Which of the votes: category, style control.")
    category = models.GeneratedField(
        expression=Coalesce(
            KT("filters__category"), models.Value("overall", output_field=models.TextField())
        ),
        output_field=models.CharField(max_length=40),
        db_persist=True,
    )
    style_control = models.GeneratedField(
        expression=Cast(
            Coalesce(
                KT("filters__style_control"), models.Value("false", output_field=models.TextField())
            ),
            models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    parameters = models.JSONField(help_text="How they were rated: ties, level, scale, draws.")
    seed = models.PositiveBigIntegerField()
    versions = models.JSONField(help_text="Of this software and of what computed the numbers.")
    ledger_sequence = models.PositiveBigIntegerField(
        help_text="Newest ledger entry that was read; 0 while the ledger was empty."
    )
    ledger_hash = models.CharField(max_length=64)
    signed_head = models.JSONField(
        default=dict, blank=True, help_text="That entry's head as arena.ledger_heads signed it."
    )
    funnel = models.JSONField(help_text="Votes: raw, counted, and by reason those left out.")
    cells = models.JSONField(
        help_text="Counted votes, a row each ordered pair: model ids, a wins, b wins, ties, "
        "both bad."
    )
    left_out = models.JSONField(
        default=list,
        help_text="Ledger sequences of counted votes that it leaves out, their voters being "
        "flagged; their digest is in the parameters. Never published: they would say which votes "
        "are of one voter.",
    )
    input_digest = models.CharField(
        max_length=64, help_text="SHA-256 of everything that the numbers follow from."
    )
    notes = models.JSONField(default=list, help_text="What a reader of the numbers must know.")
    effects = models.JSONField(
        default=list, help_text="Style coefficients: name, value, se, lower, upper, in log-odds."
    )
    degrees_of_freedom = models.FloatField(
        null=True, help_text="Of the intervals' t distribution; null is the normal one."
    )
    covariance = models.BinaryField(
        null=True,
        help_text="Of the ratings, packed by ratings.covariance; dropped when history is thinned.",
    )

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["-created_at"], name="snapshot_newest_first"),
            models.Index(
                fields=["category", "style_control", "-created_at"], name="snapshot_newest_of_board"
            ),
        ]

    def __str__(self) -> str:
        return f"snapshot {self.id}"

    @property
    def ledger_head(self) -> dict[str, int | str]:
        """The head of the vote ledger that the snapshot was made from; signed, but in old ones."""
        return self.signed_head or {"sequence": self.ledger_sequence, "hash": self.ledger_hash}


class RatingEntry(models.Model):
    """What a snapshot says of one model: numbers, or the reason why there are none."""

    snapshot = models.ForeignKey(RatingSnapshot, on_delete=models.CASCADE, related_name="entries")
    model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="ratings")
    rating = models.FloatField(null=True, help_text="Points; the rated models' mean is 1000.")
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    se = models.FloatField(null=True, help_text="Standard error of the rating, in points.")
    rank = models.PositiveIntegerField(null=True)
    rank_low = models.PositiveIntegerField(null=True, help_text="Best rank that is left open.")
    rank_high = models.PositiveIntegerField(null=True, help_text="Worst rank that is left open.")
    votes = models.PositiveIntegerField()
    excluded = models.PositiveIntegerField(
        default=0,
        help_text="Votes that it took part in and that could have counted, but do not.",
    )
    exclusions = models.JSONField(default=dict, help_text="The excluded votes by reason.")
    component = models.PositiveIntegerField(
        null=True, help_text="Group that chains of votes connect; 0 is the largest."
    )
    reason = models.CharField(max_length=200, blank=True, help_text="Why a number is missing.")

    class Meta:
        ordering = ["snapshot", "rank", "-votes", "model"]
        verbose_name_plural = "rating entries"
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "model"], name="model_rated_once"),
            # NaN and infinity are greater than every number in PostgreSQL.
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gt=-1e9, rating__lt=1e9),
                name="rating_finite",
            ),
            # A comparison with a missing number refuses nothing, so presence is asked for too.
            models.CheckConstraint(
                condition=Q(lower__isnull=True, upper__isnull=True, se__isnull=True)
                | Q(
                    rating__isnull=False,
                    lower__isnull=False,
                    upper__isnull=False,
                    se__isnull=False,
                    se__gt=0,
                    lower__gt=-1e9,
                    lower__lte=F("rating"),
                    upper__gte=F("rating"),
                    upper__lt=1e9,
                ),
                name="interval_around_rating",
            ),
            models.CheckConstraint(
                condition=Q(
                    rating__isnull=True,
                    rank__isnull=True,
                    rank_low__isnull=True,
                    rank_high__isnull=True,
                )
                | Q(
                    rating__isnull=False,
                    rank__isnull=False,
                    rank_low__isnull=False,
                    rank_low__gte=1,
                    rank_low__lte=F("rank"),
                    rank_high__isnull=False,
                    rank_high__gte=F("rank"),
                ),
                name="rank_within_its_range",
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=False, lower__isnull=False) | ~Q(reason=""),
                name="missing_number_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} in {self.snapshot}"
