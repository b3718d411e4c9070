"""Every path of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import api, health

api_v1 = [
    path("", include("arena.api.urls")),
    path("", include("inference.api.urls")),
    path("", include("ratings.api.urls")),
]

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("api/v1/", include(api_v1)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    re_path(r"^api/(?P<path>.*)$", api.not_found),
    path("admin/", admin.site.urls),
    path("", include("frontend.urls")),
]

handler400 = "config.api.bad_request"
handler500 = "config.api.server_error"
