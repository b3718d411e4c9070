"""All reads of the registry, and of the settings that say how its endpoints are asked."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from inference.endpoint_pool import EndpointAddress
from inference.models import Endpoint, LanguageModel
from inference.network_guard import NetworkGuard


def language_models_listed() -> QuerySet[LanguageModel]:
    """Every model with its organization, retired ones included: they keep their page."""
    return LanguageModel.objects.select_related("organization")


def language_models_live() -> QuerySet[LanguageModel]:
    """Active models that have an endpoint which answered when it was last asked."""
    up = Endpoint.objects.filter(language_model=OuterRef("pk"), is_up=True)
    return language_models_listed().filter(Exists(up), status=LanguageModel.Status.ACTIVE)


def language_model_ids(*, slugs: Collection[str]) -> dict[str, int]:
    """The id of each of these models; a slug that names none is left out."""
    return dict(LanguageModel.objects.filter(slug__in=slugs).values_list("slug", "pk"))


def endpoint_addresses(*, language_model: LanguageModel) -> list[EndpointAddress]:
    """Every endpoint of a model for the client to choose from; empty where it has none."""
    return [endpoint_address(endpoint) for endpoint in language_model.endpoints.all()]


def endpoint_address(endpoint: Endpoint) -> EndpointAddress:
    """Where and how to ask; an empty base URL is the own inference service."""
    return EndpointAddress(
        id=endpoint.pk,
        is_up=endpoint.is_up,
        base_url=endpoint.base_url.rstrip("/") or settings.INFERENCE_URL,
        name=endpoint.name,
        dialect=endpoint.dialect,
        api_key_env=endpoint.api_key_env,
        concurrency=endpoint.concurrency,
        connect_timeout=endpoint.connect_timeout,
        first_token_timeout=endpoint.first_token_timeout,
        between_tokens_timeout=endpoint.between_tokens_timeout,
        total_timeout=endpoint.total_timeout,
    )


def network_guard() -> NetworkGuard:
    """What the setting ENDPOINT_NETWORKS allows, and always the own inference service."""
    return NetworkGuard(networks=settings.ENDPOINT_NETWORKS, own_url=settings.INFERENCE_URL)
