"""How tests of the client ask a model."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from inference.client import Delta, Finish, ModelClient, ReasoningDelta, TextDelta
from inference.dialects import ChatMessage
from inference.endpoint_pool import EndpointAddress
from inference.network_guard import NetworkGuard

LOOPBACK = NetworkGuard(networks=[ipaddress.ip_network("127.0.0.0/8")])


def address(url: str, **fields: Any) -> EndpointAddress:
    return EndpointAddress(**{"base_url": url, "name": "m", **fields})


async def deltas(client: ModelClient, *endpoints: EndpointAddress, **sampling: Any) -> list[Delta]:
    """All that comes of one question."""
    stream = client.stream(
        endpoints=endpoints, messages=[ChatMessage("user", "Hi")], sampling=sampling
    )
    return [delta async for delta in stream]


async def answer(client: ModelClient, *endpoints: EndpointAddress) -> tuple[str, str, Finish]:
    """Text, reasoning and finish of one answer."""
    return parts(await deltas(client, *endpoints))


def parts(found: Sequence[Delta]) -> tuple[str, str, Finish]:
    text = "".join(delta.text for delta in found if isinstance(delta, TextDelta))
    reasoning = "".join(delta.text for delta in found if isinstance(delta, ReasoningDelta))
    assert isinstance(found[-1], Finish)
    return text, reasoning, found[-1]
