"""Paths of pages."""

from __future__ import annotations

from django.urls import path

from frontend.views import battle, leaderboard, models, pages, start

app_name = "frontend"
urlpatterns = [
    path("", start.battle_new, name="home"),
    path("side-by-side/", start.side_by_side_new, name="side-by-side"),
    path("chat/", start.chat_new, name="chat"),
    path("battles/<uuid:battle_id>/", battle.battle_show, name="battle"),
    path("battles/<uuid:battle_id>/vote/", battle.battle_vote, name="battle-vote"),
    path("battles/<uuid:battle_id>/stop/", battle.battle_stop, name="battle-stop"),
    path("battles/<uuid:battle_id>/retry/", battle.battle_retry, name="battle-retry"),
    path("battles/<uuid:battle_id>/turns/", battle.battle_turns_add, name="battle-turns"),
    path("battles/<uuid:battle_id>/feedback/", battle.battle_feedback_save, name="battle-feedback"),
    path("battles/<uuid:battle_id>/withdraw/", battle.battle_withdraw, name="battle-withdraw"),
    path("battles/<uuid:battle_id>/report/", battle.battle_report, name="battle-report"),
    path("leaderboard/", leaderboard.leaderboard_show, name="leaderboard"),
    path("models/", models.models_show, name="models"),
    path("models/<slug:slug>/", models.model_show, name="model"),
    path("about/", pages.about_show, name="about"),
    path("theme/", pages.theme_set, name="theme"),
]
