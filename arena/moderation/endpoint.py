"""Any OpenAI-compatible moderation endpoint: `POST {base}/moderations`.

Knows no Django, no policy and no other moderator. What the endpoint says of an error may quote the
text, so nothing of it is passed on but the status.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from arena.moderation.interface import Failure, ModeratorUnavailableError
from inference.endpoint_rules import address_problem, key_name_problem
from inference.errors import GenerationError
from inference.exchange import api_key
from inference.network_guard import NetworkGuard, http_client

# For one text, however many requests it takes.
SECONDS = 5.0
PIECE_CHARACTERS = 4_000
# What stands at the end of a piece stands at the beginning of the next: no phrase is cut for both.
OVERLAP_CHARACTERS = 200
PIECES_A_REQUEST = 4
MAX_BODY_BYTES = 1 << 20
# An endpoint that failed this often in a row is left alone for a while: nobody waits for it.
FAILURES_BEFORE_REST = 3
REST_SECONDS = 15.0
# Failures of the endpoint, whatever the text.
_OUTAGES = frozenset({Failure.TIMEOUT, Failure.UNREACHABLE, Failure.BUSY})


class EndpointModerator:
    """The scores of an endpoint, of the worst piece where a text is long. For one event loop."""

    def __init__(self, *, url: str, model: str, key_env: str, guard: NetworkGuard) -> None:
        self.name = urlsplit(url).hostname or url
        self.version = model or "default"
        self._url = url.rstrip("/") + "/moderations"
        self._model = model
        self._key_env = key_env
        self._guard = guard
        self._http: httpx.AsyncClient | None = None
        self._failures = 0
        self._rests_until = 0.0

    async def scores(self, text: str) -> Mapping[str, float]:
        """Raises ModeratorUnavailableError within SECONDS, and at once while it rests."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until:
            raise ModeratorUnavailableError(Failure.RESTING, "it failed again and again just now")
        try:
            found = await self._scores_in_time(text)
        except ModeratorUnavailableError as error:
            self._failures = self._failures + 1 if error.failure in _OUTAGES else 0
            if self._failures >= FAILURES_BEFORE_REST:
                self._failures, self._rests_until = 0, loop.time() + REST_SECONDS
            raise
        self._failures = 0
        return found

    async def aclose(self) -> None:
        """Close the connections, in the loop that opened them."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _scores_in_time(self, text: str) -> Mapping[str, float]:
        parts = pieces(text)
        requests = [
            parts[start : start + PIECES_A_REQUEST]
            for start in range(0, len(parts), PIECES_A_REQUEST)
        ]
        try:
            async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._ask(each)) for each in requests]
        except TimeoutError:
            raise ModeratorUnavailableError(
                Failure.TIMEOUT, f"no answer within {SECONDS:.0f} s"
            ) from None
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        worst: dict[str, float] = {}
        for task in tasks:
            for category, score in task.result():
                worst[category] = max(score, worst.get(category, 0.0))
        return worst

    async def _ask(self, parts: Sequence[str]) -> list[tuple[str, float]]:
        # One text goes as text: some servers take no list.
        body: dict[str, Any] = {"input": parts[0] if len(parts) == 1 else list(parts)}
        if self._model:
            body["model"] = self._model
        try:
            headers = {"Accept-Encoding": "identity"}
            if key := api_key(self._key_env):
                headers["Authorization"] = f"Bearer {key}"
            if self._http is None:
                self._http = http_client(self._guard)
            async with self._http.stream("POST", self._url, json=body, headers=headers) as response:
                if response.status_code != httpx.codes.OK:
                    raise _refusal(response.status_code)
                content = await _content(response)
        except httpx.HTTPError as error:
            raise ModeratorUnavailableError(Failure.UNREACHABLE, type(error).__name__) from error
        except GenerationError as error:
            # The guard's or the key's: both speak of the operator's settings only.
            raise ModeratorUnavailableError(Failure.UNREACHABLE, str(error)) from error
        return _scores_read(content, count=len(parts))


def pieces(text: str) -> list[str]:
    """The text in overlapping pieces of at most PIECE_CHARACTERS; all of it where it is short."""
    step = PIECE_CHARACTERS - OVERLAP_CHARACTERS
    starts = range(0, max(1, len(text) - OVERLAP_CHARACTERS), step)
    return [text[start : start + PIECE_CHARACTERS] for start in starts]


def moderation_url_read(url: str) -> str:
    """ARENA_MODERATION_URL without its last slash; raises ValueError that names the fault."""
    if problem := address_problem(url):
        raise ValueError(f"ARENA_MODERATION_URL {problem}: give one like https://api.openai.com/v1")
    return url.rstrip("/")


def moderation_key_env_read(name: str) -> str:
    """ARENA_MODERATION_KEY_ENV; raises ValueError, without the value, for what is no name."""
    if problem := key_name_problem(name):
        raise ValueError(f"ARENA_MODERATION_KEY_ENV {problem}")
    return name


def _refusal(status: int) -> ModeratorUnavailableError:
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ModeratorUnavailableError(Failure.BUSY, "status 429")
    failure = (
        Failure.UNREACHABLE if status >= httpx.codes.INTERNAL_SERVER_ERROR else Failure.REFUSED
    )
    return ModeratorUnavailableError(failure, f"status {status}")


async def _content(response: httpx.Response) -> bytes:
    content = bytearray()
    async for part in response.aiter_raw():
        content += part
        if len(content) > MAX_BODY_BYTES:
            raise ModeratorUnavailableError(Failure.MALFORMED, f"over {MAX_BODY_BYTES} bytes")
    return bytes(content)


def _scores_read(content: bytes, *, count: int) -> list[tuple[str, float]]:
    """(category, score) of every result; from `categories` where a server gives no scores."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        raise ModeratorUnavailableError(Failure.MALFORMED, "no JSON") from None
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or len(results) != count:
        raise ModeratorUnavailableError(Failure.MALFORMED, f"not {count} results")
    found: list[tuple[str, float]] = []
    for result in results:
        scores = result.get("category_scores") if isinstance(result, dict) else None
        if scores is None and isinstance(result, dict):
            verdicts = result.get("categories")
            if isinstance(verdicts, dict) and all(isinstance(v, bool) for v in verdicts.values()):
                scores = {category: float(verdict) for category, verdict in verdicts.items()}
        if not isinstance(scores, dict):
            raise ModeratorUnavailableError(Failure.MALFORMED, "a result without category_scores")
        # null: the endpoint's model does not know this category.
        found += [(category, score) for category, score in scores.items() if score is not None]
    return found
