"""What a request body may hold, and that whatever is not honoured is said."""

from __future__ import annotations

from typing import Any

import pytest

from inference.server.protocol import ApiError, model_of, read_body, read_call

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"stop": ["ok", ""]}, "stop"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"n": 2}, "n"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tools": [{}]}, "tools"),
        ({"logprobs": True}, "logprobs"),
        ({"min_p": 0.1}, "min_p"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0]"),
    ],
)
def test_what_is_wrong_or_unsupported_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_call(CHAT | body, {}, chat=True)

    assert caught.value.status == 400
    assert caught.value.body["error"]["param"] == param


@pytest.mark.parametrize(
    "body",
    [
        {"n": 1, "presence_penalty": 0, "frequency_penalty": 0.0, "logprobs": False},
        {"user": "someone", "metadata": {}, "response_format": {"type": "text"}, "tools": None},
    ],
)
def test_parameters_that_ask_for_nothing_are_accepted(body: dict[str, Any]) -> None:
    call = read_call(CHAT | body, {}, chat=True)

    assert call.ignored == ()


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


@pytest.mark.parametrize(("temperature", "ignored"), [(0.7, ("seed",)), (0, ())])
def test_a_seed_is_reported_as_ignored_where_it_would_matter(
    temperature: float, ignored: tuple[str, ...]
) -> None:
    call = read_call(CHAT | {"seed": 1, "temperature": temperature}, {}, chat=True)

    assert call.ignored == ignored


@pytest.mark.parametrize("prompt", ["", [], ["a", "b"], [1.5], None, {"a": 1}, [True]])
def test_a_plain_prompt_is_one_text_or_one_list_of_ids(prompt: Any) -> None:
    with pytest.raises(ApiError, match="prompt must be"):
        read_call({"model": "m", "prompt": prompt}, {}, chat=False)


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b'"x"'])
def test_a_body_that_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError, match="JSON"):
        read_body(raw)


def test_a_body_needs_a_model() -> None:
    with pytest.raises(ApiError, match="model must be"):
        model_of({"model": 3})
