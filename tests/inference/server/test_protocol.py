"""What a request body may hold, and that whatever is not honoured is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inference.server.api_error import ApiError
from inference.server.protocol import model_of, read_body, read_call

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
PLAIN: dict[str, Any] = {"model": "m", "prompt": "Hi"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"top_k": 2**40}, "top_k"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 10**30}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"seed": "1"}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"stop": ["ok", ""]}, "stop"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": "\ud800"}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": [1]}, "stream_options"),
        ({"n": 0}, "n"),
        ({"n": 17}, "n"),
        ({"n": True}, "n"),
        ({"n": 2, "best_of": 3}, "best_of"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tools": [{}]}, "tools"),
        ({"logprobs": 5}, "logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"echo": True}, "echo"),
        ({"min_p": 0.1}, "min_p"),
        ({"mystery": None}, "mystery"),
        ({"stream": True, "stream_options": {"include_all": True}}, "stream_options"),
        ({"messages": [{"role": "user", "content": "x", "name": "Ann"}]}, "messages[0]"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [["user", "Hi"]]}, "messages[0]"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": "a\udc00b"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": [{"type": ["text"]}]}]}, "messages[0]"),
    ],
)
def test_what_is_wrong_or_unsupported_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_call(CHAT | body, {}, chat=True)

    assert caught.value.status == 400
    assert caught.value.body["error"]["param"] == param


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1, "echo": True}, "max_tokens"),
        ({"logprobs": 21}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"echo": 1}, "echo"),
        ({"echo": True, "stream": True}, "stream"),
        ({"suffix": "end"}, "suffix"),
        ({"messages": []}, "messages"),
        ({"top_logprobs": 1}, "top_logprobs"),
        ({"prompt": ["x", ""]}, "prompt"),
        ({"prompt": ["x"] * 1025}, "prompt"),
    ],
)
def test_plain_completions_have_their_own_rules(body: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_call(PLAIN | body, {}, chat=False)

    assert (caught.value.status, caught.value.body["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    "body",
    [
        {"n": 1, "presence_penalty": 0, "frequency_penalty": 0.0, "logprobs": False},
        {"user": "someone", "metadata": {}, "response_format": {"type": "text"}, "tools": None},
        {"best_of": 1, "top_logprobs": 0, "repetition_penalty": 1.0, "min_p": 0},
    ],
)
def test_parameters_that_ask_for_nothing_are_accepted(body: dict[str, Any]) -> None:
    assert read_call(CHAT | body, {}, chat=True) == read_call(CHAT, {}, chat=True)


def test_the_request_goes_before_the_model_file_and_that_before_the_protocol() -> None:
    defaults = {"temperature": 0.7, "max_tokens": 99, "top_k": 5, "stop": ("A",)}

    call = read_call(CHAT | {"max_completion_tokens": 7, "stop": "B"}, defaults, chat=True)

    assert (call.max_tokens, call.temperature, call.top_k) == (7, 0.7, 5)
    assert (call.top_p, call.stop) == (1.0, ("B",))


def test_text_parts_are_joined_and_developer_is_system() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    messages = [{"role": "developer", "content": parts}, {"role": "user", "content": "c"}]

    call = read_call({"model": "m", "messages": messages}, {}, chat=True)

    expected = ({"role": "system", "content": "ab"}, {"role": "user", "content": "c"})
    assert call.messages == expected


@pytest.mark.parametrize(("temperature", "seed"), [(0.7, 1), (0, None)])
def test_a_seed_counts_where_something_is_drawn(temperature: float, seed: int | None) -> None:
    call = read_call(CHAT | {"seed": 1, "temperature": temperature}, {}, chat=True)

    assert call.seed == seed


@pytest.mark.parametrize(
    ("given", "prompts"),
    [
        ("a", ("a",)),
        ([5, 6], ([5, 6],)),
        (["a", "b"], ("a", "b")),
        ([[5], [6, 7]], ([5], [6, 7])),
        ([[5]], ([5],)),
        (["a"], ("a",)),
    ],
)
def test_a_prompt_is_one_or_several_texts_or_lists_of_ids(given: Any, prompts: Any) -> None:
    assert read_call(PLAIN | {"prompt": given}, {}, chat=False).prompts == prompts


@pytest.mark.parametrize(
    "prompt", ["", [], [[]], [1.5], None, {"a": 1}, [True], ["a", 1], [1, "a"], ["a", [1.5]]]
)
def test_any_other_prompt_is_refused(prompt: Any) -> None:
    with pytest.raises(ApiError, match="prompt"):
        read_call({"model": "m", "prompt": prompt}, {}, chat=False)


@pytest.mark.parametrize(
    ("body", "chat", "top"),
    [
        ({"logprobs": True}, True, 0),
        ({"logprobs": True, "top_logprobs": 20}, True, 20),
        ({"logprobs": False, "top_logprobs": None}, True, None),
        ({"logprobs": 0}, False, 0),
        ({"logprobs": 20}, False, 20),
        ({"logprobs": None}, False, None),
    ],
)
def test_log_probabilities_are_asked_for_in_two_ways(
    body: dict[str, Any], chat: bool, top: int | None
) -> None:
    call = read_call((CHAT if chat else PLAIN) | body, {}, chat=chat)

    assert call.logprobs == top


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b"\xff",
        b'"x"',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"[" * 100_000,
        b'{"a": ' + b'{"a": ' * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_is_no_json_object_is_refused_in_one_short_line(raw: bytes) -> None:
    with pytest.raises(ApiError, match="JSON") as caught:
        read_body(raw)

    message = caught.value.body["error"]["message"]
    assert caught.value.status == 400
    assert "\n" not in message
    assert len(message) < 200


def test_a_body_needs_a_model() -> None:
    with pytest.raises(ApiError, match="model must be"):
        model_of({"model": 3})


def test_an_error_can_be_written_whatever_the_request_called_things() -> None:
    with pytest.raises(ApiError) as caught:
        read_call(CHAT | {"\ud800" * 5000: 1}, {}, chat=True)

    assert len(json.dumps(caught.value.body, ensure_ascii=False).encode()) < 2000
