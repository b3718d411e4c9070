"""Public reading of the registry."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from inference.api.serializers import LanguageModelSerializer
from inference.models import LanguageModel
from inference.selectors import language_models_listed


class BySlug(CursorPagination):
    """`{"results", "next", "previous"}`, a hundred models a page."""

    page_size = 100
    ordering = "slug"

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor is not None and "\x00" in str(cursor.position):
            raise NotFound(self.invalid_cursor_message)
        return cursor


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
