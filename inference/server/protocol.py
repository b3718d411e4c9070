"""Request bodies of the OpenAI protocol, checked: what is asked for, or one line that says why not.

It knows JSON and the parameters that this service honours; it knows no engine and no transport.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from inference.server.api_error import ApiError

DEFAULT_MAX_TOKENS = 256
MOST_CHOICES = 16
MOST_LOGPROBS = 20

_HONOURED = {"model", "temperature", "top_p", "top_k", "stop", "stream", "stream_options"}
_HONOURED |= {"max_tokens", "max_completion_tokens", "seed", "n", "best_of", "logprobs"}
_ONLY_CHAT = {"messages", "top_logprobs"}
_ONLY_PLAIN = {"prompt", "echo"}
# Without effect on the answer here, sent by common clients.
_HARMLESS = {"user", "metadata", "store", "safety_identifier", "prompt_cache_key"}
_HARMLESS |= {"service_tier", "parallel_tool_calls"}
# Accepted with the value that asks for nothing, refused with any other.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "repetition_penalty": (1,),
    "logit_bias": ({},),
    "min_p": (0,),
    "top_logprobs": (0,),
    "echo": (False,),
    "suffix": ("",),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
}
_MOST_STOPS = 16
_MOST_PROMPTS = 1024
_SEEDS = (-(2**63), 2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class CompletionCall:
    """A checked request body. Parameters left out have the model's default, or OpenAI's."""

    model: str
    chat: bool
    messages: tuple[dict[str, str], ...]
    """Of a chat; empty for a plain completion."""
    prompts: tuple[str | list[int], ...]
    """Texts or token ids of a plain completion, one or more; empty for a chat."""
    max_tokens: int
    """Per choice; 0 only with `echo`."""
    max_tokens_given: bool
    """Whether the request itself names it: a default shrinks to the room in the context."""
    temperature: float
    top_p: float
    top_k: int
    stop: tuple[str, ...]
    n: int
    """Choices per prompt."""
    seed: int | None
    """Of an answer that is drawn at random; a greedy one needs none and has None."""
    logprobs: int | None
    """How many likeliest tokens to report with each token; None: no log-probabilities."""
    echo: bool
    stream: bool
    include_usage: bool


def read_body(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request body. Raises ApiError."""
    try:
        # The hooks are Python, so that other threads get their turn while a long list is read.
        body = json.loads(raw, parse_int=_whole_number, parse_constant=_no_number)
    except RecursionError as error:
        raise ApiError(400, "the body is not JSON that can be read: nested too deep") from error
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
    own = _ONLY_CHAT if chat else _ONLY_PLAIN
    for name, value in body.items():
        if name in _HONOURED | own:
            continue
        if name in _NEUTRAL:
            if value is not None and not any(_same(value, neutral) for neutral in _NEUTRAL[name]):
                raise ApiError(400, f"{name} is not supported here", param=name)
        elif name not in _HARMLESS:
            raise ApiError(400, f"unknown parameter {name[:100]!r}", param=name[:100])
    numbers = _Numbers(body)
    echo = not chat and _flag(body, "echo")
    stream = _flag(body, "stream")
    if echo and stream:
        raise ApiError(400, "echo is not streamed: leave out stream", param="stream")
    options = body.get("stream_options")
    if options is not None and not (isinstance(options, dict) and stream):
        raise ApiError(
            400, "stream_options must be an object, with stream: true", param="stream_options"
        )
    for name, value in (options or {}).items():
        if name != "include_usage" and value not in (None, False):
            raise ApiError(400, f"unknown stream option {name!r}", param="stream_options")
    given = _max_tokens(numbers, least=0 if echo else 1)
    temperature = numbers.real(
        "temperature", defaults.get("temperature", 1.0), lambda t: 0 <= t <= 2, "0 to 2"
    )
    low, high = _SEEDS
    seed = numbers.whole("seed", None, low, high, "a whole number of 64 bits")
    n = numbers.whole("n", 1, 1, MOST_CHOICES, f"1 to {MOST_CHOICES}")
    if numbers.whole("best_of", n, 1, MOST_CHOICES, "the same as n") != n:
        raise ApiError(400, "best_of is supported only when it is the same as n", param="best_of")
    return CompletionCall(
        model=model_of(body),
        chat=chat,
        messages=_messages(body.get("messages")) if chat else (),
        prompts=() if chat else _prompts(body.get("prompt")),
        max_tokens=defaults.get("max_tokens", DEFAULT_MAX_TOKENS) if given is None else given,
        max_tokens_given=given is not None,
        temperature=temperature,
        top_p=numbers.real(
            "top_p", defaults.get("top_p", 1.0), lambda p: 0 < p <= 1, "above 0, at most 1"
        ),
        top_k=numbers.whole(
            "top_k", defaults.get("top_k", 0), 0, 2**31 - 1, "a whole number, 0 is off"
        ),
        stop=_stops(body.get("stop"), defaults.get("stop", ())),
        n=n,
        seed=seed if temperature > 0 else None,
        logprobs=_logprobs(body, numbers, chat=chat),
        echo=echo,
        stream=stream,
        include_usage=_flag(options or {}, "include_usage"),
    )


class _Numbers:
    """The numbers of a body, each within its bounds or refused by name."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body

    def whole(self, name: str, fallback: Any, least: int, most: int, rule: str) -> Any:
        value = self._body.get(name)
        if value is None:
            return fallback
        if type(value) is float and value.is_integer():
            value = int(value)  # 16.0 is the same JSON number as 16
        if type(value) is not int or not least <= value <= most:
            raise ApiError(400, f"{name} must be {rule}", param=name)
        return value

    def real(self, name: str, fallback: Any, held: Callable[[float], bool], rule: str) -> float:
        value = self._body.get(name)
        if value is None:
            return float(fallback)
        if type(value) not in (int, float) or not held(value):
            raise ApiError(400, f"{name} must be {rule}", param=name)
        return float(value)


def _max_tokens(numbers: _Numbers, *, least: int) -> int | None:
    rule = f"a whole number of at least {least}" + ("; 0 goes only with echo" if least else "")
    most = 2**31 - 1
    older: int | None = numbers.whole("max_tokens", None, least, most, rule)
    newer: int | None = numbers.whole("max_completion_tokens", None, least, most, rule)
    return older if newer is None else newer


def _logprobs(body: Mapping[str, Any], numbers: _Numbers, *, chat: bool) -> int | None:
    rule = f"0 to {MOST_LOGPROBS}"
    if not chat:
        if body.get("logprobs") is False:
            return None
        number: int | None = numbers.whole("logprobs", None, 0, MOST_LOGPROBS, rule)
        return number
    wanted = _flag(body, "logprobs")
    top: int = numbers.whole("top_logprobs", 0, 0, MOST_LOGPROBS, rule)
    if top and not wanted:
        raise ApiError(400, "top_logprobs needs logprobs: true", param="top_logprobs")
    return top if wanted else None


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and type(value) is not bool:
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
        parts = [_text_part(part) for part in content]
        content = None if None in parts else "".join(part or "" for part in parts)
    if not isinstance(content, str):
        raise ApiError(400, f"{param}: content must be text", param=param)
    for name, held in message.items():
        # Answers that a client sends back have fields of theirs, empty here.
        if name not in ("role", "content") and held not in (None, "", [], {}):
            raise ApiError(400, f"{param}: {name} is not supported by this service", param=param)
    return {"role": role, "content": _whole_text(content, param)}


def _text_part(part: Any) -> str | None:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    return None


def _prompts(value: Any) -> tuple[str | list[int], ...]:
    """One prompt or several: a text, a list of ids, a list of texts, or a list of lists of ids."""
    several = isinstance(value, list) and bool(value) and isinstance(value[0], str | list)
    prompts = value if several else [value]
    if len(prompts) > _MOST_PROMPTS:
        raise ApiError(
            400, f"prompt holds {len(prompts)} prompts; at most {_MOST_PROMPTS}", param="prompt"
        )
    names = [f"prompt[{number}]" if several else "prompt" for number in range(len(prompts))]
    return tuple(_prompt(*pair) for pair in zip(prompts, names, strict=True))


def _prompt(value: Any, name: str) -> str | list[int]:
    if isinstance(value, str) and value:
        return _whole_text(value, name)
    if isinstance(value, list) and value and all(type(token) is int for token in value):
        return value
    rule = "a text or a list of token ids, not empty"
    raise ApiError(400, f"{name} must be {rule}", param="prompt")


def _stops(value: Any, fallback: tuple[str, ...]) -> tuple[str, ...]:
    if value is None:
        return tuple(fallback)
    stops = [value] if isinstance(value, str) else value
    texts = isinstance(stops, list) and all(isinstance(stop, str) and stop for stop in stops)
    if not texts or len(stops) > _MOST_STOPS:
        raise ApiError(400, f"stop must be up to {_MOST_STOPS} texts, none empty", param="stop")
    return tuple(_whole_text(stop, "stop") for stop in stops)


def _whole_text(text: str, param: str) -> str:
    """`text`, unless it has half a UTF-16 pair (`"\\ud800"`), which no tokenizer can read."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        broken = text[error.start].encode("utf-8", "backslashreplace").decode()
        raise ApiError(400, f"{param} has half a character ({broken})", param=param) from error
    return text


def _same(value: Any, neutral: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return isinstance(value, bool) == isinstance(neutral, bool) and bool(value == neutral)


def _whole_number(digits: str) -> int:
    return int(digits)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
