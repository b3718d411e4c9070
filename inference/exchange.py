"""One request at one endpoint: what goes out, what comes back, and every limit in time.

Knows nothing of other endpoints, of tries before and after, or of the database.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from inference.dialects import DIALECTS, Chunk, status_error, stream_error
from inference.endpoint_pool import EndpointAddress
from inference.errors import (
    ConnectTimeoutError,
    EndpointRefusesUsError,
    EndpointTimeoutError,
    EndpointUnavailableError,
    GenerationError,
    ProtocolError,
)
from inference.event_stream import EventSplitter

MAX_BODY_BYTES = 1 << 16  # of an error
MAX_LIST_BYTES = 1 << 22  # of the models a server lists
MAX_TOLD_CHARACTERS = 1000
# How long the end of a body may take that holds nothing more of the answer.
AFTERWARDS_SECONDS = 2.0
CLOSING_SECONDS = 0.1


def api_key(api_key_env: str) -> str:
    """The key of that name, read from the environment at each use; "" for none.

    Raises EndpointUnavailableError, without the value, where it cannot be sent as a header.
    """
    key = os.environ.get(api_key_env, "").strip() if api_key_env else ""
    if not (key.isascii() and key.isprintable()):
        raise EndpointRefusesUsError(
            f"the environment variable {api_key_env} holds characters that no key has"
        )
    return key


async def exchange(
    http: httpx.AsyncClient,
    endpoint: EndpointAddress,
    body: Mapping[str, Any],
    *,
    first_token_by: float,
    ends_by: float,
) -> AsyncGenerator[Chunk]:
    """The events of one answer up to its finish. Raises GenerationError; times are the loop's.

    Only text and reasoning count as tokens: what else a server sends defers no limit. After the
    finish the answer is whole, and what goes wrong then costs no more than the token counts.
    """
    loop = asyncio.get_running_loop()
    read = DIALECTS[endpoint.dialect].read
    url = endpoint.base_url.rstrip("/") + DIALECTS[endpoint.dialect].path
    limit, limit_name = min(first_token_by, ends_by), "the first token"
    finished = False
    async with _answered(http, endpoint, "POST", url, body, until=limit) as response:
        await _expect_events(response, until=limit)
        payloads = _payloads(response)
        async with aclosing(payloads):
            while True:
                try:
                    async with asyncio.timeout_at(limit):
                        chunk = read(await anext(payloads))
                except StopAsyncIteration:
                    break
                except (TimeoutError, GenerationError, httpx.HTTPError) as error:
                    if finished:
                        break
                    if isinstance(error, TimeoutError):
                        raise EndpointTimeoutError(f"{limit_name} took too long") from None
                    raise
                if chunk.last:
                    # The end of the body comes at once, and then the connection can be kept.
                    await _read_to_the_end(payloads, seconds=CLOSING_SECONDS)
                    break
                if finished and (chunk.text or chunk.reasoning):
                    continue
                yield chunk
                if chunk.finish and not finished:
                    finished = True
                    limit = min(ends_by, loop.time() + AFTERWARDS_SECONDS)
                elif (chunk.text or chunk.reasoning) and not finished:
                    # From when more is asked for: a slow reader is not the server's fault.
                    between = loop.time() + endpoint.between_tokens_timeout
                    limit, limit_name = between, "the next token"
                    if ends_by <= between:
                        limit, limit_name = ends_by, "the whole answer"
    if not finished:
        raise EndpointUnavailableError("the stream ended before the answer did")


async def models_served(
    http: httpx.AsyncClient, endpoint: EndpointAddress, *, seconds: float
) -> set[str] | None:
    """The names a server lists at `/models`, within `seconds`; None where it keeps no full list.

    Raises GenerationError for what is wrong with it.
    """
    until = asyncio.get_running_loop().time() + seconds
    url = endpoint.base_url.rstrip("/") + "/models"
    async with _answered(http, endpoint, "GET", url, until=until) as response:
        if response.status_code in {404, 405}:
            return None
        body = await _body(response, until=until, limit=MAX_LIST_BYTES)
        if response.status_code != httpx.codes.OK:
            raise status_error(response.status_code, f"GET {url}{_redirect(response)}")
        try:
            names = {str(row["id"]) for row in json.loads(body)["data"]}
        except (ValueError, LookupError, TypeError, RecursionError):
            raise ProtocolError(f"GET {url} answered something that is no list of models") from None
        return names if DIALECTS[endpoint.dialect].lists_every_name else None


@asynccontextmanager
async def _answered(
    http: httpx.AsyncClient,
    endpoint: EndpointAddress,
    method: str,
    url: str,
    body: Mapping[str, Any] | None = None,
    *,
    until: float,
) -> AsyncIterator[httpx.Response]:
    """Send a request and read the headers of its answer; errors leave it typed and without keys."""
    key = api_key(endpoint.api_key_env)
    # The bytes are split as they come, so they must come as they are.
    headers = DIALECTS[endpoint.dialect].headers(key) | {"Accept-Encoding": "identity"}
    content = None
    if body is not None:
        content = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    response: httpx.Response | None = None
    try:
        request = http.build_request(method, url, content=content, headers=headers)
        response = await _sent(http, endpoint, request, until=until)
        yield response
    except GenerationError as error:
        said = _without_key(str(error), key)
        if isinstance(error, EndpointRefusesUsError) and endpoint.api_key_env and not key:
            said += f" ({endpoint.api_key_env} is not set)"
        error.args = (said,)
        raise
    except httpx.RemoteProtocolError as error:
        said = _without_key(str(error), key)
        # h11 and httpcore say so in these words when the server hangs up.
        gone = "disconnected" in said or "closed connection" in said
        raise (EndpointUnavailableError if gone else ProtocolError)(said) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        said = f"{type(error).__name__}: {_without_key(str(error), key)}"
        raise EndpointUnavailableError(said) from None
    finally:
        if response is not None:
            await response.aclose()


async def _sent(
    http: httpx.AsyncClient, endpoint: EndpointAddress, request: httpx.Request, *, until: float
) -> httpx.Response:
    """Name resolution, TCP and TLS have one limit together; the headers that of the first token."""
    loop = asyncio.get_running_loop()
    connect_by = loop.time() + endpoint.connect_timeout
    is_connecting = True

    async def follow(event: str, _: Mapping[str, Any]) -> None:
        nonlocal is_connecting
        if event == "http11.send_request_headers.started" and not limit.expired():
            is_connecting = False
            limit.reschedule(until)

    request.extensions = {
        "trace": follow,
        "timeout": httpx.Timeout(None, connect=endpoint.connect_timeout).as_dict(),
    }
    try:
        async with asyncio.timeout_at(min(connect_by, until)) as limit:
            return await http.send(request, stream=True)
    except (TimeoutError, httpx.ConnectTimeout):
        if is_connecting and loop.time() >= connect_by:
            raise ConnectTimeoutError("no connection within its limit") from None
        missing = "connection" if is_connecting else "header"
        raise EndpointTimeoutError(f"the first token took too long: no {missing} yet") from None


async def _expect_events(response: httpx.Response, *, until: float) -> None:
    """Raise what the answer stands for unless it is a stream of events."""
    if response.status_code != httpx.codes.OK:
        body = await _body(response, until=until, limit=MAX_BODY_BYTES)
        said = body.decode("utf-8", "replace")
        said = _redirect(response) or said
        error = status_error(response.status_code, said)
        error.retry_after = _retry_after(response.headers)
        raise error
    encoding = response.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise ProtocolError(f"an answer in content-encoding {encoding!r}, which was not asked for")
    kind = response.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() == "text/event-stream":
        return
    if "json" in kind:
        body = await _body(response, until=until, limit=MAX_BODY_BYTES)
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict) and value.get("error"):
            raise stream_error(value["error"])
    raise ProtocolError(f"an answer of type {kind!r} where a stream of events was asked for")


async def _body(response: httpx.Response, *, until: float, limit: int) -> bytes:
    """The beginning of a body, as much as comes until `until`."""
    body = bytearray()
    try:
        async with asyncio.timeout_at(until), aclosing(_parts(response)) as parts:
            async for part in parts:
                body += part
                if len(body) > limit:
                    break
    except (TimeoutError, httpx.HTTPError):
        body += b" [the rest of the body did not come]"
    return bytes(body)


def _parts(response: httpx.Response) -> AsyncGenerator[bytes]:
    # It is a generator, which httpx's annotation does not say.
    return cast(AsyncGenerator[bytes], response.aiter_raw())


async def _payloads(response: httpx.Response) -> AsyncGenerator[bytes]:
    splitter = EventSplitter()
    async with aclosing(_parts(response)) as parts:
        async for part in parts:
            for payload in splitter.feed(part):
                yield payload
    for payload in splitter.end():
        yield payload


async def _read_to_the_end(payloads: AsyncGenerator[bytes], *, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            async for _ in payloads:
                pass
    except (TimeoutError, GenerationError, httpx.HTTPError):
        pass  # the connection is closed instead of kept; the answer is whole


def _redirect(response: httpx.Response) -> str:
    """Where a redirect leads, without what may be secret in it; "" for another answer."""
    if not 300 <= response.status_code < 400:
        return ""
    try:
        parts = urlsplit(response.headers.get("location", ""))
    except ValueError:
        parts = urlsplit("")
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return f" a redirect to {place}, which is not followed: base_url must be the last address"


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds of a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def _without_key(said: str, key: str) -> str:
    """An error's words without the key, should a server repeat it, and not too many of them."""
    if len(key) >= 4:
        said = said.replace(key, "[key]")
    return said[:MAX_TOLD_CHARACTERS]
