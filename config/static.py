"""Serves the collected static files. Names carry a hash of the content, so they never go stale."""

from __future__ import annotations

import os
import re
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

_HASHED = re.compile(r"\.[0-9a-f]{12}\.")


class HashedStaticFiles(StaticFiles):
    """Files whose name holds their hash may be kept for a year."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        if _HASHED.search(Path(full_path).name):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def static_app(folder: Path) -> ASGIApp:
    """An ASGI application for /static/, compressed."""
    files = HashedStaticFiles(directory=folder, check_dir=False)
    # What is not there is a 404, which Starlette's application makes of the exception.
    return Starlette(routes=[Mount("/", files)], middleware=[Middleware(GZipMiddleware)])
