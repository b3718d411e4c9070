"""Whose address counts: that of the peer, or what proxies that are trusted say of theirs.

Knows no Django and no limits.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# "198.51.100.1:4711" and "[2001:db8::1]:4711", as some proxies write it.
_WITH_PORT = re.compile(r"(?P<ipv4>[0-9.]+):\d+|\[(?P<ipv6>[^\]]*)\](:\d+)?")


def client_address(*, peer: str, forwarded_for: str, trusted: Sequence[str]) -> str:
    """The client's address: the last hop of X-Forwarded-For that a trusted proxy vouches for.

    `forwarded_for` holds all headers of that name, in order, joined by commas. What comes from
    anybody else than a trusted proxy is only a claim, and is not looked at. A hop that is no
    address ("unknown", or nothing at all) ends the search: what stands before it was vouched for
    by nobody known. Ports, IPv6 zones and IPv4 addresses in IPv6 clothes are taken off.
    """
    networks = _networks(tuple(trusted))
    parsed = _address(peer)
    if parsed is None:
        return peer
    for hop in reversed(forwarded_for.split(",")):
        if not any(parsed in network for network in networks):
            break
        before = _address(hop)
        if before is None:
            break
        parsed = before
    return str(parsed)


def network_of(address: str) -> Network | None:
    """The /24 or /56 that an address belongs to; None for something that is none."""
    parsed = _address(address)
    if parsed is None:
        return None
    prefix = 24 if parsed.version == 4 else 56
    return ipaddress.ip_network((parsed, prefix), strict=False)


def proxies_check(entries: Sequence[str]) -> list[str]:
    """TRUSTED_PROXIES as they are. Raises ValueError, naming the first that is no network."""
    for entry in entries:
        try:
            _networks((entry,))
        except ValueError:
            raise ValueError(
                f"TRUSTED_PROXIES holds {entry!r}: give addresses or networks such as 10.0.0.0/8, "
                "separated by commas"
            ) from None
    return list(entries)


@lru_cache(maxsize=8)
def _networks(entries: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(entry.strip(), strict=False) for entry in entries)


def _address(text: str) -> Address | None:
    """The address in `text`, without port, brackets and zone; None for something that is none."""
    text = text.strip()
    if match := _WITH_PORT.fullmatch(text):
        text = match["ipv4"] or match["ipv6"] or ""
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
