"""The `openai` package as its users know it: streams, errors by class, log-probabilities.

What it shows is that a program written for OpenAI needs another base URL and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

from inference.server.app import make_app
from tests.inference.server.in_process import serving
from tests.inference.server.running_service import (
    USER,
    ask,
    endless_stream,
    listening,
    metric,
    wait_until,
)
from tests.inference.tiny_model import write_model_file

pytestmark = pytest.mark.weights


@pytest.fixture
def client(service: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{service}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_a_stream_and_a_whole_answer_say_the_same(client: openai.OpenAI) -> None:
    stop = ask(client, "one", max_tokens=30).choices[0].message.content[20:24]
    whole = ask(client, "one", max_tokens=30, stop=stop)

    messages: Any = USER
    with client.chat.completions.stream(
        model="one", messages=messages, max_tokens=30, stop=stop
    ) as stream:
        for _ in stream:
            pass
        streamed = stream.get_final_completion()

    assert streamed.choices[0].message.content == whole.choices[0].message.content
    assert streamed.choices[0].finish_reason == whole.choices[0].finish_reason == "stop"
    assert streamed.system_fingerprint == whole.system_fingerprint


def test_plain_completions_are_streamed_too(client: openai.OpenAI) -> None:
    whole = client.completions.create(model="one", prompt="People", max_tokens=20)

    parts = list(
        client.completions.create(model="one", prompt="People", max_tokens=20, stream=True)
    )

    assert "".join(part.choices[0].text for part in parts) == whole.choices[0].text
    assert parts[-1].choices[0].finish_reason == "length"


def test_mistakes_of_the_caller_have_their_classes(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        ask(client, "three")
    with pytest.raises(openai.BadRequestError) as wrong:
        ask(client, "one", temperature=9)
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("three")
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="one", input="x")

    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    assert wrong.value.param == "temperature"


def test_a_full_model_is_a_rate_limit_with_a_time_to_wait(
    service: str, client: openai.OpenAI
) -> None:
    with ExitStack() as streams:
        for _ in range(2):
            streams.enter_context(endless_stream(service, "two"))
        with pytest.raises(openai.RateLimitError) as caught:
            ask(client, "two", n=3)

    assert int(caught.value.response.headers["retry-after"]) >= 1
    assert caught.value.code == "rate_limit_exceeded"
    wait_until(lambda: metric(service, "requests_running", "two") == 0)


async def test_a_model_that_cannot_answer_is_a_server_error(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    model_file = write_model_file(tmp_path / "m.toml", {"bad": tmp_path / "empty"})

    async with (
        serving(model_file, tmp_path) as (fleet, _),
        listening(make_app(fleet)) as url,
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client,
    ):
        with pytest.raises(openai.InternalServerError) as caught:
            await client.completions.create(model="bad", prompt="x")

    assert (caught.value.status_code, caught.value.code) == (503, "model_not_ready")
    assert int(caught.value.response.headers["retry-after"]) >= 1


@pytest.mark.parametrize("n", [1, 2])
def test_closing_a_stream_frees_the_place(service: str, client: openai.OpenAI, n: int) -> None:
    stream = ask(client, "two", max_tokens=4000, n=n, stream=True)
    next(iter(stream))
    assert metric(service, "requests_running", "two") == n

    stream.close()

    wait_until(lambda: metric(service, "requests_running", "two") == 0, seconds=1)


def test_giving_up_before_the_answer_frees_the_place(service: str, client: openai.OpenAI) -> None:
    before = metric(service, "requests_total", "two", outcome="cancelled")

    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.5), "two", max_tokens=8000)

    wait_until(lambda: metric(service, "requests_running", "two") == 0, seconds=1)
    assert metric(service, "requests_total", "two", outcome="cancelled") == before + 1


def test_log_probabilities_in_both_forms(client: openai.OpenAI) -> None:
    chat = ask(client, "one", max_tokens=5, logprobs=True, top_logprobs=3)
    plain = client.completions.create(model="one", prompt="People", max_tokens=5, logprobs=3)

    content = chat.choices[0].logprobs.content
    assert "".join(at.token for at in content) == chat.choices[0].message.content
    assert all(len(at.top_logprobs) == 3 for at in content)
    assert all(at.logprob == at.top_logprobs[0].logprob for at in content)
    reported = plain.choices[0].logprobs
    assert reported is not None
    assert reported.tokens is not None
    assert "".join(reported.tokens) == plain.choices[0].text
    assert all(top is not None and len(top) == 3 for top in reported.top_logprobs or [])


def test_an_echo_gives_the_likelihood_of_a_text(client: openai.OpenAI) -> None:
    text = "People vote on two answers"

    answer = client.completions.create(
        model="one", prompt=text, max_tokens=0, echo=True, logprobs=1
    )

    reported = answer.choices[0].logprobs
    assert reported is not None
    assert answer.choices[0].text == text == "".join(reported.tokens or [])
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 0


def test_a_seed_gives_the_same_answer_twice(client: openai.OpenAI) -> None:
    first = ask(client, "one", max_tokens=20, temperature=1.5, seed=11)
    second = ask(client, "one", max_tokens=20, temperature=1.5, seed=11)

    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.system_fingerprint == second.system_fingerprint
