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


def endpoint_report(*, endpoint_id: int, problem: str = "") -> None:
    """Note that an endpoint answered, or what was wrong: an outage leaves the pool at once.

    `problem` is for operators: it may hold a provider's text and never reaches a voter.
    """
    Endpoint.objects.filter(pk=endpoint_id).update(
        is_up=not problem, problem=problem[:300], checked_at=timezone.now()
    )


def endpoints_probe(*, older_than: timedelta = timedelta(0)) -> int:
    """Ask the endpoints of active models not heard of for `older_than`; return how many.

    One request for `/models` a server: an endpoint is up when the server answers and, where it
    lists its models, lists this one. Nothing is generated, so a probe costs no tokens.
    """
    due = list(
        Endpoint.objects.filter(
            models.Q(checked_at__isnull=True)
            | models.Q(checked_at__lte=timezone.now() - older_than),
            language_model__status=LanguageModel.Status.ACTIVE,
        )
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
