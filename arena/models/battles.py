"""Voter, battle, turn and answer: who asked what, and what either side said.

Knows nothing of votes, ratings, pages or transport. Constraints stand here first: what the database
refuses, no service can get wrong.
"""

from __future__ import annotations

import secrets
import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5

from inference.models import LanguageModel


def ballot_token() -> str:
    """128 random bits: a ballot can be neither guessed nor derived from a battle's address."""
    return secrets.token_urlsafe(16)


class Voter(models.Model):
    """An anonymous person, known by a signed cookie only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"voter {self.id}"


class Battle(models.Model):
    """Two models, one voter, one conversation. Side a is shown first (left, or above)."""

    class Mode(models.TextChoices):
        BATTLE = "battle"
        SIDE_BY_SIDE = "side_by_side"
        DIRECT = "direct"

    class State(models.TextChoices):
        GENERATING = "generating"
        VOTABLE = "votable"
        VOTED = "voted"
        FAILED = "failed"
        ABANDONED = "abandoned"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.BATTLE)
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT, related_name="battles")
    model_a = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="+")
    model_b = models.ForeignKey(
        LanguageModel, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    sampler = models.CharField(max_length=100, blank=True, help_text="Name and version.")
    probability = models.FloatField(
        null=True,
        blank=True,
        help_text="Of drawing this pair from this pool, sides not told apart.",
    )
    pool = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="Models the pair was drawn from.",
    )
    excluded_pairs = models.JSONField(
        default=list,
        blank=True,
        help_text="Pairs that this voter was not to meet, as [id, id]; `probability` knows of it.",
    )
    pacing = models.CharField(
        max_length=40,
        default="none",
        help_text='How fast answers were shown: "none" as they came, or name and speed.',
    )
    gold_side = models.CharField(
        max_length=1, blank=True, help_text="The side that was spoilt on purpose, in a gold battle."
    )
    network = models.CharField(
        max_length=64, blank=True, help_text="Keyed hash of the address's prefix; holds no address."
    )
    consent_version = models.CharField(max_length=20)
    created_at = models.DateTimeField(auto_now_add=True)
    # Readers that do not share a process with the generating one say here that they still watch.
    watched_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["voter", "-created_at"], name="battle_of_voter"),
            models.Index(fields=["network", "-created_at"], name="battle_of_network"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(mode__in=["battle", "side_by_side", "direct"]),
                name="battle_mode_known",
            ),
            models.CheckConstraint(
                condition=Q(mode="direct", model_b__isnull=True)
                | (Q(mode__in=["battle", "side_by_side"]) & ~Q(model_a=F("model_b"))),
                name="battle_of_two_models",
            ),
            models.CheckConstraint(
                condition=~Q(mode="battle")
                | Q(probability__gt=0, probability__lte=1, model_b__isnull=False),
                name="battle_probability_logged",
            ),
            models.CheckConstraint(
                condition=Q(gold_side="") | Q(gold_side__in=["a", "b"], mode="battle"),
                name="gold_battle_is_anonymous",
            ),
        ]

    def __str__(self) -> str:
        return f"battle {self.id}"

    def language_model(self, side: str) -> LanguageModel:
        """The model on side "a" or "b"; a direct chat has no side b."""
        model = self.model_a if side == "a" else self.model_b
        if model is None:
            raise ValueError(f"battle {self.id} has no side {side!r}")
        return model


class Turn(models.Model):
    """One prompt to both sides, and the ballot that one vote on it spends."""

    battle = models.ForeignKey(Battle, on_delete=models.CASCADE, related_name="turns")
    index = models.PositiveSmallIntegerField()
    prompt = models.TextField()
    ballot = models.CharField(max_length=32, unique=True, default=ballot_token, editable=False)
    stop_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["battle", "index"]
        constraints = [
            models.UniqueConstraint(fields=["battle", "index"], name="turn_index_unique"),
        ]
        # How often a prompt has been asked; the whole text is too long for an index.
        indexes = [models.Index(MD5("prompt"), name="turn_by_prompt")]

    def __str__(self) -> str:
        return f"turn {self.index} of battle {self.battle_id}"


class Answer(models.Model):
    """What one side said to one turn. A regenerated answer is a new attempt; old ones stay."""

    class State(models.TextChoices):
        PENDING = "pending"
        STREAMING = "streaming"
        COMPLETE = "complete"
        STOPPED = "stopped"
        FAILED = "failed"
        ABANDONED = "abandoned"

    GENERATING = (State.PENDING, State.STREAMING)

    class Error(models.TextChoices):
        """What went wrong, in words that are the same for every model and provider."""

        UNAVAILABLE = "model_unavailable"
        BUSY = "model_busy"
        REFUSED = "model_refused"
        TIMEOUT = "model_timeout"
        EMPTY = "empty_answer"
        ENDLESS = "endless_answer"
        TOO_LONG = "conversation_too_long"
        INTERRUPTED = "interrupted"
        MODERATED = "answer_moderated"

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="answers")
    side = models.CharField(max_length=1, choices=[("a", "a"), ("b", "b")])
    attempt = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    text = models.TextField(blank=True)
    error = models.CharField(max_length=30, choices=Error, blank=True)
    error_detail = models.TextField(
        blank=True, help_text="For operators: may hold a provider's words; never sent to a voter."
    )
    leak = models.CharField(
        max_length=200, blank=True, help_text="Words by which the assistant named itself."
    )
    finish_reason = models.CharField(max_length=30, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    first_token_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # The process that generates saves every second; silence means that it is gone.
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["turn", "side", "attempt"]
        constraints = [
            models.UniqueConstraint(fields=["turn", "side", "attempt"], name="attempt_unique"),
            models.CheckConstraint(condition=Q(side__in=["a", "b"]), name="side_known"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "pending", "streaming", "complete", "stopped", "failed", "abandoned",
                    ]
                ),
                name="answer_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="failed", error__gt="") | (~Q(state="failed") & Q(error="")),
                name="failed_answer_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state="complete") | ~Q(text=""), name="complete_answer_has_text"
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["created_at"], name="answer_by_time"),
            models.Index(
                fields=["saved_at"],
                condition=Q(state__in=["pending", "streaming"]),
                name="answer_generating",
            ),
        ]

    def __str__(self) -> str:
        return f"answer {self.side} to {self.turn}"
