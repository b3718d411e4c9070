"""Pages that hold no data: what this is, and the choice of a theme."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

THEME_COOKIE = "preferendum_theme"
THEMES = ("light", "dark")
THEME_SECONDS = 365 * 24 * 3600


@require_safe
def about_show(request: HttpRequest) -> HttpResponse:
    return render(request, "frontend/about.html")


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """A form whose token is no longer good, after a log-in elsewhere or without cookies.

    An open page loads itself anew, and with it a good token; a plain form gets a page that says so.
    """
    response = render(request, "403_csrf.html", status=403)
    if request.headers.get("HX-Request"):
        response["HX-Refresh"] = "true"
    return response


@csrf_exempt  # the worst that another site could do is to make this one dark
@require_POST
def theme_set(request: HttpRequest) -> HttpResponse:
    """Remember a theme, or follow the system again; then back to where the form stood."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = reverse("frontend:home")
    response = HttpResponseRedirect(back)
    response.status_code = 303
    theme = request.POST.get("theme")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            theme,
            max_age=THEME_SECONDS,
            secure=settings.VOTER_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie(THEME_COOKIE)
    return response
