"""How servers want to be asked, and how they answer: the OpenAI and the Anthropic dialect.

Pure: builds requests and reads events, opens no connection. Sources: OpenAI's "Create chat
completion" and Anthropic's "Messages" API references, streaming sections.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from inference.errors import EndpointBusyError, ProtocolError, RequestRefusedError

# Anthropic requires a limit; this one holds where the model card names none.
ANTHROPIC_MAX_TOKENS = 1024
ANTHROPIC_VERSION = "2023-06-01"


@dataclass(frozen=True)
class ChatMessage:
    role: str
    content: str


@dataclass(frozen=True)
class Chunk:
    """What one event says; empty and None where it says nothing. `last` ends the stream."""

    text: str = ""
    finish: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    last: bool = False


class Dialect(Protocol):
    path: str

    def headers(self, key: str) -> dict[str, str]:
        """Authentication; `key` is "" for a server that wants none."""

    def body(
        self, name: str, messages: Sequence[ChatMessage], sampling: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The JSON of a streaming request."""

    def read(self, payload: bytes) -> Chunk:
        """One `data:` payload. Raises ProtocolError, or what an error event stands for."""


class OpenAI:
    path = "/chat/completions"

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def body(
        self, name: str, messages: Sequence[ChatMessage], sampling: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "model": name,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            **sampling,
        }

    def read(self, payload: bytes) -> Chunk:
        if payload == b"[DONE]":
            return Chunk(last=True)
        event = _json_object(payload)
        if event.get("error"):
            raise _stream_error(event["error"])
        try:
            usage = event.get("usage") or {}
            choices = event.get("choices") or [{}]
            return Chunk(
                text=_text((choices[0].get("delta") or {}).get("content")),
                finish=str(choices[0].get("finish_reason") or ""),
                prompt_tokens=_count(usage.get("prompt_tokens")),
                completion_tokens=_count(usage.get("completion_tokens")),
            )
        except (AttributeError, LookupError, TypeError) as error:
            raise _not_a_chunk(payload) from error


class Anthropic:
    path = "/messages"
    _FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}

    def headers(self, key: str) -> dict[str, str]:
        return {"anthropic-version": ANTHROPIC_VERSION} | ({"x-api-key": key} if key else {})

    def body(
        self, name: str, messages: Sequence[ChatMessage], sampling: Mapping[str, Any]
    ) -> dict[str, Any]:
        options = {"max_tokens": ANTHROPIC_MAX_TOKENS, **sampling}
        if "stop" in options:
            stop = options.pop("stop")
            options["stop_sequences"] = [stop] if isinstance(stop, str) else stop
        system = "\n\n".join(m.content for m in messages if m.role == "system")
        return {
            "model": name,
            "messages": [
                {"role": m.role, "content": m.content} for m in messages if m.role != "system"
            ],
            "stream": True,
            **({"system": system} if system else {}),
            **options,
        }

    def read(self, payload: bytes) -> Chunk:
        event = _json_object(payload)
        try:
            match event.get("type"):
                case "message_start":
                    return Chunk(
                        prompt_tokens=_count(event["message"]["usage"].get("input_tokens"))
                    )
                case "content_block_delta" if event["delta"].get("type") == "text_delta":
                    return Chunk(text=_text(event["delta"]["text"]))
                case "message_delta":
                    reason = str(event["delta"].get("stop_reason") or "")
                    return Chunk(
                        finish=self._FINISH.get(reason, reason),
                        completion_tokens=_count((event.get("usage") or {}).get("output_tokens")),
                    )
                case "message_stop":
                    return Chunk(last=True)
                case "error":
                    raise _stream_error(event["error"])
                case _:  # ping, block borders, thinking: nothing of the answer
                    return Chunk()
        except (AttributeError, LookupError, TypeError) as error:
            raise _not_a_chunk(payload) from error


DIALECTS: dict[str, Dialect] = {"openai": OpenAI(), "anthropic": Anthropic()}


def _json_object(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _not_a_chunk(payload) from error
    if not isinstance(value, dict):
        raise _not_a_chunk(payload)
    return value


def _text(content: object) -> str:
    if content is None:
        return ""
    if not isinstance(content, str):
        raise ProtocolError("an answer that is not text")
    return content


def _count(value: object) -> int | None:
    """A token count, or None for what cannot be one: odd numbers must not cost an answer."""
    return value if isinstance(value, int) and 0 <= value < 1 << 31 else None


def _not_a_chunk(payload: bytes) -> ProtocolError:
    return ProtocolError(f"not an event of an answer: {payload[:200]!r}")


def _stream_error(error: object) -> EndpointBusyError | RequestRefusedError:
    said = f"error in the stream: {str(error)[:500]}"
    return EndpointBusyError(said) if "overloaded" in said else RequestRefusedError(said)
