"""The service as its clients meet it: a real process, real HTTP, two tiny models."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.inference.tiny_model import CONTEXT, inference_server_process, write_model_file

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


def ask(client: openai.OpenAI, model: str, question: str = "Who won?", **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": question}]
    return client.chat.completions.create(model=model, messages=messages, **more)


def wait_until(held: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def metric(service: str, name: str, model: str) -> float:
    text = httpx.get(f"{service}/metrics").text
    wanted = f'preferendum_inference_{name}{{model="{model}"}} '
    return float(next(line for line in text.splitlines() if line.startswith(wanted)).split()[-1])


@contextmanager
def endless_stream(service: str, model: str) -> Iterator[None]:
    """A client that has read the first bytes of a long answer, and hangs up at the end."""
    body = {"model": model, "messages": [{"role": "user", "content": "Go on"}], "stream": True}
    url = f"{service}/v1/chat/completions"
    with httpx.stream("POST", url, json=body | {"max_tokens": 8000}, timeout=30) as response:
        pieces = response.iter_bytes()
        next(pieces)
        yield


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


def test_a_seed_that_is_not_honoured_is_reported(service: str) -> None:
    body = {"model": "one", "messages": [{"role": "user", "content": "Hi"}], "seed": 7}

    answer = httpx.post(f"{service}/v1/chat/completions", json=body | {"temperature": 1})

    assert answer.json()["ignored"] == ["seed"]


def test_plain_completions_take_text_and_token_ids(
    client: openai.OpenAI, tiny_folders: dict[str, Path]
) -> None:
    ids = AutoTokenizer.from_pretrained(tiny_folders["one"])("People vote")["input_ids"]

    by_text = client.completions.create(model="one", prompt="People vote", max_tokens=10)
    by_ids = client.completions.create(model="one", prompt=ids, max_tokens=10)

    assert by_text.choices[0].text == by_ids.choices[0].text != ""
    assert by_ids.usage is not None
    assert by_ids.usage.prompt_tokens == len(ids)


def test_an_unknown_model_is_a_404_that_names_the_served_ones(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="one, two"):
        ask(client, "three")


def test_a_context_overflow_is_a_400_with_the_numbers(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=f"context is {CONTEXT} tokens") as caught:
        ask(client, "one", max_tokens=CONTEXT)

    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("content", "status"), [(b"{", 400), (b"[]", 400), (b" " * (4 * 2**20 + 1), 413)]
)
def test_bad_bodies_are_refused(service: str, content: bytes, status: int) -> None:
    answer = httpx.post(f"{service}/v1/chat/completions", content=content)

    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_an_unknown_path_is_a_404_in_json(service: str) -> None:
    answer = httpx.get(f"{service}/v1/nothing")

    assert (answer.status_code, "error" in answer.json()) == (404, True)


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


def test_a_client_that_hangs_up_frees_its_slot_and_its_cache(service: str) -> None:
    with endless_stream(service, "two"):
        assert metric(service, "requests_running", "two") == 1

    wait_until(lambda: metric(service, "requests_running", "two") == 0, seconds=1)
    assert metric(service, "kv_cache_reserved_ratio", "two") == 0


def test_a_client_that_gives_up_before_the_answer_frees_its_slot(service: str) -> None:
    body = {"model": "two", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8000}

    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{service}/v1/chat/completions", json=body, timeout=0.3)

    wait_until(lambda: metric(service, "requests_running", "two") == 0, seconds=1)


def test_sigterm_lets_a_stream_finish_and_ends_the_process(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "models.toml", {"one": tiny_folders["one"]})
    body = {"model": "one", "messages": [{"role": "user", "content": "Hi"}], "stream": True}

    with inference_server_process(model_file, cache=tmp_path) as (process, url):
        address = f"{url}/v1/chat/completions"
        with httpx.stream("POST", address, json=body | {"max_tokens": 400}) as response:
            lines = response.iter_lines()
            first = next(lines)
            process.send_signal(signal.SIGTERM)
            rest = [line for line in lines if line]

        assert json.loads(first.removeprefix("data: "))["model"] == "one"
        assert rest[-1] == "data: [DONE]"
        assert (
            json.loads(rest[-2].removeprefix("data: "))["choices"][0]["finish_reason"] == "length"
        )
        assert process.wait(15) == 0
