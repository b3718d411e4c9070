"""The raw body of a request, within limits of type, size and time.

It knows HTTP; it knows nothing of what the body means.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from inference.server.api_error import ApiError

MAX_BODY_BYTES = 4 * 2**20
_SECONDS = 60.0


async def read_limited(request: Request) -> bytes:
    """The whole body. Raises ApiError: 415 for a type that is not JSON, 413 when it is too long,
    408 when it does not arrive; ClientDisconnect when the client leaves.

    A body without a type is read. The types that a web page may send anywhere without being asked
    are refused, so that no page can make a browser use a service on its own machine.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise ApiError(415, f"content-type must be application/json, not {kind[:100]}")
    pieces, size = [], 0
    try:
        async with asyncio.timeout(_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > MAX_BODY_BYTES:
                    raise ApiError(413, f"the body is above {MAX_BODY_BYTES // 2**20} MiB")
                pieces.append(piece)
    except TimeoutError as error:
        raise ApiError(408, f"the body did not arrive within {_SECONDS:g} s") from error
    return b"".join(pieces)
