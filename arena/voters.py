"""Who a request comes from: the voter in its signed cookie, and the address it was sent from.

The client's word about who it is counts for nothing else. Knows nothing of battles.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from arena.client_addresses import client_address

COOKIE = "preferendum_voter"
_SALT = "arena.voter"
MAX_AGE_SECONDS = 365 * 24 * 3600


def voter_id_read(value: str | None) -> uuid.UUID | None:
    """The voter a cookie speaks of; None for none, a forged or an expired one."""
    if not value:
        return None
    try:
        return uuid.UUID(signing.loads(value, salt=_SALT, max_age=MAX_AGE_SECONDS))
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None


def voter_id_of(request: HttpRequest | Request) -> uuid.UUID | None:
    return voter_id_read(request.COOKIES.get(COOKIE))


def voter_id_in_header(header: str) -> uuid.UUID | None:
    """The same from a raw Cookie header, as a WebSocket handshake has it."""
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return voter_id_read(morsel.value) if morsel else None


def voter_id_keep(response: HttpResponse, voter_id: uuid.UUID) -> None:
    """Set the cookie on a response."""
    response.set_cookie(
        COOKIE,
        signing.dumps(str(voter_id), salt=_SALT),
        max_age=MAX_AGE_SECONDS,
        secure=settings.VOTER_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def address_of(request: HttpRequest | Request) -> str:
    """The client's address, from the peer and the proxies that the setting trusts."""
    return client_address(
        peer=request.META.get("REMOTE_ADDR", ""),
        forwarded_for=request.META.get("HTTP_X_FORWARDED_FOR", ""),
        trusted=settings.TRUSTED_PROXIES,
    )


def address_in_scope(scope: Mapping[str, Any]) -> str:
    """The same of a WebSocket handshake (ASGI), whose headers are not yet joined."""
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    client = scope.get("client")
    return client_address(
        peer=client[0] if client else "",
        forwarded_for=b",".join(forwarded).decode("latin-1"),
        trusted=settings.TRUSTED_PROXIES,
    )


def origin_is_own(*, origin: str, host: str) -> bool:
    """Whether an Origin header names this very site: the host that was asked, or PUBLIC_URL's."""
    try:
        asked_from = urlsplit(origin)
    except ValueError:
        return False
    if settings.PUBLIC_IS_HTTPS and asked_from.scheme != "https":
        return False
    return asked_from.netloc == host or origin in settings.CSRF_TRUSTED_ORIGINS
