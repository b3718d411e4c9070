"""What all of the API shares: the shape of errors, and 404 in JSON for paths that do not exist."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from arena.errors import ArenaError, error_body

logger = logging.getLogger(__name__)


def error_response(problem: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What is not foreseen here stays a 500, logged by Django."""
    if isinstance(problem, ArenaError):
        response = Response(
            problem.body(),
            status=problem.status,
        )
        if problem.retry_after is not None:
            response["Retry-After"] = str(problem.retry_after)
        return response
    if isinstance(problem, RequestDataTooBig):
        return Response(
            error_body("too_large", "The request is larger than allowed."),
            status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
        )
    known = exception_handler(problem, context)
    return None if known is None else _shaped(problem, known)


def _shaped(problem: Exception, response: Response) -> Response:
    """DRF's own response in our shape."""
    field = None
    detail: Any = response.data
    if isinstance(problem, exceptions.ValidationError) and isinstance(detail, dict):
        field, detail = next(iter(detail.items()))
    code, message = "invalid", str(detail)
    if isinstance(problem, Http404):
        code, message = "not_found", "There is nothing here."
    elif isinstance(problem, exceptions.APIException):
        codes = problem.get_codes()
        code = codes if isinstance(codes, str) else "invalid"
        if isinstance(detail, dict):
            message = str(detail.get("detail", detail))
        elif isinstance(detail, list):
            message = " ".join(str(part) for part in detail)
    response.data = error_body(code, message, field)
    return response


@csrf_exempt
def not_found(request: HttpRequest, path: str = "") -> JsonResponse:  # noqa: ARG001
    """Every path under /api/ that is none of ours, one without its closing slash among them."""
    message = "There is no such path in this API."
    if not request.path.endswith("/"):
        message += " Every path ends in a slash."
    return JsonResponse(error_body("not_found", message), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours: JSON under /api/, else the site's page."""
    if request.path.startswith("/api/"):
        return JsonResponse(
            error_body("server_error", "Something broke on our side; it has been logged."),
            status=500,
        )
    return defaults.server_error(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before any view, such as a Host that is not ours."""
    if request.path.startswith("/api/"):
        return JsonResponse(error_body("bad_request", "This request cannot be read."), status=400)
    return defaults.bad_request(request, exception)
