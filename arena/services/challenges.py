"""Writes of proofs of work: each is taken once, and forgotten once it has expired."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from arena.challenge import challenge_verify
from arena.errors import ChallengeFailedError
from arena.models import SpentChallenge

# An expired proof is refused for that; its row is kept a little longer, since the clocks of the
# machines that verify and purge may differ.
KEPT_AFTER_EXPIRY = timedelta(hours=1)


def challenge_spend(*, payload: object) -> None:
    """Take the proof of work that a client sent. Does nothing where none is asked for.

    Call it inside the transaction of what the proof is for: when that is rolled back the proof is
    still good, and of two requests at one moment the second waits for the first and is refused.
    Raises ChallengeRequiredError (403) and ChallengeFailedError (400), also for a spent proof.
    """
    if not settings.ARENA_CHALLENGE:
        return
    proof = challenge_verify(payload=payload)
    try:
        with transaction.atomic():
            SpentChallenge.objects.create(digest=proof.digest, expires_at=proof.expires_at)
    except IntegrityError:
        raise ChallengeFailedError(
            "This proof of work has been used already; please solve a new one."
        ) from None


def challenges_purge() -> int:
    """Forget the spent proofs that have long expired; how many they were."""
    before = timezone.now() - KEPT_AFTER_EXPIRY
    deleted, _ = SpentChallenge.objects.filter(expires_at__lt=before).delete()
    return deleted
