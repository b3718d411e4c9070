"""Server-Sent Events, one write per event and nothing held back.

It knows the form of a stream and of its end; it knows no model and no protocol of answers.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Send

from inference.server.api_error import ApiError
from inference.server.reply import written

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies must not collect
]


class EventStream:
    """A stream to one client. It ends with `finish`, or with `fail` and without `[DONE]`."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def open(self) -> None:
        """Send the status and the headers."""
        await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})

    async def event(self, body: dict[str, Any], *, large: bool = False) -> None:
        """Send one event. `large`: more to write than the event loop may wait for."""
        text = await asyncio.to_thread(written, body) if large else written(body)
        await self._write(f"data: {text}\n\n")

    async def finish(self) -> None:
        """The end of an answer that is whole."""
        await self._write("data: [DONE]\n\n")
        await self._write("", more=False)

    async def fail(self, error: ApiError) -> None:
        """The end of an answer that is not whole."""
        await self.event(error.body)
        await self._write("", more=False)

    async def _write(self, text: str, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": text.encode(), "more_body": more})
