"""The models: all of them, and a page for each one, retired ones included."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from frontend.records import record_of
from inference.selectors import language_models_listed
from ratings.selectors import leaderboard, pairs, snapshot_latest


@require_safe
def models_show(request: HttpRequest) -> HttpResponse:
    standings = {row.model: row for row in leaderboard(snapshot=snapshot_latest())}
    listed = [(model, standings.get(model.slug)) for model in language_models_listed()]
    context = {
        "active": [entry for entry in listed if entry[0].status == "active"],
        "inactive": [entry for entry in listed if entry[0].status != "active"],
    }
    return render(request, "frontend/models.html", context)


@require_safe
def model_show(request: HttpRequest, slug: str) -> HttpResponse:
    model = get_object_or_404(language_models_listed(), slug=slug)
    snapshot = snapshot_latest()
    rows = {row.model: row for row in leaderboard(snapshot=snapshot)}
    context = {
        "model": model,
        "standing": rows.get(slug),
        "record": record_of(slug, pairs(snapshot=snapshot), rows) if snapshot else [],
    }
    return render(request, "frontend/model.html", context)
