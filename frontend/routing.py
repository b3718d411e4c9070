"""Paths of sockets."""

from __future__ import annotations

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from django.urls import path, re_path

from frontend.consumers import BattleConsumer


async def refuse(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:  # noqa: ARG001
    """Any other path: refused in the handshake, where the router would fail with an exception."""
    await receive()
    await send({"type": "websocket.close", "code": 1000, "reason": None})


websocket_urlpatterns = [
    path("ws/battles/<uuid:battle_id>/", BattleConsumer.as_asgi()),
    re_path("", refuse),  # type: ignore[arg-type]  # an ASGI application, as URLRouter wants
]
