"""The HTTP status of what a service refuses. Knows nothing of how a page shows it."""

from __future__ import annotations

from django.http.response import HttpResponseBase

from arena.errors import ArenaError, RateLimitedError

_STATUSES = {
    "not_found": 404,
    "ballot_spent": 409,
    "not_votable": 409,
    "not_generating": 409,
    "not_retryable": 409,
    "rate_limited": 429,
    "no_live_models": 503,
}


def refusal_status(error: ArenaError) -> int:
    return _STATUSES.get(error.code, 400)


def refusal_mark(response: HttpResponseBase, error: ArenaError) -> None:
    """Tell programs when to come back, where that is known."""
    if isinstance(error, RateLimitedError):
        response["Retry-After"] = str(error.retry_after)
