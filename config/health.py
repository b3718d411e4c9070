"""/healthz, /readyz and /metrics: for operators and their machines."""

from __future__ import annotations

import ipaddress
import secrets
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from arena.voters import address_of
from inference.models import Endpoint
from inference.selectors import language_models_live
from inference.services import endpoints_probe

# The worker writes down that it lives every ten seconds.
WORKER_SILENCE_SECONDS = 30
INFERENCE_TIMEOUT_SECONDS = 3.0
PROBE_AGAIN_AFTER = timedelta(seconds=3)


@csrf_exempt
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The process is alive; nothing is said of what it needs."""
    return HttpResponse("ok\n", content_type="text/plain")


class Readiness:
    """What is missing, looked at once for all who ask within two seconds.

    Anyone may ask, so asking must cost nothing: one caller looks, the others wait for its answer.
    """

    KEPT_SECONDS = 2.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._reasons: dict[str, str] = {}

    def reasons(self) -> dict[str, str]:
        with self._lock:
            if time.monotonic() - self._looked_at > self.KEPT_SECONDS:
                self._reasons = self._look()
                self._looked_at = time.monotonic()
            return self._reasons

    def _look(self) -> dict[str, str]:
        checks: dict[str, Callable[[], str]] = {
            "database": _database,
            "inference": _inference,
            "worker": _worker,
            "models": _models,
        }
        if settings.REDIS_URL:
            checks["layer"] = _layer
        reasons = {}
        for name, check in checks.items():
            problem = check()
            if problem:
                reasons[name] = problem
            if problem and name == "database":
                break  # the others need it, and would only wait for it again
        return reasons


readiness = Readiness()


@csrf_exempt
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 when a battle can be fought, voted and rated; else 503 with what is missing.

    The reasons name no model: who knows which one is down knows whose answer failed.
    """
    reasons = readiness.reasons()
    return JsonResponse({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"no connection: {type(error).__name__}"
    return ""


def _inference() -> str:
    """The own inference service, where a model uses it; models elsewhere are `_models`' matter."""
    if not Endpoint.objects.filter(base_url="", language_model__status="active").exists():
        return ""
    # No connection is kept from others while a service takes its time.
    connection.close()
    url = settings.INFERENCE_URL.removesuffix("/v1") + "/ready"
    try:
        response = httpx.get(url, timeout=INFERENCE_TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        return f"the inference service does not answer: {type(error).__name__}"
    if response.status_code != httpx.codes.OK:
        return "the inference service is not ready: models are being loaded, or have failed"
    return ""


def _worker() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers"
            " WHERE last_heartbeat > now() - make_interval(secs => %s)",
            [WORKER_SILENCE_SECONDS],
        )
        row = cursor.fetchone()
    return "" if row and row[0] else "no worker was heard of in the last 30 seconds"


def _models() -> str:
    live = language_models_live().count()
    if live < 2:
        endpoints_probe(older_than=PROBE_AGAIN_AFTER)
        live = language_models_live().count()
    return "" if live >= 2 else f"live models: {live}; a battle needs two"


def _layer() -> str:
    try:
        cache.set("readyz", 1, timeout=1)
    except RedisError as error:
        return f"Redis does not answer: {type(error).__name__}"
    return ""


@csrf_exempt
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics of this process; for loopback, or with METRICS_TOKEN as bearer token.

    Counters by model around a battle's start would unblind it, so this is never public.
    """
    if not _may_read_metrics(request):
        return HttpResponse("metrics are for loopback, or with a token\n", status=403)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and secrets.compare_digest(
        given.encode(), settings.METRICS_TOKEN.encode()
    ):
        return True
    # A proxy on this machine makes every visitor look like loopback: its headers give it away.
    forwarded = any(
        name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
    )
    try:
        return not forwarded and ipaddress.ip_address(address_of(request)).is_loopback
    except ValueError:
        return False
