"""Refuses a request body over the limit before it is stored anywhere. Plain ASGI, no Django.

Django's ASGI handler spools a body of any size to disk first; a 1 GB upload must not get that far.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyLimit:
    """413 for a body longer than `api_limit` bytes under /api/, `page_limit` elsewhere."""

    def __init__(self, app: App, *, api_limit: int, page_limit: int) -> None:
        self.app = app
        self.api_limit = api_limit
        self.page_limit = page_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.api_limit if scope["path"].startswith("/api/") else self.page_limit
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            await _refuse(scope, send, limit)
            return
        received = 0

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            # To the application the client has gone, so that it closes what it has opened.
            return {"type": "http.disconnect"} if received > limit else message

        async def watched_send(message: Message) -> None:
            if received <= limit:
                await send(message)

        await self.app(scope, counted_receive, watched_send)
        if received > limit:
            await _refuse(scope, send, limit)


async def _refuse(scope: Scope, send: Send, limit: int) -> None:
    message = f"The request is larger than {limit // 1024} KB."
    kind, body = b"text/plain; charset=utf-8", message.encode()
    if scope["path"].startswith("/api/"):
        error = {"code": "too_large", "message": message}
        kind, body = b"application/json", json.dumps({"error": error}).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 413,
            "headers": [
                (b"content-type", kind),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
