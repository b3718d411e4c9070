"""Paths of the ratings under `/api/v1/`."""

from __future__ import annotations

from django.urls import path

from ratings.api.views import CompareView, HistoryView, LeaderboardView, PairsView, VotersView

urlpatterns = [
    path("leaderboard/", LeaderboardView.as_view(), name="leaderboard"),
    path("leaderboard/pairs/", PairsView.as_view(), name="leaderboard-pairs"),
    path("leaderboard/history/<slug:slug>/", HistoryView.as_view(), name="leaderboard-history"),
    path("compare/", CompareView.as_view(), name="compare"),
    path("voters/", VotersView.as_view(), name="voters"),
]
