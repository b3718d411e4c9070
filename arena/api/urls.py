"""Paths under /api/v1/."""

from __future__ import annotations

from django.urls import path

from arena.api import sse, views

urlpatterns = [
    path("battles/", views.BattlesView.as_view()),
    path("battles/<uuid:battle_id>/", views.BattleView.as_view()),
    path("battles/<uuid:battle_id>/events/", sse.battle_events),
    path("battles/<uuid:battle_id>/vote/", views.VoteView.as_view()),
    path("battles/<uuid:battle_id>/stop/", views.StopView.as_view()),
    path("battles/<uuid:battle_id>/regenerate/", views.RegenerateView.as_view()),
]
