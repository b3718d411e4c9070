"""Paths of pages."""

from __future__ import annotations

from django.urls import path

from frontend.views import battle, leaderboard, models, pages

app_name = "frontend"
urlpatterns = [
    path("", battle.battle_new, name="home"),
    path("battles/<uuid:battle_id>/", battle.battle_show, name="battle"),
    path("battles/<uuid:battle_id>/vote/", battle.battle_vote, name="battle-vote"),
    path("battles/<uuid:battle_id>/stop/", battle.battle_stop, name="battle-stop"),
    path("battles/<uuid:battle_id>/retry/", battle.battle_retry, name="battle-retry"),
    path("leaderboard/", leaderboard.leaderboard_show, name="leaderboard"),
    path("models/", models.models_show, name="models"),
    path("models/<slug:slug>/", models.model_show, name="model"),
    path("about/", pages.about_show, name="about"),
    path("theme/", pages.theme_set, name="theme"),
]
