"""`python -m inference.server` with a clock on its event loop; takes the same arguments.

`GET /benchmark/loop` tells the worst delays, in seconds, since it was last asked. Knows of the
service only that `make_app` makes a Starlette application.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from inference.server import __main__ as service
from inference.server import app as service_app

_STEP_SECONDS = 0.005


class LoopWatch:
    """Wakes every 5 ms beside the application and notes how late: whatever held the loop, be it
    work on it, the interpreter's lock or a busy processor."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.late: list[float] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        if scope["type"] == "http" and scope["path"] == "/benchmark/loop":
            await self._tell(send)
        else:
            await self.app(scope, receive, send)

    async def _watch(self) -> None:
        while True:
            due = time.perf_counter() + _STEP_SECONDS
            await asyncio.sleep(_STEP_SECONDS)
            # uvloop rounds to milliseconds, so a wake-up may also be early.
            self.late.append(time.perf_counter() - due)

    async def _tell(self, send: Send) -> None:
        late, self.late = sorted(self.late), []
        told = {
            "worst": late[-1] if late else 0.0,
            "p99": late[int(0.99 * len(late))] if late else 0.0,
            "times": len(late),
        }
        body = json.dumps(told).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _watched(make_app: Callable[..., Starlette]) -> Callable[..., Starlette]:
    def make(*arguments: Any, **options: Any) -> Starlette:
        app = make_app(*arguments, **options)
        app.add_middleware(LoopWatch)
        return app

    return make


if __name__ == "__main__":
    service_app.make_app = _watched(service_app.make_app)
    sys.exit(service.main())
