"""Rate limits: one policy for pages, REST and WebSocket.

Counts requests in the cache, by voter and by network. A network is the keyed hash of an address
prefix (/24 or /56): the cache never holds an address. Knows nothing of battles and tokens, which
`arena.quotas` limits by what the database says. See docs/limits.md.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
import uuid
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from arena.client_addresses import network_of
from arena.errors import RateLimitedError
from arena.rate_limits import RateLimit

logger = logging.getLogger(__name__)

# Requests are counted in sixtieths of a limit's window. The sixty-one newest cover the whole of any
# window, so no window ever holds more than the limit, wherever it begins.
SLICES = 60


def limit_hit(*, action: str, voter_id: uuid.UUID, address: str) -> None:
    """Count one `action`; raise RateLimitedError when it is one too many, and count nothing then.

    Two requests at one moment never both pass where one may; at the very limit both may be told
    to come back.
    """
    keys = {"voter": voter_id.hex, "network": network_key(address)}
    now = time.time()
    counted: list[str] = []
    try:
        for limit in settings.ARENA_RATE_LIMITS:
            if limit.action != action:
                continue
            window = _Window(limit=limit, key=keys[limit.scope], now=now)
            if not window.count():  # the cache was emptied between two calls
                continue
            counted.append(window.keys[-1])
            wait = window.wait()
            if wait is not None:
                _uncount(counted)
                raise RateLimitedError(retry_after=max(1, math.ceil(wait)))
    except RedisError:
        # Without its Redis the arena goes on without limits rather than not at all.
        logger.exception("rate limits are not kept: Redis does not answer")


class _Window:
    """The sixty-one newest slices of one limit for one voter or network, the oldest first."""

    def __init__(self, *, limit: RateLimit, key: str, now: float) -> None:
        self._limit = limit
        self._now = now
        self._width = limit.seconds / SLICES
        self._newest = math.floor(now / self._width)
        self._indexes = range(self._newest - SLICES, self._newest + 1)
        self.keys = [
            hashlib.sha256(f"limit:{limit}:{key}:{index}".encode()).hexdigest()
            for index in self._indexes
        ]

    def count(self) -> bool:
        """Count one; False when the cache lost the count in between."""
        cache.add(self.keys[-1], 0, timeout=math.ceil(self._limit.seconds + self._width) + 1)
        try:
            cache.incr(self.keys[-1])
        except ValueError:
            return False
        return True

    def wait(self) -> float | None:
        """Seconds until the one just counted would fit; None if it fits now."""
        found: Mapping[str, int] = cache.get_many(self.keys)
        counts = [max(0, found.get(key, 0)) for key in self.keys]
        total = sum(counts)
        if total <= self._limit.count:
            return None
        for index, count in zip(self._indexes, counts, strict=True):
            total -= count
            if total <= self._limit.count:
                # The slice no longer counts once it is the sixty-second newest.
                return (index + SLICES + 1) * self._width - self._now
        raise AssertionError("with all slices gone nothing is counted")


def _uncount(keys: Iterable[str]) -> None:
    for key in keys:
        try:
            cache.decr(key)
        except ValueError:  # lost meanwhile, so it counts no more anyway
            continue


def network_key(address: str) -> str:
    """A keyed hash of the network that `address` belongs to; "" for something that is none."""
    network = network_of(address)
    if network is None:
        return ""
    return salted_hmac("arena.limits.network", str(network)).hexdigest()
