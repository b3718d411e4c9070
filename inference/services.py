"""All writes to the registry: loading a model file, and what is known of each endpoint's health."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils import timezone

from inference.endpoint_pool import EndpointAddress
from inference.errors import GenerationError
from inference.exchange import models_served
from inference.model_file import ModelFile, ModelSpec
from inference.models import Endpoint, LanguageModel, Organization, Training
from inference.network_guard import http_client
from inference.selectors import endpoint_address, network_guard

logger = logging.getLogger(__name__)

PROBE_TIMEOUT_SECONDS = 3.0
PROBES_AT_ONCE = 16
# The pause after an endpoint's second failure in a row; each further one doubles it.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
SAME_FIELDS = (
    "name", "description", "licence", "open_weights", "parameters", "active_parameters",
    "precision", "category", "base_model", "checkpoint_step", "context_length",
    "knowledge_cutoff", "release_date", "price_in", "price_out", "homepage", "system_prompt",
    "status", "retired_on", "retired_reason",
)  # fmt: skip
ENDPOINT_FIELDS = (
    "dialect", "api_key_env", "concurrency", "connect_timeout", "first_token_timeout",
    "between_tokens_timeout", "total_timeout",
)  # fmt: skip


class RegistryError(Exception):
    """A value that the registry refuses; one line that names the row and the field."""


@transaction.atomic
def model_file_load(*, model_file: ModelFile) -> list[str]:
    """Bring the registry to what the file says; return one line per change, none when nothing did.

    Models that the file does not name are left alone: a file adds and updates, retiring a model is
    a status with a date and a reason. Raises RegistryError where a value is refused.
    """
    changes: list[str] = []
    organizations: dict[str, Organization] = {}
    for organization in model_file.organizations:
        organizations[organization.slug] = _row_set(
            Organization,
            {"slug": organization.slug},
            {"name": organization.name, "homepage": organization.homepage},
            changes,
        )
    trainings: dict[str, Training] = {}
    for training in model_file.trainings:
        trainings[training.slug] = _row_set(
            Training,
            {"slug": training.slug},
            {
                "name": training.name,
                "organization": organizations[training.organization],
                "description": training.description,
            },
            changes,
        )
    for model in model_file.models:
        values: dict[str, Any] = {field: getattr(model, field) for field in SAME_FIELDS}
        values["organization"] = organizations[model.organization]
        values["training"] = trainings[model.training] if model.training else None
        values["aliases"] = list(model.aliases)
        values["sampling"] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in model.sampling.items()
        }
        language_model = _row_set(LanguageModel, {"slug": model.slug}, values, changes)
        _endpoints_set(language_model, model, changes)
    return changes


def _row_set(
    row_class: type[Any], key: Mapping[str, Any], values: Mapping[str, Any], changes: list[str]
) -> Any:
    label = f"{row_class._meta.verbose_name} {' '.join(str(part) for part in key.values())}"
    row = row_class.objects.filter(**key).first()
    if row is None:
        row = row_class(**key, **values)
        changes.append(f"{label}: added")
    else:
        differing = [name for name, value in values.items() if getattr(row, name) != value]
        if not differing:
            return row
        for name in differing:
            setattr(row, name, values[name])
        changes.append(f"{label}: changed {', '.join(differing)}")
    try:
        row.full_clean()
    except ValidationError as error:
        wrong = "; ".join(
            f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items()
        )
        raise RegistryError(f"{label}: {wrong}") from error
    row.save()
    return row


def _endpoints_set(language_model: LanguageModel, model: ModelSpec, changes: list[str]) -> None:
    kept = []
    for endpoint in model.endpoints:
        key = {
            "language_model": language_model,
            "base_url": endpoint.base_url,
            "name": endpoint.name or model.slug,
        }
        values = {field: getattr(endpoint, field) for field in ENDPOINT_FIELDS}
        kept.append(_row_set(Endpoint, key, values, changes).pk)
    for gone in language_model.endpoints.exclude(pk__in=kept):
        changes.append(f"endpoint {gone}: removed")
        gone.delete()
    # Whoever loads a file has looked after the endpoints: the next probe may call them up.
    Endpoint.objects.filter(pk__in=kept).update(failures=0, paused_until=None)


def endpoint_report(*, endpoint_id: int, problem: str = "") -> None:
    """Note what a probe found: that the endpoint's server is there, or what was wrong with it.

    Whoever is paused for failed answers stays down until the pause ends. `problem` is for
    operators: it may hold a provider's text and never reaches a voter.
    """
    now = timezone.now()
    endpoints = Endpoint.objects.filter(pk=endpoint_id)
    if not problem:
        endpoints = endpoints.exclude(paused_until__gt=now)
    endpoints.update(is_up=not problem, problem=problem[:300], checked_at=now)


def endpoint_failed(*, endpoint_id: int, problem: str) -> None:
    """Note that an endpoint failed to answer through no fault of the request.

    It leaves the pool at once. After one failure the next probe may bring it back; after more in
    a row, none does before a pause ends: 30 seconds, then twice as long each time, at most 15
    minutes. A server that lists its models while it cannot generate would else be drawn again
    after each probe. Answers that fail together, of an endpoint that is down already, are one
    failure. `problem` is for operators, as in `endpoint_report`. Locks the endpoint's row.
    """
    with transaction.atomic():
        endpoint = Endpoint.objects.select_for_update().filter(pk=endpoint_id).first()
        if endpoint is None:
            return  # removed while it answered
        now = timezone.now()
        if endpoint.is_up:
            endpoint.failures += 1
            endpoint.is_up = False
            if endpoint.failures > 1:
                endpoint.paused_until = now + outage_pause(endpoint.failures)
            logger.warning("endpoint %s failed, %s in a row", endpoint, endpoint.failures)
        endpoint.problem, endpoint.checked_at = problem[:300].replace("\x00", ""), now
        endpoint.save(update_fields=["failures", "is_up", "paused_until", "problem", "checked_at"])


def endpoint_succeeded(*, endpoint_id: int) -> None:
    """Note that an endpoint gave an answer: it is up, and its next failure is the first again.

    Costs one UPDATE of no row where that is nothing new.
    """
    Endpoint.objects.filter(pk=endpoint_id).exclude(is_up=True, failures=0).update(
        is_up=True, problem="", failures=0, paused_until=None, checked_at=timezone.now()
    )


def outage_pause(failures: int) -> timedelta:
    """How long an endpoint is left alone after so many failures in a row, at least two."""
    # Ten doublings are past the longest pause.
    doublings: int = min(failures - 2, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def endpoints_probe(*, older_than: timedelta = timedelta(0)) -> int:
    """Ask the endpoints of active models not heard of for `older_than`; return how many.

    One request for `/models` a server: an endpoint is up when the server answers and, where it
    lists its models, lists this one. Nothing is generated, so a probe costs no tokens. Endpoints
    that are paused after failed answers are not asked.
    """
    now = timezone.now()
    due = list(
        Endpoint.objects.filter(
            models.Q(checked_at__isnull=True) | models.Q(checked_at__lte=now - older_than),
            language_model__status=LanguageModel.Status.ACTIVE,
        ).exclude(paused_until__gt=now)
    )
    if not connection.in_atomic_block:
        connection.close()  # it goes back to the pool while servers take their time
    addresses = {endpoint.pk: endpoint_address(endpoint) for endpoint in due}
    servers = {_server(address): address for address in addresses.values()}
    answers = dict(zip(servers, asyncio.run(_servers_ask(servers.values())), strict=True))
    for endpoint in due:
        served, problem = answers[_server(addresses[endpoint.pk])]
        # Ollama lists a model that is asked without a tag under this one.
        names = {endpoint.name, f"{endpoint.name}:latest"}
        if not problem and served is not None and not names & served:
            problem = f"the server answers but does not serve {endpoint.name}"
        if bool(problem) == endpoint.is_up:
            logger.info("endpoint %s is %s", endpoint, f"down: {problem}" if problem else "up")
        endpoint_report(endpoint_id=endpoint.pk, problem=problem)
    return len(due)


def _server(address: EndpointAddress) -> tuple[str, str, str]:
    return (address.base_url, address.dialect, address.api_key_env)


async def _servers_ask(
    addresses: Iterable[EndpointAddress],
) -> list[tuple[set[str] | None, str]]:
    """For each server the names it lists (None where it keeps no full list), or what is wrong."""
    at_once = asyncio.Semaphore(PROBES_AT_ONCE)

    async def ask(address: EndpointAddress) -> tuple[set[str] | None, str]:
        async with at_once:
            try:
                return await models_served(http, address, seconds=PROBE_TIMEOUT_SECONDS), ""
            except GenerationError as error:
                return None, f"{type(error).__name__}: {error}"

    async with http_client(network_guard()) as http:
        return await asyncio.gather(*(ask(address) for address in addresses))


def endpoint_warnings() -> list[str]:
    """One line for each endpoint that names a private address which the settings do not allow."""
    guard = network_guard()
    endpoints = Endpoint.objects.exclude(language_model__status=LanguageModel.Status.RETIRED)
    return [
        f"endpoint {endpoint} will not be asked: {problem}"
        for endpoint in endpoints
        if (problem := guard.literal_problem(endpoint_address(endpoint).base_url))
    ]
