"""Rate limits: one policy for pages, REST and WebSocket.

Counts in the cache, in fixed windows, by voter and by network. A network is the keyed hash of an
address prefix (/24 or /56): the cache never holds an address.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import time
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from arena.errors import RateLimitedError

logger = logging.getLogger(__name__)


def limit_hit(*, action: str, voter_id: uuid.UUID, address: str) -> None:
    """Count one `action`; raise RateLimitedError when it is one too many."""
    keys = {"voter": voter_id.hex, "network": network_key(address)}
    now = time.time()
    for limit in settings.ARENA_RATE_LIMITS:
        if limit.action != action:
            continue
        window, elapsed = divmod(now, limit.seconds)
        key = hashlib.sha256(f"limit:{limit}:{keys[limit.scope]}:{window:.0f}".encode()).hexdigest()
        try:
            cache.add(key, 0, timeout=limit.seconds + 1)
            count = cache.incr(key)
        except ValueError:  # it expired between the two calls, or the cache was cleared
            continue
        except RedisError:
            # Without its Redis the arena goes on without limits rather than not at all.
            logger.exception("rate limits are not kept: Redis does not answer")
            return
        if count > limit.count:
            raise RateLimitedError(retry_after=max(1, int(limit.seconds - elapsed)))


def network_key(address: str) -> str:
    """A keyed hash of the network that `address` belongs to; "" for something that is none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    prefix = 24 if parsed.version == 4 else 56
    network = ipaddress.ip_network((parsed, prefix), strict=False)
    return salted_hmac("arena.limits.network", str(network)).hexdigest()


def client_address(*, peer: str, forwarded_for: str, trusted: Sequence[str]) -> str:
    """The client's address: the last hop of X-Forwarded-For that a trusted proxy vouches for.

    A header that comes from anybody else is only a claim, and is not looked at.
    """
    networks = [ipaddress.ip_network(entry, strict=False) for entry in trusted]

    def is_trusted(address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in networks)

    address = peer
    for hop in reversed([hop.strip() for hop in forwarded_for.split(",") if hop.strip()]):
        if not is_trusted(address):
            break
        address = hop
    return address
