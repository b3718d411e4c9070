"""The OpenAI protocol in both directions: request bodies checked, answers and errors written.

It knows JSON and the parameters that this service honours; it knows no engine and no transport.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_MAX_TOKENS = 256

_HONOURED = {"model", "temperature", "top_p", "top_k", "stop", "stream", "stream_options"}
_HONOURED |= {"max_tokens", "max_completion_tokens", "seed"}
# Without effect on the answer here, sent by common clients.
_HARMLESS = {"user", "metadata", "store", "safety_identifier", "prompt_cache_key"}
# Accepted with the value that asks for nothing, refused with any other.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False, 0),
    "top_logprobs": (0,),
    "echo": (False,),
    "suffix": ("",),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "response_format": ({"type": "text"},),
}
_MOST_STOPS = 16


class ApiError(Exception):
    """An answer other than 200, as OpenAI's clients expect it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        kinds = {429: "rate_limit_error", 404: "invalid_request_error"}
        kind = "server_error" if status >= 500 else kinds.get(status, "invalid_request_error")
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True, kw_only=True)
class CompletionCall:
    """A checked request body. Parameters left out have the model's default, or OpenAI's."""

    model: str
    messages: tuple[dict[str, str], ...]
    """Of a chat; empty for a plain completion."""
    prompt: str | tuple[int, ...]
    """Text or token ids of a plain completion."""
    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    stop: tuple[str, ...]
    stream: bool
    include_usage: bool
    ignored: tuple[str, ...]
    """Parameters that were understood and not followed; every answer names them."""


def read_body(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request body. Raises ApiError."""
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise ApiError(400, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "the body must be a JSON object")
    return body


def model_of(body: Mapping[str, Any]) -> str:
    """The name of the model that a body asks for. Raises ApiError."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise ApiError(400, "model must be the id of a model", param="model")
    return model


def read_call(
    body: Mapping[str, Any], defaults: Mapping[str, Any], *, chat: bool
) -> CompletionCall:
    """A chat or a plain completion call, with the model's `defaults` (sampling of the model file).

    Raises ApiError 400 for what is wrong, unknown or not supported, by name.
    """
    own = {"messages"} if chat else {"prompt"}
    for name, value in body.items():
        if name in _NEUTRAL:
            if value is not None and not any(value == neutral for neutral in _NEUTRAL[name]):
                raise ApiError(400, f"{name} is not supported by this service", param=name)
        elif name not in _HONOURED | _HARMLESS | own:
            raise ApiError(400, f"unknown parameter {name!r}", param=name)

    def number(name: str, fallback: Any, kind: type, held: Callable[[Any], bool], rule: str) -> Any:
        value = body.get(name)
        if value is None:
            return fallback
        right = isinstance(value, int if kind is int else (int, float))
        if not right or isinstance(value, bool) or not held(value):
            raise ApiError(400, f"{name} must be {rule}", param=name)
        return kind(value)

    temperature = number(
        "temperature", defaults.get("temperature", 1.0), float, lambda t: 0 <= t <= 2, "0 to 2"
    )
    most = number("max_tokens", None, int, lambda n: n >= 1, "a whole number above 0")
    most = number("max_completion_tokens", most, int, lambda n: n >= 1, "a whole number above 0")
    stream = _flag(body, "stream")
    options = body.get("stream_options")
    if options is not None and not (isinstance(options, dict) and stream):
        raise ApiError(400, "stream_options needs stream: true", param="stream_options")
    number("seed", None, int, lambda _: True, "a whole number")
    # One generator serves the whole batch, so a seed cannot be honoured; greedy needs none.
    ignored = ("seed",) if body.get("seed") is not None and temperature > 0 else ()
    return CompletionCall(
        model=model_of(body),
        messages=_messages(body.get("messages")) if chat else (),
        prompt="" if chat else _prompt(body.get("prompt")),
        max_tokens=most or defaults.get("max_tokens", DEFAULT_MAX_TOKENS),
        temperature=temperature,
        top_p=number(
            "top_p", defaults.get("top_p", 1.0), float, lambda p: 0 < p <= 1, "above 0, at most 1"
        ),
        top_k=number(
            "top_k", defaults.get("top_k", 0), int, lambda k: k >= 0, "a whole number, 0 is off"
        ),
        stop=_stops(body.get("stop"), defaults.get("stop", ())),
        stream=stream,
        include_usage=_flag(options or {}, "include_usage"),
        ignored=ignored,
    )


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value not in (None, True, False) or (
        isinstance(value, int | float) and value is not bool(value)
    ):
        raise ApiError(400, f"{name} must be true or false", param=name)
    return bool(value)


def _messages(value: Any) -> tuple[dict[str, str], ...]:
    if not isinstance(value, list) or not value:
        raise ApiError(400, "messages must be a list with at least one message", param="messages")
    return tuple(_message(number, message) for number, message in enumerate(value))


def _message(number: int, message: Any) -> dict[str, str]:
    param = f"messages[{number}]"
    if not isinstance(message, dict):
        raise ApiError(400, f"{param} must be an object with role and content", param=param)
    role = message.get("role")
    if role == "developer":
        role = "system"
    if role not in ("system", "user", "assistant"):
        raise ApiError(400, f"{param}: role must be system, user or assistant", param=param)
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else None for part in content]
        kinds = [part.get("type") if isinstance(part, dict) else None for part in content]
        if set(kinds) <= {"text"} and all(isinstance(part, str) for part in parts):
            content = "".join(str(part) for part in parts)
    if not isinstance(content, str):
        raise ApiError(400, f"{param}: content must be text", param=param)
    return {"role": role, "content": content}


def _prompt(value: Any) -> str | tuple[int, ...]:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str | list):
        value = value[0]
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list) and value and all(type(token) is int for token in value):
        return tuple(value)
    raise ApiError(400, "prompt must be one text or one list of token ids", param="prompt")


def _stops(value: Any, fallback: tuple[str, ...]) -> tuple[str, ...]:
    if value is None:
        return tuple(fallback)
    stops = [value] if isinstance(value, str) else value
    texts = isinstance(stops, list) and all(isinstance(stop, str) and stop for stop in stops)
    if not texts or len(stops) > _MOST_STOPS:
        raise ApiError(400, f"stop must be up to {_MOST_STOPS} texts, none empty", param="stop")
    return tuple(stops)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Writes the bodies of one answer: the whole, or the chunks of its stream."""

    id: str
    created: int
    call: CompletionCall
    chat: bool
    prompt_tokens: int

    def whole(self, text: str, completion_tokens: int, finish_reason: str) -> dict[str, Any]:
        """The body of an answer that is not streamed."""
        message = (
            {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        )
        kind = "chat.completion" if self.chat else "text_completion"
        return self._body(kind, message, finish_reason) | self._usage(completion_tokens)

    def chunk(self, text: str, finish_reason: str | None, *, first: bool) -> dict[str, Any]:
        """One chunk of a stream; the first names the role."""
        if not self.chat:
            return self._body("text_completion", {"text": text}, finish_reason)
        delta: dict[str, str] = {"role": "assistant"} if first else {}
        if text or first:
            delta["content"] = text
        return self._body("chat.completion.chunk", {"delta": delta}, finish_reason)

    def usage_chunk(self, completion_tokens: int) -> dict[str, Any]:
        """The last chunk of a stream that asked for usage: it has no choices."""
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return self._body(kind, {}, None) | {"choices": []} | self._usage(completion_tokens)

    def _body(self, kind: str, content: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": reason}
        body = {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.call.model,
            "choices": [choice],
        }
        return body | ({"ignored": list(self.call.ignored)} if self.call.ignored else {})

    def _usage(self, completion_tokens: int) -> dict[str, Any]:
        return {
            "usage": {
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": self.prompt_tokens + completion_tokens,
            }
        }
