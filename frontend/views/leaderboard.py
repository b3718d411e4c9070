"""The leaderboard page: what the newest snapshot says, with its intervals on one axis."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from frontend.charts import axis_over
from frontend.funnels import funnel_steps
from ratings.selectors import leaderboard, snapshot_latest


@require_safe
def leaderboard_show(request: HttpRequest) -> HttpResponse:
    snapshot = snapshot_latest()
    rows = leaderboard(snapshot=snapshot)
    rated = [row for row in rows if row.rating is not None]
    axis = axis_over(value for row in rated for value in (row.lower, row.rating, row.upper))
    context = {
        "snapshot": snapshot,
        "axis": axis,
        "rated": [
            (row, axis.interval(value=row.rating, lower=row.lower, upper=row.upper))
            for row in rated
            if axis is not None and row.rating is not None
        ],
        "unrated": [row for row in rows if row.rating is None],
        "funnel": funnel_steps(snapshot.funnel) if snapshot else [],
    }
    return render(request, "frontend/leaderboard.html", context)
