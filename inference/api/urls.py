"""Paths under /api/v1/."""

from __future__ import annotations

from django.urls import path

from inference.api import views

urlpatterns = [
    path("models/", views.LanguageModelsView.as_view()),
    path("models/<slug:slug>/", views.LanguageModelView.as_view()),
]
