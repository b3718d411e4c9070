"""A battle's stream as Server-Sent Events (WHATWG HTML, section 9.2). Apart from DRF, which cannot
stream; errors have the same shape."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from arena.errors import ArenaError, BattleNotFoundError, MethodNotAllowedError
from arena.events import Event
from arena.limits import limit_hit
from arena.stream import ReaderLaggedError, StreamEndedError, battle_stream
from arena.voters import address_of, voter_id_of


@csrf_exempt
async def battle_events(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponseBase:
    """`id` is the event's seq; Last-Event-ID goes on from there, and past the end is a 204, which
    tells an EventSource to stop asking."""
    try:
        response = await _response(request, battle_id)
    except StreamEndedError:
        response = HttpResponse(status=204)
    except ArenaError as error:
        response = JsonResponse(error.body(), status=error.status)
        if error.retry_after is not None:
            response["Retry-After"] = str(error.retry_after)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _response(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponseBase:
    if request.method != "GET":
        raise MethodNotAllowedError
    voter_id = voter_id_of(request)
    if voter_id is None:
        raise BattleNotFoundError
    address = address_of(request)
    await asyncio.to_thread(limit_hit, action="streams", voter_id=voter_id, address=address)
    last = request.headers.get("Last-Event-ID", "")
    # Anything else than a number of ours is no place to go on from.
    after = int(last) if last.isascii() and last.isdecimal() and len(last) < 18 else None
    stream = battle_stream(battle_id=battle_id, voter_id=voter_id, after=after)
    first = await anext(stream)
    return StreamingHttpResponse(
        _events(first, stream), content_type="text/event-stream; charset=utf-8"
    )


async def _events(first: Event, stream: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    yield _event(first)
    try:
        async for event in stream:
            yield _event(event)
    except ReaderLaggedError:
        # The connection ends here; EventSource connects again with its Last-Event-ID.
        return


def _event(event: Event) -> bytes:
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event['seq']}\nevent: {event['type']}\ndata: {data}\n\n".encode()
