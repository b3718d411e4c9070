"""The three forms that begin something: battle, side by side, chat. No rules."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from arena.errors import ArenaError
from arena.prompts import MAX_CHARACTERS
from arena.selectors import models_offered
from arena.services import battles
from arena.voters import address_of, voter_id_keep, voter_id_of
from frontend.panes import BATTLE, DIRECT, SIDE_BY_SIDE
from frontend.views.responses import no_store, retry_after, see_other

CONSENT_COOKIE = "preferendum_consent"
CONSENT_SECONDS = 365 * 24 * 3600
CHALLENGE_URL = "/api/v1/challenge/"
EXAMPLE_PROMPTS = (
    _("Explain to a ten-year-old why the sky is blue and sunsets are red."),
    _("Write a polite letter asking a neighbour to stop practising drums at night."),
    _("Plan a three-day walk through a European city for someone who hates museums."),
    _("Write a Python function that finds the longest palindrome in a string."),
    _("What are good arguments for and against daylight saving time?"),
    _("Tell a very short story that ends with the words: and so the lighthouse slept."),
)


@dataclass(frozen=True)
class Start:
    """One of the forms: its words, and the models that it lets choose, as field to label."""

    mode: str
    path: str
    title: Promise
    heading: Promise
    lede: Promise
    button: Promise
    pickers: tuple[tuple[str, Promise], ...] = ()

    @property
    def url(self) -> str:
        return reverse(self.path)


@dataclass(frozen=True)
class Picker:
    """A choice of one model: `options` are slugs with their names."""

    name: str
    label: Promise
    chosen: str
    options: list[tuple[str, str]]

    @property
    def side(self) -> str:
        return self.name[-1]


BATTLE_START = Start(
    mode=BATTLE,
    path="frontend:home",
    title=_("New battle"),
    heading=_("Ask once. Two assistants answer. You judge."),
    lede=_("Both stay anonymous until you have voted."),
    button=_("Start the battle"),
)
SIDE_BY_SIDE_START = Start(
    mode=SIDE_BY_SIDE,
    path="frontend:side-by-side",
    title=_("Side by side"),
    heading=_("Two models of your choice, side by side."),
    lede=_("You know who answers, so your votes here do not count for the ratings."),
    button=_("Ask both"),
    pickers=(("model_a", _("Assistant A")), ("model_b", _("Assistant B"))),
)
CHAT_START = Start(
    mode=DIRECT,
    path="frontend:chat",
    title=_("Chat"),
    heading=_("Talk with one model."),
    lede=_("One assistant, no vote. Your prompts and its answers are kept all the same."),
    button=_("Start the chat"),
    pickers=(("model_a", _("Model")),),
)


@require_http_methods(["GET", "HEAD", "POST"])
def battle_new(request: HttpRequest) -> HttpResponse:
    """Two models that are drawn."""
    return _start_page(request, BATTLE_START)


@require_http_methods(["GET", "HEAD", "POST"])
def side_by_side_new(request: HttpRequest) -> HttpResponse:
    """Two models that the visitor names."""
    return _start_page(request, SIDE_BY_SIDE_START)


@require_http_methods(["GET", "HEAD", "POST"])
def chat_new(request: HttpRequest) -> HttpResponse:
    """One model that the visitor names."""
    return _start_page(request, CHAT_START)


def _start_page(request: HttpRequest, start: Start) -> HttpResponse:
    """The prompt form, and what comes of it; what was typed and chosen survives an error."""
    if request.method != "POST":
        return _form(request, start)
    voter_id = voter_id_of(request) or uuid.uuid4()
    try:
        battle = battles.battle_start(
            voter_id=voter_id,
            address=address_of(request),
            mode=start.mode,
            prompt=request.POST.get("prompt", ""),
            consent=_consent_known(request) or request.POST.get("consent") == "on",
            models=[request.POST.get(name, "") for name, _label in start.pickers],
            challenge=request.POST.get("challenge") or None,
        )
    except ArenaError as error:
        return _form(request, start, error=error)
    response = see_other(reverse("frontend:battle", args=[battle.pk]))
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


def _form(request: HttpRequest, start: Start, *, error: ArenaError | None = None) -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    prompt = sent.get("prompt", "")
    options = [(model.slug, model.name) for model in models_offered()] if start.pickers else []
    context = {
        "start": start,
        "pickers": [
            Picker(name, label, sent.get(name, ""), options) for name, label in start.pickers
        ],
        "prompt": prompt if error else prompt[:MAX_CHARACTERS],
        "error": error,
        "consented": _consent_known(request),
        "agreed": request.POST.get("consent") == "on",
        "examples": EXAMPLE_PROMPTS,
        "max_characters": MAX_CHARACTERS,
        "challenge_url": CHALLENGE_URL if settings.ARENA_CHALLENGE else "",
    }
    response = render(
        request, "frontend/start.html", context, status=error.status if error else 200
    )
    # The page depends on the consent cookie, and holds what was typed.
    return no_store(retry_after(response, error) if error else response)


def _consent_known(request: HttpRequest) -> bool:
    return request.COOKIES.get(CONSENT_COOKIE) == settings.ARENA_CONSENT_VERSION
