"""What is remembered in the cache for a while, and looked up anew where the cache does not answer.

For answers that cost the database something and may be a little old. Knows not what they are.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

Value = TypeVar("Value")

# Looking takes at most a twentieth of the time, however slow it has become.
TIMES_AS_LONG = 20
# While one caller looks anew the others go on with what was found before, but not for ever.
STALE_SECONDS = 60


def remembered(key: str, look_up: Callable[[], Value], *, seconds: float) -> Value:
    """What `look_up` returned, `seconds` ago or a little more; one caller at a time looks anew.

    `key` may hold anything that keys of the cache may. Raises what `look_up` raises.
    """
    looking = f"{key}.looking"
    try:
        held: tuple[Value, float] | None = cache.get(key)
        if held is not None:
            value, until = held
            if time.time() < until or not cache.add(looking, 1, timeout=STALE_SECONDS):
                return value
        began = time.time()
        value = look_up()
        lasts = max(seconds, TIMES_AS_LONG * (time.time() - began))
        cache.set(key, (value, time.time() + lasts), timeout=lasts + STALE_SECONDS)
        cache.delete(looking)
    except RedisError:
        logger.exception("nothing is remembered: Redis does not answer")
        return look_up()
    return value
