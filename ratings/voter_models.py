"""Reviews of the voters: what the tests and the numbers of each said, and whom they flag.

A flag is shown and decides nothing. Knows nothing of how a voter is tested.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from arena.models import Voter


class VoterReview(models.Model):
    """One look at all voters, as of one entry of the ledger."""

    created_at = models.DateTimeField(auto_now_add=True)
    ledger_sequence = models.PositiveBigIntegerField(help_text="Newest entry that was read.")
    version = models.CharField(max_length=40, help_text="Of the tests.")
    level = models.FloatField(help_text="Of flagging anybody honest where nobody rigs.")
    seed = models.PositiveBigIntegerField()
    voters = models.PositiveIntegerField(help_text="Who has votes that were looked at.")
    tested = models.PositiveIntegerField(help_text="Who has enough decided votes to be tested.")
    votes = models.PositiveIntegerField()
    taste_sd = models.FloatField(help_text="Of tastes for a model, as estimated, in log-odds.")
    site = models.JSONField(help_text="Of all voters together: published.")
    models_favoured = models.JSONField(
        default=list, help_text="Models that more voters favour or slight than tastes explain."
    )
    notes = models.JSONField(default=list)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"review {self.pk} of the voters"


class VoterFlag(models.Model):
    """A voter whose votes honest people's tastes and lapses do not explain. No verdict."""

    review = models.ForeignKey(VoterReview, on_delete=models.CASCADE, related_name="flags")
    # Erasing a person takes the flags along.
    voter = models.ForeignKey(Voter, on_delete=models.CASCADE, related_name="flags")
    test = models.CharField(max_length=20)
    statistic = models.FloatField(help_text="The p-value as a normal deviate.")
    p_value = models.FloatField()
    adjusted_p = models.FloatField(help_text="By Holm's method over all voters tested.")
    signs = models.JSONField(
        default=list,
        help_text="What speaks against the voter besides, without which nothing follows.",
    )
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-review", "adjusted_p", "p_value"]
        constraints = [
            models.UniqueConstraint(fields=["review", "voter"], name="voter_flagged_once"),
            models.CheckConstraint(
                condition=Q(p_value__gte=0, p_value__lte=1, adjusted_p__gte=0, adjusted_p__lte=1),
                name="flag_has_probabilities",
            ),
        ]

    def __str__(self) -> str:
        return f"flag of {self.voter}"


class VoterQuality(models.Model):
    """Numbers of one voter in the newest review. A missing one could not be measured."""

    review = models.ForeignKey(VoterReview, on_delete=models.CASCADE, related_name="qualities")
    voter = models.OneToOneField(Voter, on_delete=models.CASCADE, related_name="quality")
    votes = models.PositiveIntegerField()
    ties = models.FloatField(help_text="Share of the votes that are ties or both bad.")
    first = models.FloatField(null=True, help_text="Share of decided votes for the first shown.")
    first_excess = models.FloatField(
        null=True, help_text="That share less what the models explain."
    )
    first_lower = models.FloatField(null=True)
    first_upper = models.FloatField(null=True)
    first_p = models.FloatField(null=True, help_text="Of no preferred side; two-sided.")
    agreement = models.FloatField(
        null=True, help_text="Share of decided votes for the model that the others rate higher."
    )
    agreement_lower = models.FloatField(null=True)
    agreement_upper = models.FloatField(null=True)
    agreement_expected = models.FloatField(
        null=True, help_text="Of somebody who votes as the others do."
    )
    retests = models.PositiveIntegerField(
        default=0, help_text="The same two models on the same prompt again."
    )
    retests_same = models.PositiveIntegerField(default=0, help_text="Voted the same way.")
    retests_reversed = models.PositiveIntegerField(
        default=0, help_text="Voted for the other model."
    )
    seconds = models.FloatField(null=True, help_text="From the last answer's end to vote; median.")
    too_fast = models.PositiveIntegerField(default=0, help_text="Votes too fast to have read.")
    gold_seen = models.PositiveIntegerField(default=0)
    gold_failed = models.PositiveIntegerField(
        default=0, help_text="Votes for the answer that was spoilt on purpose."
    )

    class Meta:
        ordering = ["-votes", "voter"]
        verbose_name_plural = "voter qualities"

    def __str__(self) -> str:
        return f"quality of {self.voter}"
