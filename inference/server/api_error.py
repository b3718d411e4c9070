"""Answers other than 200, in the shape that OpenAI's clients read.

It knows statuses and error bodies; it knows no request and no transport.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

_LONGEST = 1000


class ApiError(Exception):
    """An answer other than 200, as OpenAI's clients expect it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
        kind = "server_error" if status >= 500 else kinds.get(status, "invalid_request_error")
        self.body: dict[str, Any] = {
            "error": {
                "message": _printable(message),
                "type": kind,
                "param": None if param is None else _printable(param),
                "code": code,
            }
        }

    def response(self, headers: dict[str, str] | None = None) -> JSONResponse:
        """The whole answer, with `Retry-After` where there is a time to name."""
        headers = dict(headers or {})
        if self.retry_after:
            headers["retry-after"] = str(self.retry_after)
        return JSONResponse(self.body, status_code=self.status, headers=headers)


def _printable(text: str) -> str:
    """A request's own words may come back in an error: of any length, and with lone surrogates."""
    return text[:_LONGEST].encode("utf-8", "backslashreplace").decode()
