"""The page of a battle and what can be done on it. Reads requests and calls services; no rules.

Every action is a plain form that ends in a redirect; htmx gets the changed pieces instead.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from arena.blinding import BattleView
from arena.errors import ArenaError, BattleNotFoundError
from arena.prompts import MAX_CHARACTERS
from arena.selectors import battle_get_for_voter
from arena.services import battles, exclusions, feedback, reports, votes
from arena.voters import address_of, voter_id_of
from frontend.fragments import feedback_said_fragment, report_fragment, verdict_fragments
from frontend.panes import battle_turns
from frontend.reports import REPORT_REASONS
from frontend.verdicts import announcement, battle_feedback, verdict_of
from frontend.views.responses import HtmxRequest, no_store, retry_after, see_other, voter_of

# A turn and a side, as report buttons name an answer.
_ANSWER = re.compile(r"(\d{1,5})-([ab])", re.ASCII)


@require_GET
def battle_show(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    """The battle as it is now; nobody else's. `?reported=0-a` thanks for a report."""
    turn, side = _answer_read(request.GET.get("reported", ""))
    report = {"turn": turn, "side": side} if side else None
    return _battle_page(request, _battle_of(request, battle_id), report=report)


@require_POST
def battle_vote(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """Spend the ballot; then the names are shown in place."""
    try:
        votes.vote_cast(
            voter_id=voter_of(request),
            address=address_of(request),
            battle_id=battle_id,
            turn_index=_turn_read(request),
            choice=request.POST.get("choice"),
            ballot=request.POST.get("ballot"),
        )
    except ArenaError as error:
        return _refused(request, battle_id, error)
    return _verdict_shown(request, battle_id)


@require_POST
def battle_withdraw(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """Take the own vote back."""
    try:
        exclusions.vote_withdraw(
            voter_id=voter_of(request), battle_id=battle_id, turn_index=_turn_read(request)
        )
    except ArenaError as error:
        return _refused(request, battle_id, error)
    return _verdict_shown(request, battle_id)


@require_POST
def battle_stop(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """End what is being written; the page's socket tells the rest."""
    try:
        battles.battle_stop(voter_id=voter_of(request), battle_id=battle_id)
    except ArenaError as error:
        return _refused(request, battle_id, error)
    if request.htmx:
        return HttpResponse(status=204)
    return see_other(_url(battle_id))


@require_POST
def battle_retry(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """The same pair once more; the page is loaded afresh, and with it the stream."""
    try:
        battles.battle_regenerate(
            voter_id=voter_of(request), address=address_of(request), battle_id=battle_id
        )
    except ArenaError as error:
        return _refused(request, battle_id, error)
    if request.htmx:
        return HttpResponseClientRefresh()
    return see_other(_url(battle_id))


@require_POST
def battle_turns_add(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """Go on with the conversation; a prompt that is refused stays in its field."""
    prompt = request.POST.get("prompt", "")
    try:
        turn = battles.turn_add(
            voter_id=voter_of(request),
            address=address_of(request),
            battle_id=battle_id,
            prompt=prompt,
        )
    except ArenaError as error:
        view = _battle_of(request, battle_id)
        return _battle_page(request, view, error=error, prompt=prompt, prompt_error=error)
    return see_other(f"{_url(battle_id)}#turn-{turn.index}")


@require_POST
def battle_feedback_save(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """Reasons and a comment, added to a vote."""
    reasons, comment = request.POST.getlist("reasons"), request.POST.get("comment", "")
    try:
        feedback.vote_feedback(
            voter_id=voter_of(request),
            battle_id=battle_id,
            turn_index=_turn_read(request),
            reasons=reasons,
            comment=comment,
        )
    except ArenaError as error:
        view = _battle_of(request, battle_id)
        if request.htmx:
            said = HttpResponse(
                feedback_said_fragment(saved=False, problem=error.message), status=error.status
            )
            return no_store(retry_after(said, error))
        shown = battle_feedback(view, reasons=reasons, comment=comment)
        return _battle_page(
            request, view, error=error, feedback=shown, feedback_problem=error.message
        )
    if request.htmx:
        return no_store(HttpResponse(feedback_said_fragment(saved=True)))
    return see_other(f"{_url(battle_id)}?saved=1#feedback")


@require_POST
def battle_report(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    """Report one answer, which the pressed button names."""
    turn, side = _answer_read(request.POST.get("answer", ""))
    try:
        reports.answer_report(
            voter_id=voter_of(request),
            address=address_of(request),
            battle_id=battle_id,
            turn_index=turn,
            side=side,
            reason=request.POST.get(f"reason-{turn}-{side}"),
            note=request.POST.get(f"note-{turn}-{side}", ""),
        )
    except ArenaError as error:
        view = _battle_of(request, battle_id)
        problem = _("Please choose a reason.") if error.field == "reason" else error.message
        if request.htmx and side:
            said = report_fragment(turn=turn, side=side, problem=problem)
            return no_store(retry_after(HttpResponse(said, status=error.status), error))
        report = {"turn": turn, "side": side, "problem": problem}
        return _battle_page(request, view, error=error, report=report)
    if request.htmx:
        return no_store(HttpResponse(report_fragment(turn=turn, side=side)))
    return see_other(f"{_url(battle_id)}?reported={turn}-{side}#turn-{turn}")


def _battle_page(
    request: HttpRequest, view: BattleView, *, error: ArenaError | None = None, **more: Any
) -> HttpResponse:
    """The whole page; `more` is what an action has to say beside its own form."""
    turns = battle_turns(view)
    context = {
        "battle": view,
        "turns": turns,
        "verdict": verdict_of(view, turns[-1]),
        "feedback": battle_feedback(view),
        "feedback_saved": request.GET.get("saved") == "1",
        "announcement": announcement(view),
        "report_reasons": REPORT_REASONS,
        "max_characters": MAX_CHARACTERS,
        **more,
    }
    response = render(
        request, "frontend/battle.html", context, status=error.status if error else 200
    )
    return no_store(retry_after(response, error) if error else response)


def _verdict_shown(request: HtmxRequest, battle_id: uuid.UUID) -> HttpResponse:
    if request.htmx:
        return no_store(HttpResponse(verdict_fragments(_battle_of(request, battle_id))))
    return see_other(_url(battle_id) + "#verdict")


def _refused(request: HtmxRequest, battle_id: uuid.UUID, error: ArenaError) -> HttpResponse:
    """The battle as it is now, with the sentence that says why nothing was done."""
    view = _battle_of(request, battle_id)
    if not request.htmx:
        return _battle_page(request, view, error=error, message=error.message)
    frame = verdict_fragments(view, message=error.message)
    return no_store(retry_after(HttpResponse(frame, status=error.status), error))


def _url(battle_id: uuid.UUID) -> str:
    return reverse("frontend:battle", args=[battle_id])


def _turn_read(request: HttpRequest) -> int | str:
    """The number of the turn that a form is about, or what stands in its place."""
    turn = request.POST.get("turn", "")
    return int(turn) if turn.isdecimal() and len(turn) < 6 else turn


def _answer_read(answer: str) -> tuple[int, str]:
    """Turn and side of an answer that a button names; no side for what names none."""
    found = _ANSWER.fullmatch(answer)
    return (int(found[1]), found[2]) if found else (0, "")


def _battle_of(request: HttpRequest, battle_id: uuid.UUID) -> BattleView:
    try:
        return battle_get_for_voter(battle_id=battle_id, voter_id=voter_id_of(request))
    except BattleNotFoundError as error:
        raise Http404 from error
