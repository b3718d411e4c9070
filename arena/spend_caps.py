"""The grammar of ARENA_SPEND_CAPS. Knows no Django and no prices; `arena.spending` does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


def spend_caps_parse(text: str) -> Mapping[str, Decimal]:
    """`"api.openai.com=25 api.anthropic.com=10.50"`: US dollars a day by an endpoint's host.

    An empty text means no caps; a cap of 0 means that a provider is not asked at all. Raises
    ValueError, naming the part that cannot be read.
    """
    caps: dict[str, Decimal] = {}
    for part in text.split():
        host, _, amount = part.lower().partition("=")
        try:
            dollars = Decimal(amount)
        except InvalidOperation:
            dollars = Decimal(-1)
        if not _HOST.fullmatch(host) or not dollars.is_finite() or dollars < 0:
            raise ValueError(
                f"ARENA_SPEND_CAPS: {part!r} is not HOST=DOLLARS, such as api.openai.com=25"
            )
        if host in caps:
            raise ValueError(f"ARENA_SPEND_CAPS: {host} is there twice")
        caps[host.strip("[]")] = dollars
    return MappingProxyType(caps)
