"""A proof of work: the puzzle that is given out, and whether what comes back solves it.

By the scheme of ALTCHA (https://altcha.org), version 2, and its package: find the counter from 0
up to a limit whose PBKDF2 key begins as the challenge says. Everything is in the signed challenge
itself, so nothing is kept of one that is never handed in. Knows no database; that a proof is taken
once is up to `arena.services.challenges`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import altcha
from django.conf import settings
from django.utils.crypto import salted_hmac

from arena.errors import ChallengeFailedError, ChallengeRequiredError

# Browsers have this one built in, so that a rigger's own program is not much faster than a page.
ALGORITHM = "PBKDF2/SHA-256"
# Iterations of each key. One key takes about half a millisecond, on a page and here.
ITERATIONS = 1000
LIFETIME = timedelta(minutes=20)
# A solved challenge of ours has about 700 characters.
MAX_PAYLOAD_CHARACTERS = 4096


@dataclass(frozen=True)
class ChallengeProof:
    """A challenge that was solved. `digest` (SHA-256, hex) is its own and no other's."""

    digest: str
    expires_at: datetime


def challenge_new(*, difficulty: int, now: datetime) -> dict[str, Any]:
    """A fresh challenge as JSON; costs the server one key.

    The client has to try `difficulty` keys at most, and half as many on average.
    """
    signing, solving = _secrets()[0]
    challenge = altcha.create_challenge(
        ALGORITHM,
        ITERATIONS,
        counter=secrets.randbelow(difficulty),
        expires_at=int((now + LIFETIME).timestamp()),
        hmac_secret=signing,
        hmac_key_secret=solving,
    )
    return challenge.to_dict()


def challenge_verify(*, payload: object) -> ChallengeProof:
    """The proof in what a client sent: Base64 of JSON, `{"challenge": …, "solution": …}`.

    Raises ChallengeRequiredError for nothing at all, ChallengeFailedError for what is no solution
    of a challenge of ours, or of one that has expired.
    """
    if payload is None or payload == "":
        raise ChallengeRequiredError
    if not isinstance(payload, str) or len(payload) > MAX_PAYLOAD_CHARACTERS:
        raise ChallengeFailedError("The proof of work must be Base64 of a solved challenge.")
    for signing, solving in _secrets():
        result = altcha.verify_solution(payload, signing, hmac_key_secret=solving)
        if result.verified:
            return _proof(altcha.Payload.from_base64(payload).challenge.parameters)
        if result.expired:
            raise ChallengeFailedError("The proof of work has expired; please solve a new one.")
    raise ChallengeFailedError("The proof of work does not hold; please solve a new one.")


def _proof(parameters: altcha.ChallengeParameters) -> ChallengeProof:
    expires_at = parameters.expires_at
    if expires_at is None:
        raise ChallengeFailedError("The proof of work never expires, so it is none of ours.")
    return ChallengeProof(
        digest=hashlib.sha256(parameters.nonce.encode()).hexdigest(),
        expires_at=datetime.fromtimestamp(expires_at, UTC),
    )


def _secrets() -> Sequence[tuple[bytes, bytes]]:
    """Keys for signing challenges and for signing solutions; the newest first."""
    return [
        (
            salted_hmac("arena.challenge.signature", "", secret=key, algorithm="sha256").digest(),
            salted_hmac("arena.challenge.solution", "", secret=key, algorithm="sha256").digest(),
        )
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
