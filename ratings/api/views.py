"""Public reading of published ratings. Knows no rules: selectors decide what there is.

Answers carry an ETag of their content, which names the snapshot, and a 304 when it is unchanged.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inference.selectors import language_models_listed
from ratings.api.csv_table import leaderboard_csv
from ratings.api.parameters import CATEGORIES, FORMATS, leaderboard_query
from ratings.api.serializers import (
    HistorySerializer,
    LeaderboardSerializer,
    PairsSerializer,
)
from ratings.selectors import history, leaderboard, pairs, snapshot_latest

WHICH = [
    OpenApiParameter("category", enum=CATEGORIES, default="overall"),
    OpenApiParameter("style_control", type=bool, default=False),
    OpenApiParameter(
        "as_of",
        type=OpenApiTypes.DATETIME,
        description="The leaderboard as it stood at that moment, or at the end of that day (UTC).",
    ),
    OpenApiParameter("format", enum=FORMATS, default="json"),
]


@method_decorator([conditional_page, cache_control(no_cache=True)], name="dispatch")
class PublishedView(APIView):
    """Anybody may read and keep the answer, and asks each time whether it still holds."""

    authentication_classes = ()


class LeaderboardView(PublishedView):
    @extend_schema(parameters=WHICH, responses=LeaderboardSerializer)
    def get(self, request: Request) -> HttpResponse:
        """The models by rank, with intervals; unrated ones last, each with its reason."""
        query = leaderboard_query(request.query_params)
        snapshot = snapshot_latest(as_of=query.as_of)
        rows = leaderboard(snapshot=snapshot, joined_later=query.as_of is None)
        if query.format == "csv":
            return HttpResponse(
                leaderboard_csv(rows),
                content_type="text/csv; charset=utf-8",
                headers={"Content-Disposition": 'attachment; filename="leaderboard.csv"'},
            )
        return Response(LeaderboardSerializer({"snapshot": snapshot, "results": rows}).data)


class HistoryView(PublishedView):
    @extend_schema(responses=HistorySerializer)
    def get(self, _request: Request, slug: str) -> Response:
        """What each snapshot said of one model, oldest first."""
        model = get_object_or_404(language_models_listed(), slug=slug)
        return Response(HistorySerializer({"model": slug, "results": history(model=model)}).data)


class PairsView(PublishedView):
    @extend_schema(responses=PairsSerializer)
    def get(self, _request: Request) -> Response:
        """Every pair of models that met: votes, and the share of wins observed and predicted."""
        snapshot = snapshot_latest()
        rows = [] if snapshot is None else pairs(snapshot=snapshot)
        return Response(PairsSerializer({"snapshot": snapshot, "results": rows}).data)
