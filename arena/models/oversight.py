"""What people and moderators said of prompts and answers, and what follows from it.

Knows nothing of votes, ratings or pages.
"""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from arena.models.battles import Answer, Turn, Voter


class AnswerReport(models.Model):
    """A voter's word that an answer should not stand, and what a moderator decided."""

    class Reason(models.TextChoices):
        HARMFUL = "harmful"
        ILLEGAL = "illegal"
        PERSONAL_DATA = "personal_data"
        OTHER = "other"

    class State(models.TextChoices):
        OPEN = "open"
        UPHELD = "upheld"
        DISMISSED = "dismissed"

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="reports")
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT, related_name="reports")
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "voter"], name="answer_reported_once"),
            models.CheckConstraint(
                condition=Q(reason__in=["harmful", "illegal", "personal_data", "other"]),
                name="report_reason_known",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True)
                | Q(state__in=["upheld", "dismissed"], decided_at__isnull=False),
                name="report_decided_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"report of {self.answer}"


class ModerationPolicy(models.Model):
    """What is done when a moderator scores a category at or above a threshold."""

    class Action(models.TextChoices):
        OFF = "off"
        LOG = "log"
        WARN = "warn"
        BLOCK = "block"

    category = models.CharField(max_length=60, unique=True)
    action = models.CharField(max_length=5, choices=Action, default=Action.LOG)
    threshold = models.FloatField(
        default=0.5, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )

    class Meta:
        ordering = ["category"]
        verbose_name_plural = "moderation policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=["off", "log", "warn", "block"]),
                name="moderation_action_known",
            ),
            models.CheckConstraint(
                condition=Q(threshold__gte=0, threshold__lte=1), name="moderation_threshold_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category}: {self.action} from {self.threshold}"


class ModerationFinding(models.Model):
    """A moderator's score above a policy's threshold, for a prompt (no answer) or an answer.

    A blocked prompt starts no turn, so it leaves a count in the metrics and no row here.
    """

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="findings")
    answer = models.ForeignKey(
        Answer, on_delete=models.CASCADE, null=True, blank=True, related_name="findings"
    )
    category = models.CharField(max_length=60)
    score = models.FloatField()
    action = models.CharField(max_length=5, choices=ModerationPolicy.Action)
    moderator = models.CharField(max_length=100, help_text="Name and version.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=["log", "warn", "block"]), name="finding_action_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} in {self.answer or self.turn}"


class SpentChallenge(models.Model):
    """A proof of work that has been handed in, so that it is taken once."""

    digest = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["expires_at"]

    def __str__(self) -> str:
        return self.digest
