"""Bodies of answers in the OpenAI protocol: whole, or in the chunks of a stream.

It knows the shapes that clients read; it knows neither where the text comes from nor a transport.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from inference.server.generation import Delta, TokenLogprob
from inference.server.logprobs import TextPlaces, chat_logprobs, joined, plain_logprobs
from inference.server.protocol import CompletionCall
from inference.server.vocabulary import Vocabulary

_SLICE = 64


@dataclass
class Choice:
    """One answer as far as it has come."""

    index: int
    text: str = ""
    completion_tokens: int = 0
    finish_reason: str | None = None
    tokens: list[TokenLogprob] = field(default_factory=list)
    begin: int = 0
    """Length of the echoed prompt that the text begins with."""
    echoed: dict[str, Any] | None = None
    """Log-probabilities of the echoed prompt, where they were asked for."""

    begun: bool = False
    places: TextPlaces = field(default_factory=TextPlaces)
    """At the next token of a stream."""

    def add(self, delta: Delta) -> None:
        """Keep what came."""
        self.text += delta.text
        self.tokens.extend(delta.tokens)
        self.count(delta)

    def count(self, delta: Delta) -> None:
        """Keep how much came, not what: a stream has sent it."""
        self.begun = True
        self.completion_tokens = delta.completion_tokens
        self.finish_reason = delta.finish_reason


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Writes the bodies of one answer."""

    call: CompletionCall
    vocabulary: Vocabulary
    prompt_tokens: int
    """Over all prompts, each counted once."""
    fingerprint: str | None = None
    """The same as long as the same weights are computed in the same way."""
    created: int = field(default_factory=lambda: int(time.time()))
    unique: str = field(default_factory=lambda: uuid.uuid4().hex)

    def whole(self, choices: list[Choice]) -> dict[str, Any]:
        """The body of an answer that is not streamed."""
        kind = "chat.completion" if self.call.chat else "text_completion"
        bodies = [self._choice(choice) for choice in choices]
        tokens = sum(choice.completion_tokens for choice in choices)
        return self._body(kind, bodies) | {"usage": self._usage(tokens)}

    def chunk(self, choice: Choice, delta: Delta) -> dict[str, Any]:
        """One chunk of a stream, which `choice` does not count yet."""
        body: dict[str, Any] = {"index": choice.index}
        if self.call.chat:
            content: dict[str, str] = {} if choice.begun else {"role": "assistant"}
            if delta.text or not choice.begun:
                content["content"] = delta.text
            body["delta"] = content
        else:
            body["text"] = delta.text
        logprobs = self._logprobs(delta.tokens, choice.places) if delta.tokens else None
        body |= {"logprobs": logprobs, "finish_reason": delta.finish_reason}
        return self._body(self._chunk_kind, [body])

    def usage_chunk(self, completion_tokens: int) -> dict[str, Any]:
        """The last chunk of a stream that asked for usage: it has no choices."""
        return self._body(self._chunk_kind, []) | {"usage": self._usage(completion_tokens)}

    @property
    def _chunk_kind(self) -> str:
        return "chat.completion.chunk" if self.call.chat else "text_completion"

    def _choice(self, choice: Choice) -> dict[str, Any]:
        body: dict[str, Any] = {"index": choice.index}
        if self.call.chat:
            body["message"] = {"role": "assistant", "content": choice.text, "refusal": None}
        else:
            body["text"] = choice.text
        logprobs = self._logprobs(choice.tokens, TextPlaces(choice.begin))
        if logprobs and choice.echoed:
            logprobs = joined(choice.echoed, logprobs)
        return body | {"logprobs": logprobs, "finish_reason": choice.finish_reason}

    def _logprobs(self, tokens: Any, places: TextPlaces) -> dict[str, Any] | None:
        if self.call.logprobs is None:
            return None
        if self.call.chat:
            return chat_logprobs(tokens, self.vocabulary, self.call.logprobs)
        return plain_logprobs(tokens, self.vocabulary, self.call.logprobs, places=places)

    def _body(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": f"{'chatcmpl' if self.call.chat else 'cmpl'}-{self.unique}",
            "object": kind,
            "created": self.created,
            "model": self.call.model,
            "system_fingerprint": self.fingerprint,
            "choices": choices,
        }

    def _usage(self, completion_tokens: int) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": self.prompt_tokens + completion_tokens,
        }


def written(body: dict[str, Any]) -> str:
    """JSON of a body of any size.

    `json.dumps` holds the interpreter until it has finished, which with log-probabilities of many
    texts is longer than streams may wait; long lists are therefore written in slices.
    """
    pairs = (f"{_dumps(name)}:{_written(item)}" for name, item in body.items())
    return "{" + ",".join(pairs) + "}"


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return written(value)
    if isinstance(value, list) and value and isinstance(value[0], dict) and "index" in value[0]:
        return "[" + ",".join(_written(choice) for choice in value) + "]"
    if isinstance(value, list) and len(value) > _SLICE:
        slices = (value[at : at + _SLICE] for at in range(0, len(value), _SLICE))
        return "[" + ",".join(_dumps(part)[1:-1] for part in slices) + "]"
    return _dumps(value)


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
