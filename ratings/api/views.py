"""Public reading of published ratings. Knows no rules: selectors decide what there is.

Answers carry an ETag made from what they are made of (snapshots, registry, parameters) and not from
what they are, so that an unchanged one costs two queries and no rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.utils.http import quote_etag
from django.views.decorators.cache import cache_control
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inference.selectors import language_models_listed
from ratings.api import csv_table
from ratings.api.parameters import FORMATS, compared_models, ratings_query
from ratings.api.serializers import (
    ComparisonSerializer,
    HistorySerializer,
    LeaderboardSerializer,
    PairsSerializer,
    VotersSerializer,
)
from ratings.selectors import (
    comparison,
    history,
    leaderboard,
    pairs,
    registry_digest,
    review_latest,
    site_voting,
    snapshot_latest,
    snapshots_newest,
    snapshots_of,
)

WHICH = [
    OpenApiParameter(
        "category",
        default="overall",
        description="`overall`, a topic, a language or a selection; a wrong one is answered with "
        "those that there are.",
    ),
    OpenApiParameter("style_control", type=bool, default=False),
    OpenApiParameter(
        "as_of",
        type=OpenApiTypes.DATETIME,
        description="As it stood at that moment, or at the end of that day (UTC).",
    ),
    OpenApiParameter("format", enum=FORMATS, default="json"),
]
MODELS = OpenApiParameter(
    "models", required=True, description="Slugs of 2 to 10 models, separated by commas."
)


@method_decorator(cache_control(no_cache=True), name="dispatch")
class PublishedView(APIView):
    """Anybody may read and keep the answer, and asks each time whether it still holds."""

    authentication_classes = ()

    def answer(
        self, *, made_of: Iterable[object], make: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """304 when the client has it, else what `make` makes; `made_of` names its sources."""
        request: HttpRequest = self.request._request  # noqa: SLF001 - what DRF wraps
        sources = [request.get_full_path(), *map(str, made_of)]
        etag = quote_etag(hashlib.sha256("\n".join(sources).encode()).hexdigest()[:32])
        response = get_conditional_response(request, etag=etag) or make()
        response.headers.setdefault("ETag", etag)
        return response


def csv_response(name: str, columns: Sequence[str], rows: Iterable[Any]) -> HttpResponse:
    return HttpResponse(
        csv_table.csv_table(columns, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


class LeaderboardView(PublishedView):
    @extend_schema(parameters=WHICH, responses=LeaderboardSerializer)
    def get(self, request: Request) -> HttpResponse:
        """The models by rank, with intervals; unrated ones last, each with its reason."""
        query = ratings_query(request.query_params)
        snapshot = snapshot_latest(board=query.board, as_of=query.as_of)

        def make() -> HttpResponse:
            rows = leaderboard(snapshot=snapshot, joined_later=query.as_of is None)
            if query.format == "csv":
                return csv_response("leaderboard", csv_table.LEADERBOARD, rows)
            return Response(LeaderboardSerializer({"snapshot": snapshot, "results": rows}).data)

        return self.answer(made_of=[snapshot, registry_digest()], make=make)


class HistoryView(PublishedView):
    @extend_schema(parameters=WHICH, responses=HistorySerializer)
    def get(self, request: Request, slug: str) -> HttpResponse:
        """What each snapshot of a board said of one model, oldest first."""
        query = ratings_query(request.query_params)
        model = get_object_or_404(language_models_listed(), slug=slug)
        # Thinning takes away old snapshots, so the newest alone does not tell.
        seen = snapshots_of(board=query.board, as_of=query.as_of).order_by()
        state = seen.aggregate(newest=Max("created_at"), count=Count("pk"))

        def make() -> HttpResponse:
            rows = history(model=model, board=query.board, as_of=query.as_of)
            if query.format == "csv":
                return csv_response(f"history-{slug}", csv_table.HISTORY, rows)
            return Response(HistorySerializer({"model": slug, "results": rows}).data)

        return self.answer(made_of=state.values(), make=make)


class PairsView(PublishedView):
    @extend_schema(parameters=WHICH, responses=PairsSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Every pair of models that met: votes, and the share of wins observed and predicted."""
        query = ratings_query(request.query_params)
        snapshot = snapshot_latest(board=query.board, as_of=query.as_of)

        def make() -> HttpResponse:
            rows = [] if snapshot is None else pairs(snapshot=snapshot)
            if query.format == "csv":
                return csv_response("pairs", csv_table.PAIRS, rows)
            return Response(PairsSerializer({"snapshot": snapshot, "results": rows}).data)

        return self.answer(made_of=[snapshot], make=make)


class CompareView(PublishedView):
    @extend_schema(parameters=[MODELS, *WHICH], responses=ComparisonSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Some models against each other: how likely people prefer which, overall and by category.

        Intervals are those of each pair's difference, so that errors that two ratings share do not
        widen them.
        """
        query = ratings_query(request.query_params)
        models = compared_models(request.query_params)
        snapshots = snapshots_newest(style_control=query.board.style_control, as_of=query.as_of)

        def make() -> HttpResponse:
            found = comparison(models=models, board=query.board, snapshots=snapshots)
            if query.format == "csv":
                rows = [*found.results, *(row for part in found.categories for row in part.results)]
                return csv_response("compare", csv_table.COMPARISON, rows)
            return Response(ComparisonSerializer(found).data)

        return self.answer(made_of=snapshots, make=make)


class VotersView(PublishedView):
    @extend_schema(responses=VotersSerializer)
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002
        """What all voters together are like, as of the newest review; of no single one."""

        def make() -> HttpResponse:
            return Response(VotersSerializer({"review": site_voting()}).data)

        newest = review_latest()
        return self.answer(made_of=[newest and newest.pk], make=make)
