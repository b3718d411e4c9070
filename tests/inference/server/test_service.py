"""The service as its clients meet it: a real process, real HTTP, two tiny models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.inference.server.running_service import (
    USER,
    ask,
    chunks,
    endless_stream,
    metric,
    wait_until,
)
from tests.inference.tiny_model import CONTEXT

pytestmark = pytest.mark.weights

QUESTIONS = ["Who won?", "Why is the sky blue, and how do you know?", "Zwölf Boxkämpfer 🙂", "x"]


@pytest.fixture
def client(service: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{service}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def greedy(tiny_folders: dict[str, Path]) -> Callable[[str, str, int], str]:
    """What `generate` of transformers answers, in float32."""
    models: dict[str, Any] = {
        slug: AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        for slug, folder in tiny_folders.items()
    }
    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_folders["one"])

    def answer(slug: str, question: str, max_tokens: int) -> str:
        inputs: Any = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        output = models[slug].generate(
            **inputs, do_sample=False, max_new_tokens=max_tokens, pad_token_id=0
        )
        generated = output[0, inputs["input_ids"].size(1) :]
        return str(tokenizer.decode(generated, skip_special_tokens=True))

    return answer


def test_two_models_at_once_and_in_a_batch_answer_as_generate_does(
    client: openai.OpenAI, greedy: Callable[[str, str, int], str]
) -> None:
    asked = [(model, question) for question in QUESTIONS for model in ("one", "two")]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda call: ask(client, *call, max_tokens=30), asked))

    texts = [answer.choices[0].message.content for answer in answers]
    assert texts == [greedy(model, question, 30) for model, question in asked]


def test_a_long_prompt_that_is_read_in_pieces_answers_as_generate_does(
    client: openai.OpenAI, greedy: Callable[[str, str, int], str]
) -> None:
    question = "Is it so? " * 60

    answer = ask(client, "one", question, max_tokens=20)

    assert answer.usage.prompt_tokens > 256
    assert answer.choices[0].message.content == greedy("one", question, 20)


def test_a_stream_adds_up_to_the_whole_answer_with_usage(client: openai.OpenAI) -> None:
    whole = ask(client, "one", max_tokens=40)

    options = {"include_usage": True}
    chunks = list(ask(client, "one", max_tokens=40, stream=True, stream_options=options))

    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert streamed == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks[-2:-1]] == ["length"]
    assert chunks[-1].usage == whole.usage
    assert whole.usage.completion_tokens == 40
    assert len(chunks) > 20


def test_the_model_file_gives_the_defaults(client: openai.OpenAI) -> None:
    first, second = ask(client, "one"), ask(client, "one")

    assert first.usage.completion_tokens == 24
    assert first.choices[0].message.content == second.choices[0].message.content


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_string_over_token_borders_ends_the_answer_before_it(
    client: openai.OpenAI, stream: bool
) -> None:
    text = ask(client, "two", max_tokens=40).choices[0].message.content
    stops = ["never said", text[11:18]]

    answer = ask(client, "two", max_tokens=40, stop=stops, stream=stream)

    if stream:
        chunks = list(answer)
        said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        reason = chunks[-1].choices[0].finish_reason
    else:
        said, reason = answer.choices[0].message.content, answer.choices[0].finish_reason
    assert said == text[: text.index(stops[1])]
    assert reason == "stop"


def test_sampling_varies_and_is_per_request(client: openai.OpenAI) -> None:
    with ThreadPoolExecutor(2) as pool:
        warm = pool.submit(ask, client, "one", max_tokens=30, temperature=1.5)
        cold = pool.submit(ask, client, "one", max_tokens=30, temperature=0)
        narrow = ask(client, "one", max_tokens=30, temperature=1.5, top_p=1e-6)

    greedy_text = ask(client, "one", max_tokens=30).choices[0].message.content
    assert cold.result().choices[0].message.content == greedy_text
    assert narrow.choices[0].message.content == greedy_text
    assert warm.result().choices[0].message.content != greedy_text


def test_plain_completions_take_text_and_token_ids(
    client: openai.OpenAI, tiny_folders: dict[str, Path]
) -> None:
    ids = AutoTokenizer.from_pretrained(tiny_folders["one"])("People vote")["input_ids"]

    by_text = client.completions.create(model="one", prompt="People vote", max_tokens=10)
    by_ids = client.completions.create(model="one", prompt=ids, max_tokens=10)

    assert by_text.choices[0].text == by_ids.choices[0].text != ""
    assert by_ids.usage is not None
    assert by_ids.usage.prompt_tokens == len(ids)


@pytest.mark.parametrize("token", [-1, 314, 10**30])
@pytest.mark.parametrize("more", [{}, {"echo": True, "max_tokens": 0, "logprobs": 1}])
def test_what_is_no_token_is_refused(
    client: openai.OpenAI, token: int, more: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError, match=f"{token} is no token id"):
        client.completions.create(model="one", prompt=[[5, token, 6], [7]], **more)


def test_several_prompts_are_answered_in_their_order(client: openai.OpenAI) -> None:
    prompts = ["People vote", "a", "Zwölf Boxkämpfer"]
    alone = [client.completions.create(model="one", prompt=text, max_tokens=6) for text in prompts]

    answer = client.completions.create(model="one", prompt=prompts, max_tokens=6)

    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert [choice.text for choice in answer.choices] == [one.choices[0].text for one in alone]
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 18
    assert answer.usage.prompt_tokens == sum(one.usage.prompt_tokens for one in alone if one.usage)


@pytest.mark.parametrize("stream", [False, True])
def test_several_choices_are_drawn_apart_and_counted_together(service: str, stream: bool) -> None:
    body = {"model": "one", "messages": USER, "n": 3, "temperature": 1.5, "max_tokens": 20}
    options: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}

    answer = httpx.post(
        f"{service}/v1/chat/completions", json=body | (options if stream else {}), timeout=30
    )

    texts: dict[int, str] = {}
    reasons: dict[int, str] = {}
    if stream:
        *parts, last = chunks(answer)
        usage = last["usage"]
        assert last["choices"] == []
        for choice in (part["choices"][0] for part in parts):
            at = choice["index"]
            texts[at] = texts.get(at, "") + choice["delta"].get("content", "")
            reasons[at] = choice["finish_reason"]
    else:
        usage = answer.json()["usage"]
        for choice in answer.json()["choices"]:
            texts[choice["index"]] = choice["message"]["content"]
            reasons[choice["index"]] = choice["finish_reason"]
    assert reasons == {0: "length", 1: "length", 2: "length"}
    assert len(set(texts.values())) == 3
    assert usage["completion_tokens"] == 60
    assert usage["total_tokens"] == usage["prompt_tokens"] + 60


def test_more_choices_than_the_service_holds_are_refused_with_the_number(
    client: openai.OpenAI,
) -> None:
    with pytest.raises(openai.BadRequestError, match="at most 4"):
        ask(client, "one", n=5)


def test_choices_are_admitted_all_or_none(service: str, client: openai.OpenAI) -> None:
    with endless_stream(service, "one"):
        with pytest.raises(openai.RateLimitError):
            ask(client, "one", n=4)
        assert metric(service, "requests_running", "one") == 1
        assert metric(service, "requests_waiting", "one") == 0
    wait_until(lambda: metric(service, "requests_running", "one") == 0)


@pytest.mark.parametrize("stream", [False, True])
def test_a_seed_gives_the_same_answer_whatever_else_runs(
    service: str, client: openai.OpenAI, stream: bool
) -> None:
    def drawn(seed: int, **more: Any) -> list[str]:
        body: dict[str, Any] = {"model": "one", "messages": USER, "temperature": 1.5}
        body |= {"max_tokens": 20, "seed": seed, "stream": stream, **more}
        answer = httpx.post(f"{service}/v1/chat/completions", json=body, timeout=30)
        if not stream:
            return [choice["message"]["content"] for choice in answer.json()["choices"]]
        texts = [""] * body.get("n", 1)
        for choice in (part["choices"][0] for part in chunks(answer)):
            texts[choice["index"]] += choice["delta"].get("content", "")
        return texts

    alone = drawn(7)
    with endless_stream(service, "one"):
        beside = drawn(7)
    two = drawn(6, n=2)

    assert alone == beside == two[1:]
    assert two[0] != two[1]


def test_an_answer_names_what_it_was_computed_with(client: openai.OpenAI) -> None:
    first, second = ask(client, "one", max_tokens=1), ask(client, "one", max_tokens=1)

    assert first.system_fingerprint == second.system_fingerprint
    assert first.system_fingerprint.startswith("fp_")
    assert first.system_fingerprint != ask(client, "two", max_tokens=1).system_fingerprint


def test_a_default_of_tokens_shrinks_to_the_room_in_the_context(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="one", prompt=[5] * (CONTEXT - 3))

    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3


def test_an_unknown_model_is_a_404_that_names_the_served_ones(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="one, two"):
        ask(client, "three")


def test_a_context_overflow_is_a_400_with_the_numbers(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=f"context is {CONTEXT} tokens") as caught:
        ask(client, "one", max_tokens=CONTEXT)

    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b" " * (4 * 2**20 + 1), "application/json", 413),
        (b"[" * 2**20, "application/json; charset=utf-8", 400),
    ],
)
def test_bad_bodies_are_refused(service: str, content: bytes, kind: str, status: int) -> None:
    headers = {"content-type": kind}

    answer = httpx.post(f"{service}/v1/chat/completions", content=content, headers=headers)

    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/v1/models/", 404),
        ("GET", "/v1/models/none/such", 404),
        ("GET", "/v1/completions", 405),
        ("DELETE", "/health", 405),
    ],
)
def test_unknown_paths_and_methods_are_answered_in_the_same_shape(
    service: str, method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, f"{service}{path}")

    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_models_health_and_readiness(service: str, client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list().data] == ["one", "two"]
    assert client.models.retrieve("two").id == "two"
    assert httpx.get(f"{service}/health").status_code == 200
    assert httpx.get(f"{service}/ready").json()["models"] == ["one", "two"]


def test_a_full_model_answers_429_at_once_and_the_other_goes_on(
    service: str, client: openai.OpenAI
) -> None:
    with ThreadPoolExecutor(2) as pool, ExitStack() as streams:
        for _ in range(2):
            streams.enter_context(endless_stream(service, "one"))
        waiting = [pool.submit(ask, client, "one", max_tokens=1) for _ in range(2)]
        wait_until(lambda: metric(service, "requests_waiting", "one") == 2)

        with pytest.raises(openai.RateLimitError) as caught:
            ask(client, "one")
        other = ask(client, "two", max_tokens=3)

        assert int(caught.value.response.headers["retry-after"]) >= 1
        assert other.usage.completion_tokens == 3
        streams.close()
        assert [answer.result().usage.completion_tokens for answer in waiting] == [1, 1]
    wait_until(lambda: metric(service, "requests_running", "one") == 0)
