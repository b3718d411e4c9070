"""Paths under /api/v1/."""

from __future__ import annotations

from django.urls import path

from arena.api import challenge, ledger, oversight, pairing, sse, views

urlpatterns = [
    path("battles/", views.BattlesView.as_view()),
    path("battles/<uuid:battle_id>/", views.BattleView.as_view()),
    path("battles/<uuid:battle_id>/events/", sse.battle_events),
    path("battles/<uuid:battle_id>/turns/", views.TurnsView.as_view()),
    path("battles/<uuid:battle_id>/vote/", views.VoteView.as_view()),
    path("battles/<uuid:battle_id>/feedback/", oversight.FeedbackView.as_view()),
    path("battles/<uuid:battle_id>/report/", oversight.ReportView.as_view()),
    path("battles/<uuid:battle_id>/withdraw/", views.WithdrawView.as_view()),
    path("battles/<uuid:battle_id>/stop/", views.StopView.as_view()),
    path("battles/<uuid:battle_id>/regenerate/", views.RegenerateView.as_view()),
    path("challenge/", challenge.ChallengeView.as_view()),
    path("ledger/head/", ledger.LedgerHeadView.as_view()),
    path("pairing/", pairing.PairingView.as_view()),
    path("vote-reasons/", oversight.VoteReasonsView.as_view()),
]
