"""A client of streamed OpenAI completions that takes as little of the processor as it can.

It shares the cores with the server that it measures: on a socket of its own for each request, no
JSON is parsed for a piece of text. Knows no contender; imports only the standard library.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from benchmarks.burst import Answer, Prompt

_NO_TEXT = (b'"text":""', b'"text": ""')


class RefusedError(RuntimeError):
    """The server answered with an error, or with something that is no stream."""


async def burst(
    url: str, prompts: Sequence[Prompt], settings: Sequence[dict[str, Any]]
) -> list[Answer]:
    """Send every prompt to `url` (`…/v1/completions`) at once, each with its settings."""
    return list(await asyncio.gather(*map(_complete, [url] * len(prompts), prompts, settings)))


async def status(url: str) -> int:
    """The status of a GET, or 0 when nobody answers."""
    return (await get(url))[0]


async def get(url: str) -> tuple[int, bytes]:
    """The status and what follows the headers of a GET; 0 and nothing when nobody answers."""
    parts = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            head = f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
            writer.write(head.encode())
            answer = await reader.read()
        finally:
            writer.close()
    except OSError:
        return 0, b""
    first, _, rest = answer.partition(b"\r\n\r\n")
    words = first.split(None, 2)
    return (int(words[1]) if len(words) > 1 else 0), rest


async def _complete(url: str, prompt: Prompt, settings: dict[str, Any]) -> Answer:
    parts = urlsplit(url)
    asked = {"prompt": prompt.text, "stream": True, "stream_options": {"include_usage": True}}
    body = json.dumps(asked | settings).encode()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = Answer(sent=time.perf_counter())
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(head.encode() + body)
        await _read_events(reader, answer)
    finally:
        writer.close()
    answer.ended = time.perf_counter()
    return answer


async def _read_events(reader: asyncio.StreamReader, answer: Answer) -> None:
    status = (await reader.readline()).decode(errors="replace")
    chunked = False
    while (line := (await reader.readline()).strip().lower()) != b"":
        chunked = chunked or line == b"transfer-encoding: chunked"
    if " 200 " not in status:
        raise RefusedError(f"{status.strip()}: {(await reader.read(300)).decode(errors='replace')}")
    usage: bytes | None = None
    held = b""
    async for data in _chunks(reader) if chunked else _pieces(reader):
        now = time.perf_counter()
        *lines, held = (held + data).split(b"\n")
        for line in lines:
            if not line.startswith(b"data: {"):
                continue
            if b'"usage":{' in line or b'"usage": {' in line:
                usage = line
            if b'"error"' in line:
                raise RefusedError(line[6:300].decode(errors="replace"))
            if b'"text":' in line and not any(none in line for none in _NO_TEXT):
                answer.pieces.append((now, len(answer.pieces) + 1))
    if usage is None:
        raise RefusedError("the stream ended without its usage")
    _count(answer, json.loads(usage[6:])["usage"]["completion_tokens"])


def _count(answer: Answer, tokens: int) -> None:
    """A character made of several tokens comes as one piece, so the pieces may be fewer."""
    if answer.pieces:
        answer.pieces[-1] = (answer.pieces[-1][0], max(tokens, len(answer.pieces)))


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readline()).split(b";")[0] or b"0", 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while data := await reader.read(65536):
        yield data
