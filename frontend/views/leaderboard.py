"""The leaderboard page: what a board's newest snapshot says, with its intervals on one axis."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from frontend.categories import category_options
from frontend.charts import axis_over
from frontend.funnels import funnel_steps
from ratings.boards import OVERALL, Board
from ratings.selectors import categories_listed, leaderboard, snapshot_latest


@require_safe
def leaderboard_show(request: HttpRequest) -> HttpResponse:
    """`?category=` and `?style_control=true` name the board, as in the API."""
    categories = categories_listed()
    category = request.GET.get("category") or OVERALL
    if category not in categories:
        raise Http404
    board = Board(category, request.GET.get("style_control") == "true")
    snapshot = snapshot_latest(board=board)
    rows = leaderboard(snapshot=snapshot)
    rated = [row for row in rows if row.rating is not None]
    axis = axis_over(value for row in rated for value in (row.lower, row.rating, row.upper))
    context = {
        "shown": board,
        "categories": category_options(categories),
        "query": urlencode(
            {"category": category, "style_control": str(board.style_control).lower()}
        ),
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
