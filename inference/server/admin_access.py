"""Who may change which models are loaded: a program on this machine, or one with the token.

It knows addresses and headers; it knows no models.
"""

from __future__ import annotations

import ipaddress
import secrets

from starlette.requests import Request

from inference.server.api_error import ApiError

# Any of these says that the request came through a proxy, whose own address tells nothing.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def check_access(request: Request, token: str) -> None:
    """Raises ApiError 401 or 403 for a caller who is neither local nor has `token` (empty: none).

    A request with credentials is judged by them alone.
    """
    given = request.headers.get("authorization")
    if given is not None:
        scheme, _, secret = given.partition(" ")
        # A header's bytes come as Latin-1, whatever they were written in.
        right = secrets.compare_digest(secret.strip().encode("latin-1"), token.encode())
        if not (token and scheme.lower() == "bearer" and right):
            raise ApiError(401, "the token is not the one of this service", code="invalid_token")
    elif not _is_local(request):
        if token:
            raise ApiError(401, "this needs Authorization: Bearer <token>", code="invalid_token")
        message = "this is for programs on the same machine: no admin token is configured"
        raise ApiError(403, message, code="not_local")


def _is_local(request: Request) -> bool:
    """Whether a program on this machine asks, and no web page in a browser on it.

    A page has an Origin; one that renamed its own host to loopback shows it in Host.
    """
    headers = request.headers
    if "origin" in headers or any(name in headers for name in _FORWARDED):
        return False
    if request.client is None or not _is_loopback(request.client.host):
        return False
    host = headers.get("host", "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower() == "localhost" or _is_loopback(name)


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
