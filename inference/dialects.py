"""How servers want to be asked, and how they answer: the OpenAI and the Anthropic dialect.

Pure: builds requests and reads events, opens no connection. Sources: OpenAI's "Create chat
completion" and Anthropic's "Messages" API references, streaming sections.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from inference.errors import (
    ContextOverflowError,
    EndpointBusyError,
    EndpointRefusesUsError,
    EndpointUnavailableError,
    GenerationError,
    ProtocolError,
    RedirectError,
    RequestRefusedError,
)

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
    reasoning: str = ""
    finish: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    last: bool = False


class Dialect(Protocol):
    path: str
    lists_every_name: bool
    """Whether `/models` has every name under which a model can be asked."""

    def headers(self, key: str) -> dict[str, str]:
        """Authentication; `key` is "" for a server that wants none."""

    def body(
        self, base_url: str, name: str, messages: Sequence[ChatMessage], sampling: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The JSON of a streaming request to the API at `base_url`."""

    def read(self, payload: bytes) -> Chunk:
        """One `data:` payload. Raises ProtocolError, or what an error event stands for."""


class OpenAI:
    path = "/chat/completions"
    lists_every_name = True
    _NEWER_NAMES = {"max_tokens": "max_completion_tokens"}

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def body(
        self, base_url: str, name: str, messages: Sequence[ChatMessage], sampling: Mapping[str, Any]
    ) -> dict[str, Any]:
        options = dict(sampling)
        host = urlsplit(base_url).hostname or ""
        if host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com")):
            # Its newer models refuse the old name; most other servers know no other.
            options = {self._NEWER_NAMES.get(key, key): value for key, value in options.items()}
        return {
            "model": name,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            **options,
        }

    def read(self, payload: bytes) -> Chunk:
        if payload == b"[DONE]":
            return Chunk(last=True)
        event = _json_object(payload)
        # vLLM marks an error event by its object, everybody else by a field of its own.
        if event.get("error") or event.get("object") == "error":
            raise stream_error(event.get("error") or event)
        try:
            usage = event.get("usage") or {}
            choices = event.get("choices") or [{}]
            delta = choices[0].get("delta") or {}
            text, reasoning = _content(delta.get("content"))
            details = usage.get("completion_tokens_details")
            return Chunk(
                # A refusal is what the model says, in a field of its own.
                text=text or _extra(delta.get("refusal")),
                # Some servers send both names for one thing.
                reasoning=reasoning
                or _extra(delta.get("reasoning_content"))
                or _extra(delta.get("reasoning")),
                finish=str(choices[0].get("finish_reason") or ""),
                prompt_tokens=_count(usage.get("prompt_tokens")),
                completion_tokens=_count(usage.get("completion_tokens")),
                reasoning_tokens=_count(details.get("reasoning_tokens"))
                if isinstance(details, dict)
                else None,
            )
        except (AttributeError, LookupError, TypeError) as error:
            raise _not_a_chunk(payload) from error


class Anthropic:
    path = "/messages"
    lists_every_name = False  # it answers to aliases too, and lists twenty at a time
    _FINISH = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
    }
    _PROMPT_COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")

    def headers(self, key: str) -> dict[str, str]:
        return {"anthropic-version": ANTHROPIC_VERSION} | ({"x-api-key": key} if key else {})

    def body(
        self,
        base_url: str,  # noqa: ARG002
        name: str,
        messages: Sequence[ChatMessage],
        sampling: Mapping[str, Any],
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
        if event.get("type") == "error" or event.get("error"):
            raise stream_error(event.get("error") or event)
        try:
            match event.get("type"):
                case "message_start":
                    usage = (event.get("message") or {}).get("usage") or {}
                    read = [_count(usage.get(name)) for name in self._PROMPT_COUNTS]
                    # Without the first there is no count; what came from a cache is the prompt too.
                    return Chunk(
                        prompt_tokens=None if read[0] is None else sum(n or 0 for n in read)
                    )
                case "content_block_delta":
                    delta = event["delta"]
                    match delta.get("type"):
                        case "text_delta":
                            return Chunk(text=_text(delta["text"]))
                        case "thinking_delta":
                            return Chunk(reasoning=_extra(delta.get("thinking")))
                    return Chunk()
                case "message_delta":
                    reason = str((event.get("delta") or {}).get("stop_reason") or "")
                    return Chunk(
                        finish=self._FINISH.get(reason, reason),
                        completion_tokens=_count((event.get("usage") or {}).get("output_tokens")),
                    )
                case "message_stop":
                    return Chunk(last=True)
                case _:  # ping, block borders, signatures: nothing of the answer
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


def _content(content: object) -> tuple[str, str]:
    """Text and reasoning of a delta's content: a text, or a list of parts (Mistral)."""
    if not isinstance(content, list):
        return _text(content), ""
    text, reasoning = "", ""
    for part in content:
        match part.get("type"):
            case "text":
                text += _text(part.get("text"))
            case "thinking":
                reasoning += _content(part.get("thinking"))[0]
    return text, reasoning


def _extra(value: object) -> str:
    """A text beside the answer; an odd one must not cost the answer."""
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    """A token count, or None for what cannot be one: odd numbers must not cost an answer."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < 1 << 31 else None


def _not_a_chunk(payload: bytes) -> ProtocolError:
    return ProtocolError(f"not an event of an answer: {payload.decode('utf-8', 'replace')!r}")


def status_error(status: int, said: str) -> GenerationError:
    """What an HTTP status other than 200 stands for; `said` is the body, for operators."""
    said = f"{status}: {said}"
    if 300 <= status < 400:
        return RedirectError(said)
    if status in {429, 529}:  # 529 is Anthropic's "overloaded"
        return EndpointBusyError(said)
    # Said of one request; any other error status is said of the server as a whole.
    if status in {400, 409, 413, 422, 451}:
        return _refusal(said)
    if status in {408, 425} or status >= 500:
        return EndpointUnavailableError(said)
    if 400 <= status < 500:
        return EndpointRefusesUsError(said)
    return ProtocolError(said)


def stream_error(error: object) -> GenerationError:
    """What an error object stands for that came in the stream, after the status 200."""
    said = f"error in the stream: {error}"
    kind = ""
    if isinstance(error, dict):
        kind = f"{error.get('type')} {error.get('code')}".lower()
        for name in ("code", "status", "status_code"):
            status = str(error.get(name, ""))
            if status.isdecimal() and 400 <= int(status) < 600:
                return status_error(int(status), said)
    if "overloaded" in said or any(word in kind for word in ("rate_limit", "too_many_requests")):
        return EndpointBusyError(said)
    if any(word in kind for word in ("server_error", "api_error", "internal", "unavailable")):
        return EndpointUnavailableError(said)
    return _refusal(said)


def _refusal(said: str) -> RequestRefusedError:
    if any(word in said.lower() for word in ("context", "too long", "too many tokens")):
        return ContextOverflowError(said)
    return RequestRefusedError(said)
