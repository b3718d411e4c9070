"""Whatever JSON is sent, the answer is an answer or says what is wrong: never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.weights

TEXT = st.text(st.characters(), max_size=20)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "developer"]), "content": TEXT}
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "messages": st.lists(MESSAGE, min_size=1, max_size=3),
    "prompt": TEXT | st.lists(TEXT, max_size=3) | st.lists(st.integers(-2, 400), max_size=8),
    "max_tokens": st.integers(-1, 6),
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "top_k": st.integers(0, 500),
    "stop": TEXT | st.lists(TEXT, max_size=3),
    "n": st.integers(0, 3),
    "seed": st.integers(),
    "logprobs": st.booleans() | st.integers(0, 21),
    "top_logprobs": st.integers(0, 21),
    "echo": st.booleans(),
    "stream": st.booleans(),
    "stream_options": st.fixed_dictionaries({"include_usage": st.booleans()}),
    "best_of": st.integers(0, 3),
    "user": TEXT,
}
# Mostly of the right type, so that what is beyond the first check is reached as well.
PLAUSIBLE = {name: st.one_of(right, right, right, ANY) for name, right in FIELDS.items()}
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def send(service: str, path: str, body: Any) -> None:
    raw = json.dumps(body).encode()
    headers = {"content-type": "application/json"}

    answer = httpx.post(f"{service}{path}", content=raw, headers=headers, timeout=60)

    assert answer.status_code == 200 or 400 <= answer.status_code < 500, answer.text
    if answer.status_code != 200:
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert "\n" not in error["message"]
    elif answer.headers["content-type"].startswith("application/json"):
        assert answer.json()["choices"]
    else:
        assert answer.text.endswith("data: [DONE]\n\n")


@EXAMPLES
@given(body=st.fixed_dictionaries({}, optional=PLAUSIBLE))
def test_chat_bodies(service: str, body: dict[str, Any]) -> None:
    body.pop("prompt", None)
    body.pop("echo", None)

    send(service, "/v1/chat/completions", {"model": "one"} | body)


@EXAMPLES
@given(body=st.fixed_dictionaries({}, optional=PLAUSIBLE))
def test_plain_bodies(service: str, body: dict[str, Any]) -> None:
    body.pop("messages", None)
    body.pop("top_logprobs", None)

    send(service, "/v1/completions", {"model": "one"} | body)


@EXAMPLES
@given(body=ANY)
def test_bodies_of_any_shape(service: str, body: Any) -> None:
    send(service, "/v1/chat/completions", body)
