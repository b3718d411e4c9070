"""What pages that belong to one voter answer with. Knows nothing of battles."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django_htmx.middleware import HtmxDetails

from arena.errors import ArenaError
from arena.voters import voter_id_of


class HtmxRequest(HttpRequest):
    """A request that has passed `django_htmx.middleware.HtmxMiddleware`."""

    htmx: HtmxDetails


def voter_of(request: HttpRequest) -> uuid.UUID:
    """The voter of a request; whoever is none has no battles either."""
    voter_id = voter_id_of(request)
    if voter_id is None:
        raise Http404
    return voter_id


def see_other(url: str) -> HttpResponseRedirect:
    """After a form: the page to load next."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def no_store(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


def retry_after(response: HttpResponse, error: ArenaError) -> HttpResponse:
    """Tell programs when to come back, where that is known."""
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response
