"""What one voter, or one network, may have generated: tokens over time, battles at one time.

Counted from the database, so that nothing is forgotten with the cache or a restart. Knows nothing
of requests, which `arena.limits` counts, and nothing of money. See docs/limits.md.
"""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet, Sum, Window
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from arena.answer_tokens import answers_with_tokens, tokens_to_come
from arena.errors import RateLimitedError
from arena.limits import network_key
from arena.memo import remembered
from arena.models import Answer
from arena.rate_limits import RateLimit

# When an answer ends nobody knows; this is about how long a short one takes.
RETRY_SECONDS = 5
# That a network has tokens left is believed for this part of its window: 17 s of a day.
WINDOW_SHARE_REMEMBERED = 5000


def generation_allow(*, voter_id: uuid.UUID, address: str) -> None:
    """Raise RateLimitedError unless this voter may have one more turn answered now.

    Call it as the first thing in the transaction that writes the answers: it takes advisory locks
    on voter and network, which hold until that transaction ends, so that of two requests at one
    moment the second sees the answers of the first. Rows are locked after it, never before, or
    two requests could wait for each other.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("generation_allow must be called inside a transaction")
    token_limits = [limit for limit in settings.ARENA_RATE_LIMITS if limit.action == "tokens"]
    battle_limits = settings.ARENA_CONCURRENT_BATTLES
    keys = {"voter": voter_id.hex, "network": network_key(address)}
    theirs = {
        "voter": Q(turn__battle__voter_id=voter_id),
        "network": Q(turn__battle__network=keys["network"]),
    }
    scopes = {limit.scope for limit in token_limits} | {limit.scope for limit in battle_limits}
    _lock(f"{scope}:{keys[scope]}" for scope in scopes)
    for at_once in battle_limits:
        generating = Answer.objects.filter(theirs[at_once.scope], state__in=Answer.GENERATING)
        if generating.values("turn__battle").distinct().count() >= at_once.count:
            raise RateLimitedError(retry_after=RETRY_SECONDS)
    for limit in token_limits:
        wait = _tokens_wait(theirs=theirs[limit.scope], limit=limit, key=keys[limit.scope])
        if wait is not None:
            raise RateLimitedError(retry_after=wait)


def _lock(names: Iterable[str]) -> None:
    """Take a lock for each name until the transaction ends, always in the same order."""
    digests = (hashlib.sha256(f"arena.quotas:{name}".encode()).digest() for name in names)
    numbers = sorted(int.from_bytes(digest[:8], signed=True) for digest in digests)
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _tokens_wait(*, theirs: Q, limit: RateLimit, key: str) -> int | None:
    """Seconds until fewer than `limit.count` tokens are in the window; None when it is so now."""

    def wait() -> int | None:
        return _tokens_wait_now(theirs=theirs, limit=limit)

    rest = limit.seconds // WINDOW_SHARE_REMEMBERED
    # A voter's answers are found at once; a day of a network's takes the database a while.
    if limit.scope == "network" and rest:
        name = f"arena.quotas.room.{limit.count}.{limit.seconds}.{key}"
        if remembered(name, lambda: wait() is None, seconds=rest):
            return None
    return wait()


def _tokens_wait_now(*, theirs: Q, limit: RateLimit) -> int | None:
    now = timezone.now()
    window = timedelta(seconds=limit.seconds)
    answers = Answer.objects.filter(theirs, created_at__gt=now - window)
    # Answers in the making may grow to their limit.
    reserved = sum(tokens_to_come(answers).values())
    if _full_since(answers, limit.count - reserved) is None:
        return None
    full_since = _full_since(answers, limit.count)
    if full_since is None:
        return RETRY_SECONDS  # most of them end sooner than at their limit
    return max(1, math.ceil((full_since + window - now).total_seconds()))


def _full_since(answers: QuerySet[Answer], count: int) -> datetime | None:
    """When the answer was made whose leaving the window brings its tokens below `count`.

    From the newest answer back it is the one where the sum reaches `count`; None if none does.
    """
    newest_first = answers_with_tokens(answers).annotate(
        total=Window(
            Sum(F("tokens_in") + F("tokens_out")),
            order_by=[F("created_at").desc(), F("pk").desc()],
        )
    )
    full = newest_first.filter(total__gte=count).order_by("-created_at")
    return full.values_list("created_at", flat=True).first()
