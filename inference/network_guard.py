"""Keeps prompts and keys off private networks: every connection goes to an address checked here.

Knows no Django, no dialect and no registry. The check comes after the name was resolved, and the
connection goes to the very address that was checked, so that a name cannot change its mind.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from inference.errors import AddressRefusedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ANY = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def networks_parse(text: str) -> tuple[Network, ...]:
    """Read ENDPOINT_NETWORKS: `10.0.0.0/8,fd00::/8`, one address, `any`, or nothing.

    Raises ValueError with one line for what is no network.
    """
    networks: list[Network] = []
    for entry in (part.strip() for part in text.split(",")):
        if entry.lower() == "any":
            networks += ANY
        elif entry:
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                raise ValueError(
                    f"ENDPOINT_NETWORKS holds {entry!r}: give networks such as 10.0.0.0/8 or"
                    " 127.0.0.1/32, separated by commas, or any"
                ) from None
    return tuple(networks)


@dataclass(frozen=True)
class NetworkGuard:
    """Which addresses may be connected to: public ones, and those in `networks`.

    `own_url` is the own inference service, which is always allowed, on its port.
    """

    networks: Collection[Network] = ()
    own_url: str = ""

    def problem(self, address: str) -> str:
        """Why this IP address may not be connected to; "" when it may."""
        parsed = ipaddress.ip_address(address)
        forms = _forms(parsed)
        if all(_is_public(form) for form in forms):
            return ""
        if any(form in network for form in (parsed, *forms) for network in self.networks):
            return ""
        return (
            f"{address} is not a public address: add its network to the setting ENDPOINT_NETWORKS"
            " if a model shall be asked there"
        )

    def literal_problem(self, url: str) -> str:
        """The same for the host of a URL where it is an address or localhost; "" for other names.

        What a name stands for is only known when it is used.
        """
        host = urlsplit(url).hostname or ""
        address = "127.0.0.1" if host.lower().rstrip(".") == "localhost" else host
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return ""
        return "" if self._is_own(host, _port(url)) else self.problem(address)

    def permitted(self, host: str, port: int, addresses: Sequence[str]) -> list[str]:
        """Those of a host's `addresses` that may be used. Raises AddressRefusedError for none."""
        if self._is_own(host, port):
            return list(addresses)
        problems = {address: self.problem(address) for address in addresses}
        permitted = [address for address in addresses if not problems[address]]
        if not permitted:
            said = "; ".join(problems.values()) or "it has no address"
            raise AddressRefusedError(said if host in problems else f"{host}: {said}")
        return permitted

    def _is_own(self, host: str, port: int) -> bool:
        return bool(self.own_url) and (host, port) == (
            urlsplit(self.own_url).hostname,
            _port(self.own_url),
        )


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens the connections of a pool, to permitted addresses only."""

    def __init__(self, guard: NetworkGuard) -> None:
        self._guard = guard
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore calls it with this name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        ends_at = None if timeout is None else loop.time() + timeout
        try:
            async with asyncio.timeout_at(ends_at):
                addresses = await _resolved(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} cannot be resolved: {error}") from error
        permitted = self._guard.permitted(host, port, addresses)
        for number, address in enumerate(permitted, start=1):
            share = None
            if ends_at is not None:
                # What is left, in equal parts: one dead address must not use up the others' time.
                share = max(0.0, ends_at - loop.time()) / (len(permitted) - number + 1)
            try:
                return _ClosedWhenCancelled(
                    await self._backend.connect_tcp(
                        address, port, share, local_address, socket_options
                    )
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(permitted):
                    raise
        raise httpcore.ConnectError(f"the name {host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefusedError(f"{path}: models are asked over TCP")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _ClosedWhenCancelled(httpcore.AsyncNetworkStream):
    """A connection that is closed when its TLS handshake is cancelled; httpcore leaves it open."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._stream.aclose()
            raise

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport, with a pool whose connections are opened by the guard."""

    def __init__(self, guard: NetworkGuard, *, keepalive_connections: int = 64) -> None:
        context: ssl.SSLContext = httpx.create_ssl_context()
        super().__init__(verify=context)
        # httpx has no public way to hand over a network backend.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=keepalive_connections,
            keepalive_expiry=5.0,
            network_backend=GuardedBackend(guard),
        )


def http_client(guard: NetworkGuard) -> httpx.AsyncClient:
    """Connections to permitted addresses; nothing of the environment is sent along.

    No redirects, no proxies, no .netrc, no cookies: a key goes to its endpoint only.
    """
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(
        transport=GuardedTransport(guard),
        follow_redirects=False,
        trust_env=False,
        cookies=jar,
        timeout=None,  # noqa: S113 - every wait has its limit here
    )


async def _resolved(host: str, port: int) -> list[str]:
    """The addresses that a name stands for. Raises OSError or UnicodeError for one without.

    A look-up cannot be cancelled. In a thread of its own, one that a dead name server keeps waiting
    holds up nobody else; the loop's few threads also save what the arena's answers say.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def settle(outcome: list[str] | Exception) -> None:
        if found.done():
            return  # whoever asked has left
        if isinstance(outcome, Exception):
            found.set_exception(outcome)
        else:
            found.set_result(outcome)

    def look_up() -> None:
        outcome: list[str] | Exception
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            outcome = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        except (OSError, UnicodeError) as error:
            outcome = error
        # A loop that was closed meanwhile has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=look_up, name="name-look-up", daemon=True).start()
    return await found


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _forms(address: Address) -> list[Address]:
    """The address, and the IPv4 address that it is a disguise of."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour:
        return [address, address.sixtofour]
    return [address]


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    return isinstance(address, ipaddress.IPv4Address) or address in _GLOBAL_UNICAST
