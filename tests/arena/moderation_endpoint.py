"""A real moderation endpoint on loopback that scores the words a test gives it, faults included."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.scripted_endpoint import served

SECRET_WORDS = "what the moderation provider says"


@dataclass
class ModerationEndpoint:
    """`words` maps a category to the words that it scores and how; the strongest word counts.

    `reply` answers every request in its stead: a status, or a body to send with status 200.
    """

    words: Mapping[str, Mapping[str, float]]
    url: str = ""
    reply: int | bytes | None = None
    hangs: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """All texts that were sent here."""
        inputs = [request["input"] for request in self.requests]
        return [text for each in inputs for text in ([each] if isinstance(each, str) else each)]

    def reset(self) -> None:
        """As new, for the next test."""
        self.reply, self.hangs = None, False
        self.requests.clear()
        self.keys.clear()

    async def moderations(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        self.keys.append(request.headers.get("authorization", ""))
        while self.hangs:  # noqa: ASYNC110 - another thread ends it
            await asyncio.sleep(0.005)
        if isinstance(self.reply, int):
            return Response(SECRET_WORDS, self.reply)
        if self.reply is not None:
            return Response(self.reply, media_type="application/json")
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        results = [{"flagged": False, "category_scores": self._scores(text)} for text in texts]
        return Response(json.dumps({"id": "modr-1", "results": results}))

    def _scores(self, text: str) -> dict[str, float]:
        return {
            category: max((score for word, score in words.items() if word in text), default=0.0)
            for category, words in self.words.items()
        }


@contextmanager
def moderation_endpoint(
    words: Mapping[str, Mapping[str, float]],
) -> Iterator[ModerationEndpoint]:
    """Serve one until the block ends; `url` is its base URL."""
    endpoint = ModerationEndpoint(words)
    app = Starlette(routes=[Route("/v1/moderations", endpoint.moderations, methods=["POST"])])
    with served(app) as address:
        endpoint.url = f"{address}/v1"
        yield endpoint
