"""Settings of the test run: the product's, with what only a test may want otherwise."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STORAGES
from inference.network_guard import networks_parse

# Plain names: tests do not collect static files first.
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
# The test database's pool is opened and closed with it.
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 0, "max_size": 24}
# Tests that are not about limits fight as many battles as they like.
ARENA_RATE_LIMITS = ()
ARENA_CONCURRENT_BATTLES = ()
# The scripted models answer on loopback.
ENDPOINT_NETWORKS = networks_parse("127.0.0.0/8,::1")
