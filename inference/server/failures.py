"""What goes wrong inside the service, as an answer of the protocol.

It knows the errors of engines and of the fleet; it knows no request.
"""

from __future__ import annotations

from inference.server.api_error import ApiError
from inference.server.engine import ContextOverflowError, EngineFullError
from inference.server.fleet import FleetError, ModelUnavailableError


def api_error(error: Exception) -> ApiError:
    """The answer that stands for an error of an engine or of the fleet."""
    if isinstance(error, ContextOverflowError):
        return ApiError(400, str(error), code="context_length_exceeded")
    if isinstance(error, FleetError):
        return ApiError(409, str(error), code="refused")
    if isinstance(error, EngineFullError):
        after = error.retry_after
        return ApiError(429, str(error), code="rate_limit_exceeded", retry_after=after)
    if isinstance(error, ModelUnavailableError):
        after = error.retry_after
        return ApiError(503, str(error), code="model_not_ready", retry_after=after)
    return ApiError(503, str(error), code="engine_failed", retry_after=5)
