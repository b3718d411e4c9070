"""System checks: what an operator believes to be capped, asked for or in force, and is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.db import connections

from arena import validity
from arena.spending import hosts_by_model, models_without_price
from inference.models import Endpoint


def challenge_can_be_solved(**_: Any) -> Sequence[checks.CheckMessage]:
    """Browsers solve a proof of work by WebCrypto, which pages have over HTTPS or on loopback."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    on_loopback = host in {"127.0.0.1", "::1"} or f".{host}".endswith(".localhost")
    if not settings.ARENA_CHALLENGE or settings.PUBLIC_IS_HTTPS or on_loopback:
        return []
    return [
        checks.Warning(
            f"ARENA_CHALLENGE is on and PUBLIC_URL is {settings.PUBLIC_URL}: browsers cannot solve "
            "a proof of work on a page that came over plain HTTP, so nobody can start a battle.",
            hint="Serve the arena over HTTPS, or set ARENA_CHALLENGE=0.",
            id="arena.W001",
        )
    ]


def spend_caps_hold(
    databases: Sequence[str] | None = None, **_: Any
) -> Sequence[checks.CheckMessage]:
    """A cap sees no model without a price, and none at all where its host is misspelt.

    Asks the database, so it runs where Django is told to: with `migrate`, which `make run` begins
    with, and with `check --database default`.
    """
    if not settings.ARENA_SPEND_CAPS or "default" not in (databases or ()):
        return []
    if Endpoint._meta.db_table not in connections["default"].introspection.table_names():
        return []  # before the first migrate
    found = [
        checks.Warning(
            f"The model {model.slug} has no price, so ARENA_SPEND_CAPS does not see what it costs.",
            hint="Give price_in and price_out, 0 where it costs nothing.",
            id="arena.W002",
        )
        for model in models_without_price()
    ]
    known = set().union(*hosts_by_model().values())
    found += [
        checks.Warning(
            f"ARENA_SPEND_CAPS caps {host}, but no endpoint has this host.",
            hint="Give the host of an endpoint's base_url, such as api.openai.com.",
            id="arena.W003",
        )
        for host in settings.ARENA_SPEND_CAPS
        if host not in known
    ]
    return found


def validity_rules_are_known(**_: Any) -> Sequence[checks.CheckMessage]:
    """A rule that is not there would make every vote fail."""
    return [
        checks.Error(
            f"ARENA_VALIDITY_RULES names {name!r}, which is no rule.",
            hint=f"Those that can be in force: {', '.join(validity.RULES)}.",
            id="arena.E001",
        )
        for name in settings.ARENA_VALIDITY_RULES
        if name not in validity.RULES
    ]


def register_checks() -> None:
    checks.register(validity_rules_are_known)
    checks.register(challenge_can_be_solved)
    checks.register(spend_caps_hold, checks.Tags.database)
