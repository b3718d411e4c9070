"""The ASGI application: static files, pages and API, sockets, and the end of the process."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

import asyncio
from typing import Any, cast

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from starlette.types import Receive, Scope, Send

from arena.runner import runner
from config.body_limit import BodyLimit
from config.static import static_app
from frontend.routing import websocket_urlpatterns

_static = static_app(settings.STATIC_ROOT)


async def _http(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"].startswith(settings.STATIC_URL):
        inner = {**scope, "path": scope["path"].removeprefix(settings.STATIC_URL.rstrip("/"))}
        await _static(inner, receive, send)
    else:
        # Whether people come by https is told by PUBLIC_URL, never by a header.
        scheme = "https" if settings.PUBLIC_IS_HTTPS else scope["scheme"]
        await django_application({**scope, "scheme": scheme}, receive, cast(Any, send))


async def _lifespan(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """On shutdown, answers in the making are saved and marked as interrupted."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await asyncio.to_thread(runner.close)
            await send({"type": "lifespan.shutdown.complete"})
            return


application = BodyLimit(
    ProtocolTypeRouter(
        {"http": _http, "websocket": URLRouter(websocket_urlpatterns), "lifespan": _lifespan}
    ),
    api_limit=settings.API_BODY_LIMIT,
    page_limit=settings.PAGE_BODY_LIMIT,
)
