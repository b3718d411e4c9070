"""Public reading of the registry."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import CursorPagination

from inference.api.serializers import LanguageModelSerializer
from inference.models import LanguageModel
from inference.selectors import language_models_listed


class BySlug(CursorPagination):
    """`{"results", "next", "previous"}`, a hundred models a page."""

    page_size = 100
    ordering = "slug"


class LanguageModelsView(ListAPIView[LanguageModel]):
    """Every model, retired ones included."""

    serializer_class = LanguageModelSerializer
    pagination_class = BySlug

    def get_queryset(self) -> QuerySet[LanguageModel]:
        return language_models_listed().select_related("training")


class LanguageModelView(RetrieveAPIView[LanguageModel]):
    """One model's card."""

    serializer_class = LanguageModelSerializer
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[LanguageModel]:
        return language_models_listed().select_related("training")
