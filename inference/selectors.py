"""All reads of the registry."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from inference.models import Endpoint, LanguageModel


def language_models_listed() -> QuerySet[LanguageModel]:
    """Every model with its organization, retired ones included: they keep their page."""
    return LanguageModel.objects.select_related("organization")


def language_models_live() -> QuerySet[LanguageModel]:
    """Active models that have an endpoint which answered when it was last asked."""
    up = Endpoint.objects.filter(language_model=OuterRef("pk"), is_up=True)
    return language_models_listed().filter(Exists(up), status=LanguageModel.Status.ACTIVE)


def endpoint_for(*, language_model: LanguageModel) -> Endpoint | None:
    """The endpoint to ask: one that is up before one that was down."""
    return language_model.endpoints.order_by("-is_up", "pk").first()
