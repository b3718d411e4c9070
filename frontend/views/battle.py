"""Pages of a battle: prompt, answers, vote. Reads requests and calls services; no rules.

Every action is a plain form that ends in a redirect; htmx gets the changed pieces instead.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh
from django_htmx.middleware import HtmxDetails

from arena.blinding import BattleView
from arena.errors import ArenaError, BattleNotFoundError
from arena.prompts import MAX_CHARACTERS
from arena.selectors import battle_get_for_voter
from arena.services import battles, votes
from arena.voters import address_of, voter_id_keep, voter_id_of
from frontend.fragments import verdict_fragments
from frontend.panes import announcement, battle_turns, battle_verdict

CONSENT_COOKIE = "preferendum_consent"
CONSENT_SECONDS = 365 * 24 * 3600
EXAMPLE_PROMPTS = (
    _("Explain to a ten-year-old why the sky is blue and sunsets are red."),
    _("Write a polite letter asking a neighbour to stop practising drums at night."),
    _("Plan a three-day walk through a European city for someone who hates museums."),
    _("Write a Python function that finds the longest palindrome in a string."),
    _("What are good arguments for and against daylight saving time?"),
    _("Tell a very short story that ends with the words: and so the lighthouse slept."),
)


class HtmxRequest(HttpRequest):
    """A request that has passed `django_htmx.middleware.HtmxMiddleware`."""

    htmx: HtmxDetails


@require_http_methods(["GET", "HEAD", "POST"])
def battle_new(request: HttpRequest) -> HttpResponse:
    """The prompt form; what was typed survives an error."""
    if request.method != "POST":
        return _prompt_page(request, prompt=request.GET.get("prompt", "")[:MAX_CHARACTERS])
    prompt = request.POST.get("prompt", "")
    consented = _consent_known(request) or request.POST.get("consent") == "on"
    voter_id = voter_id_of(request) or uuid.uuid4()
    try:
        battle = battles.battle_start(
            voter_id=voter_id,
            address=address_of(request),
            mode="battle",
            prompt=prompt,
            consent=consented,
        )
    except ArenaError as error:
        return _prompt_page(request, prompt=prompt, error=error)
    response = _see_other(reverse("frontend:battle", args=[battle.pk]))
    voter_id_keep(response, voter_id)
    response.set_cookie(
        CONSENT_COOKIE,
        settings.ARENA_CONSENT_VERSION,
        max_age=CONSENT_SECONDS,
        secure=settings.VOTER_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_GET
def battle_show(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    """The battle as it is now; nobody else's."""
    return _battle_page(request, _battle_of(request, battle_id))


@require_POST
def battle_vote(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """Spend the ballot; then the names are shown in place."""
    turn = request.POST.get("turn", "")
    try:
        votes.vote_cast(
            voter_id=_voter_of(request),
            address=address_of(request),
            battle_id=battle_id,
            turn_index=int(turn) if turn.isdecimal() and len(turn) < 6 else turn,
            choice=request.POST.get("choice"),
            ballot=request.POST.get("ballot"),
        )
    except ArenaError as error:
        return _refused(request, battle_id, error)
    if request.htmx:
        return _no_store(HttpResponse(verdict_fragments(_battle_of(request, battle_id))))
    return _see_other(reverse("frontend:battle", args=[battle_id]) + "#verdict")


@require_POST
def battle_stop(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """End both answers; the page's socket tells the rest."""
    try:
        battles.battle_stop(voter_id=_voter_of(request), battle_id=battle_id)
    except ArenaError as error:
        return _refused(request, battle_id, error)
    if request.htmx:
        return HttpResponse(status=204)
    return _see_other(reverse("frontend:battle", args=[battle_id]))


@require_POST
def battle_retry(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """The same pair once more; the page is loaded afresh, and with it the stream."""
    try:
        battles.battle_regenerate(
            voter_id=_voter_of(request), address=address_of(request), battle_id=battle_id
        )
    except ArenaError as error:
        return _refused(request, battle_id, error)
    if request.htmx:
        return HttpResponseClientRefresh()
    return _see_other(reverse("frontend:battle", args=[battle_id]))


def _prompt_page(
    request: HttpRequest, *, prompt: str, error: ArenaError | None = None
) -> HttpResponse:
    context = {
        "prompt": prompt,
        "error": error,
        "consented": _consent_known(request),
        "agreed": request.POST.get("consent") == "on",
        "examples": EXAMPLE_PROMPTS,
        "max_characters": MAX_CHARACTERS,
    }
    status = error.status if error else 200
    response = render(request, "frontend/home.html", context, status=status)
    if error:
        _retry_after(response, error)
    # The page depends on the consent cookie, and holds what was typed.
    return _no_store(response)


def _battle_page(
    request: HttpRequest, view: BattleView, *, error: ArenaError | None = None
) -> HttpResponse:
    context = {
        "battle": view,
        "turns": battle_turns(view),
        "verdict": battle_verdict(view),
        "announcement": announcement(view.state),
        "message": error.message if error else "",
    }
    status = error.status if error else 200
    return _no_store(render(request, "frontend/battle.html", context, status=status))


def _refused(request: HtmxRequest, battle_id: uuid.UUID, error: ArenaError) -> HttpResponse:
    """The battle as it is now, with the sentence that says why nothing was done."""
    view = _battle_of(request, battle_id)
    if request.htmx:
        response = _no_store(
            HttpResponse(verdict_fragments(view, message=error.message), status=error.status)
        )
    else:
        response = _battle_page(request, view, error=error)
    _retry_after(response, error)
    return response


def _retry_after(response: HttpResponse, error: ArenaError) -> None:
    """Tell programs when to come back, where that is known."""
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)


def _voter_of(request: HttpRequest) -> uuid.UUID:
    voter_id = voter_id_of(request)
    if voter_id is None:
        raise Http404
    return voter_id


def _battle_of(request: HttpRequest, battle_id: uuid.UUID) -> BattleView:
    try:
        return battle_get_for_voter(battle_id=battle_id, voter_id=voter_id_of(request))
    except BattleNotFoundError as error:
        raise Http404 from error


def _consent_known(request: HttpRequest) -> bool:
    return request.COOKIES.get(CONSENT_COOKIE) == settings.ARENA_CONSENT_VERSION


def _see_other(url: str) -> HttpResponseRedirect:
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def _no_store(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
