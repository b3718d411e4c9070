"""Refuses requests that another site's page makes in a voter's browser. Knows no app's rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from arena.errors import error_body
from arena.voters import origin_is_own


class ForeignOriginMiddleware:
    """A foreign `Origin` on /api/ is 403: the API is for this site's pages and for programs.

    Pages have CSRF tokens; anonymous JSON has none, so this is what keeps other sites out of it.
    """

    sync_capable = True
    async_capable = True

    def __init__(
        self,
        get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
    ) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        refusal = self._refusal(request)
        if refusal is None:
            return self.get_response(request)
        if iscoroutinefunction(self.get_response):
            return _answer(refusal)
        return refusal

    @staticmethod
    def _refusal(request: HttpRequest) -> HttpResponse | None:
        origin = request.headers.get("Origin")
        if origin is None or not request.path.startswith("/api/"):
            return None
        if origin_is_own(origin=origin, host=request.headers.get("Host", "")):
            return None
        return JsonResponse(
            error_body("foreign_origin", "Another site's page may not use this API."), status=403
        )


async def _answer(response: HttpResponse) -> HttpResponse:
    return response
