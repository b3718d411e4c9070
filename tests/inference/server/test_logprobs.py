"""Log-probabilities as they are reported, against what the model itself computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from tokenizers import Tokenizer, decoders, models
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from inference.server.generation import TokenLogprob
from inference.server.logprobs import (
    LEAST,
    TextPlaces,
    chat_logprobs,
    echo_logprobs,
    plain_logprobs,
)
from inference.server.vocabulary import Vocabulary
from tests.inference.server.running_service import USER, chunks
from tests.inference.tiny_model import tiny_tokenizer

TEXTS = ["People vote on two answers", "Zwölf Boxkämpfer 🙂", "x", "a b " * 200]


def byte_level() -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer(), eos_token="<|end|>")


def sentence_pieces() -> PreTrainedTokenizerFast:
    """A tokenizer in the manner of Llama 2: spaces as U+2581, single bytes as `<0x..>`."""
    pieces = ["<s>", "▁Hello", "▁wor", "ld", *[f"<0x{byte:02X}>" for byte in range(256)]]
    tokenizer = Tokenizer(models.BPE({piece: at for at, piece in enumerate(pieces)}, []))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>")


def test_the_bytes_of_the_tokens_make_up_the_text() -> None:
    tokenizer = byte_level()
    vocabulary = Vocabulary(tokenizer)

    for text in TEXTS:
        tokens = tokenizer(text)["input_ids"]
        assert b"".join(vocabulary.bytes_of(token) for token in tokens).decode() == text
        assert vocabulary.text_of(tokens) == text


def test_sentence_pieces_have_bytes_too() -> None:
    vocabulary = Vocabulary(sentence_pieces())

    assert [vocabulary.bytes_of(token) for token in (0, 1, 2, 3)] == [
        b"<s>",
        b" Hello",
        b" wor",
        b"ld",
    ]
    assert vocabulary.bytes_of(4 + 0xE2) == b"\xe2"
    assert vocabulary.bytes_of(5000) == b""


def test_half_characters_are_shown_as_bytes_and_keep_their_place() -> None:
    tokenizer = byte_level()
    vocabulary = Vocabulary(tokenizer)
    tokens = tokenizer("ä🙂!")["input_ids"]
    entries = [TokenLogprob(token=token, logprob=-1.0, top=((token, -1.0),)) for token in tokens]

    chat = chat_logprobs(entries, vocabulary, 1)["content"]
    plain = plain_logprobs(entries, vocabulary, 1, places=TextPlaces(10))

    assert bytes(byte for at in chat for byte in at["bytes"]).decode() == "ä🙂!"
    assert chat[0] == {
        "token": "\\xc3",
        "logprob": -1.0,
        "bytes": [0xC3],
        "top_logprobs": [{"token": "\\xc3", "logprob": -1.0, "bytes": [0xC3]}],
    }
    assert plain["tokens"] == [f"bytes:\\x{byte:02x}" for byte in "ä🙂".encode()] + ["!"]
    assert plain["text_offset"] == [10, 10, 11, 11, 11, 11, 12]


def test_a_stream_that_cuts_a_character_keeps_the_places_of_what_follows() -> None:
    tokenizer = byte_level()
    vocabulary = Vocabulary(tokenizer)
    tokens = tokenizer("ä🙂!")["input_ids"]
    entries = [TokenLogprob(token=token, logprob=-1.0, top=()) for token in tokens]

    for cut in range(len(entries)):
        places = TextPlaces()
        parts = [
            plain_logprobs(part, vocabulary, 0, places=places)["text_offset"]
            for part in (entries[:cut], entries[cut:])
        ]
        assert parts[0] + parts[1] == [0, 0, 1, 1, 1, 1, 2]


def test_tokens_of_one_name_do_not_hide_one_another() -> None:
    tokenizer = sentence_pieces()
    vocabulary = Vocabulary(tokenizer)
    letter = 4 + ord("l")
    vocabulary._known[9999] = b"l"
    entry = TokenLogprob(token=9999, logprob=-3.0, top=((letter, -0.5), (7, -2.0)))

    (top,) = plain_logprobs([entry], vocabulary, 2, places=TextPlaces())["top_logprobs"]

    assert top["l"] == -0.5
    assert top["token_id:9999"] == -3.0
    assert len(top) == 3


def test_what_json_does_not_have_is_a_number_in_it() -> None:
    entry = TokenLogprob(token=5, logprob=float("-inf"), top=((6, float("nan")),))

    content = chat_logprobs([entry], Vocabulary(byte_level()), 1)["content"][0]

    assert content["logprob"] == content["top_logprobs"][0]["logprob"] == LEAST


def test_a_token_that_the_tokenizer_put_before_the_text_takes_no_room_in_it() -> None:
    scores: list[TokenLogprob | None] = [None]
    scores += [TokenLogprob(token=token, logprob=-1.0, top=()) for token in (1, 2, 3)]

    echoed = echo_logprobs(
        [0, 1, 2, 3], scores, Vocabulary(sentence_pieces()), 1, text=" Hello world"
    )

    assert echoed["text_offset"] == [0, 0, 6, 10]
    assert echoed["token_logprobs"] == [None, -1.0, -1.0, -1.0]
    assert echoed["top_logprobs"][0] is None


@pytest.fixture(scope="module")
def likelihoods(tiny_folders: dict[str, Path]) -> Callable[[list[int]], torch.Tensor]:
    """By the model itself: the log-probabilities after each token, [tokens, vocabulary]."""
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_folders["one"], dtype=torch.float32)

    def after(tokens: list[int]) -> torch.Tensor:
        with torch.no_grad():
            logits: torch.Tensor = model(torch.tensor([tokens])).logits[0]
        return logits.log_softmax(-1)

    return after


@pytest.fixture(scope="module")
def tokenizer(tiny_folders: dict[str, Path]) -> Any:
    return AutoTokenizer.from_pretrained(tiny_folders["one"])


@pytest.mark.weights
@pytest.mark.parametrize("as_ids", [False, True])
@pytest.mark.parametrize("max_tokens", [0, 1])
def test_the_likelihood_of_given_texts_is_the_models_own(
    service: str,
    likelihoods: Callable[[list[int]], torch.Tensor],
    tokenizer: Any,
    as_ids: bool,
    max_tokens: int,
) -> None:
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    body = {"model": "one", "prompt": ids if as_ids else TEXTS, "echo": True, "logprobs": 2}

    answer = httpx.post(
        f"{service}/v1/completions", json=body | {"max_tokens": max_tokens}, timeout=60
    ).json()

    assert [choice["index"] for choice in answer["choices"]] == list(range(len(TEXTS)))
    for choice, text, tokens in zip(answer["choices"], TEXTS, ids, strict=True):
        reported, own = choice["logprobs"], likelihoods(tokens)
        values = [float(own[at, token]) for at, token in enumerate(tokens[1:])]
        if max_tokens:
            values.append(float(own[-1].max()))
        assert choice["text"].startswith(text)
        assert reported["token_logprobs"][0] is reported["top_logprobs"][0] is None
        assert reported["token_logprobs"][1:] == pytest.approx(values, abs=1e-4)
        lengths = {len(reported[name]) for name in reported}
        assert lengths == {len(tokens) + max_tokens}
        for at, top in enumerate(reported["top_logprobs"][1:], start=1):
            assert reported["token_logprobs"][at] in top.values()
            assert max(top.values()) == pytest.approx(float(own[at - 1].max()), abs=1e-4)


@pytest.mark.weights
def test_an_answer_reports_the_same_numbers_as_its_echo(service: str, tokenizer: Any) -> None:
    body = {"model": "one", "prompt": "People", "logprobs": 3}
    url = f"{service}/v1/completions"
    said = httpx.post(url, json=body | {"max_tokens": 12}).json()["choices"][0]

    echoed = httpx.post(
        url, json=body | {"prompt": "People" + said["text"], "max_tokens": 0, "echo": True}
    ).json()["choices"][0]

    length = len(said["logprobs"]["tokens"])
    assert said["logprobs"]["tokens"] == echoed["logprobs"]["tokens"][-length:]
    assert said["logprobs"]["token_logprobs"] == pytest.approx(
        echoed["logprobs"]["token_logprobs"][-length:], abs=1e-4
    )


@pytest.mark.weights
def test_an_echo_before_a_longer_answer_joins_both(service: str) -> None:
    prompts = ["People", "ä"]
    body = {"model": "one", "prompt": prompts, "max_tokens": 5, "logprobs": 0}
    url = f"{service}/v1/completions"
    alone = httpx.post(url, json=body).json()["choices"]

    both = httpx.post(url, json=body | {"echo": True}).json()["choices"]

    for prompt, answer, joined in zip(prompts, alone, both, strict=True):
        assert joined["text"] == prompt + answer["text"]
        reported = joined["logprobs"]
        tail = reported["token_logprobs"][-5:]
        assert tail == pytest.approx(answer["logprobs"]["token_logprobs"], abs=1e-5)
        ends = [*reported["text_offset"][1:], len(joined["text"])]
        words = [joined["text"][a:b] for a, b in zip(reported["text_offset"], ends, strict=True)]
        assert "".join(words) == joined["text"]
        assert words[-5:] == answer["logprobs"]["tokens"]


@pytest.mark.weights
def test_an_echo_without_log_probabilities_is_the_text_alone(service: str) -> None:
    body = {"model": "one", "prompt": [[5, 6, 7]], "echo": True, "max_tokens": 0}

    answer = httpx.post(f"{service}/v1/completions", json=body).json()

    assert answer["choices"][0]["logprobs"] is None
    assert len(answer["choices"][0]["text"]) == 3
    assert answer["choices"][0]["finish_reason"] == "length"


@pytest.mark.weights
@pytest.mark.parametrize("more", [{}, {"seed": 3, "temperature": 1.2}])
def test_a_stream_reports_every_token_with_its_text(service: str, more: dict[str, Any]) -> None:
    body = {"model": "one", "messages": USER, "max_tokens": 30, "logprobs": True, "stream": True}

    answer = httpx.post(
        f"{service}/v1/chat/completions", json=body | {"top_logprobs": 2, **more}, timeout=30
    )

    entries = []
    for choice in (part["choices"][0] for part in chunks(answer)):
        if choice["logprobs"]:
            fresh = choice["logprobs"]["content"]
            assert "".join(at["token"] for at in fresh) == choice["delta"]["content"]
            entries += fresh
    assert len(entries) == 30
    assert all(at["logprob"] <= at["top_logprobs"][0]["logprob"] for at in entries)


@pytest.mark.weights
@pytest.mark.parametrize("stop", [[], ["e", "ab", "th"]])
def test_a_stream_of_random_bytes_reports_what_the_whole_answer_does(
    service: str, stop: list[str]
) -> None:
    url = f"{service}/v1/completions"
    body = {"model": "one", "prompt": "x", "max_tokens": 60, "temperature": 2, "logprobs": 1}
    for seed in range(6):
        asked = body | {"seed": seed, "stop": stop}
        (whole,) = httpx.post(url, json=asked, timeout=60).json()["choices"]
        streamed = chunks(httpx.post(url, json=asked | {"stream": True}, timeout=60))

        parts = [chunk["choices"][0]["logprobs"] for chunk in streamed]
        for name, values in whole["logprobs"].items():
            assert [value for part in parts if part for value in part[name]] == values
