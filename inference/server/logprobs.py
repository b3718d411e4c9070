"""Log-probabilities in the two forms that OpenAI gave them: of a chat and of a plain completion.

It knows tokens and their numbers; it knows neither how they were computed nor how they are sent.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Any

from inference.server.generation import TokenLogprob
from inference.server.vocabulary import Vocabulary

LEAST = -9999.0
"""In place of minus infinity, which JSON does not have; vLLM uses the same number."""


def chat_logprobs(
    tokens: Sequence[TokenLogprob], vocabulary: Vocabulary, top: int
) -> dict[str, Any]:
    """`choices[].logprobs` of a chat, with the `top` likeliest tokens at each place."""
    return {
        "content": [
            _entry(vocabulary, at.token, at.logprob)
            | {"top_logprobs": [_entry(vocabulary, *pair) for pair in at.top[:top]]}
            for at in tokens
        ],
        "refusal": None,
    }


def plain_logprobs(
    tokens: Sequence[TokenLogprob], vocabulary: Vocabulary, top: int, *, begin: int = 0
) -> dict[str, Any]:
    """`choices[].logprobs` of a plain completion; `begin` is the place of the first in the text.

    At each place stand the `top` likeliest and the token itself, as OpenAI does it.
    """
    places = _places([vocabulary.bytes_shown(at.token) for at in tokens])
    return {
        "tokens": [_name(vocabulary, at.token) for at in tokens],
        "token_logprobs": [_number(at.logprob) for at in tokens],
        "top_logprobs": [_top(at, vocabulary, top) for at in tokens],
        "text_offset": [begin + place for place in places],
    }


def echo_logprobs(
    prompt: Sequence[int],
    scores: Sequence[TokenLogprob | None],
    vocabulary: Vocabulary,
    top: int,
    *,
    text: str,
) -> dict[str, Any]:
    """The same for a given text; nothing comes before its first token, whose entries are null."""
    pieces = [vocabulary.bytes_of(token) for token in prompt]
    # A tokenizer may put something before a text, such as a beginning-of-text token.
    extra = len(b"".join(pieces).decode(errors="replace")) - len(text)
    places = [min(max(0, place - extra), len(text)) for place in _places(pieces)]
    return {
        "tokens": [_name(vocabulary, token) for token in prompt],
        "token_logprobs": [None if at is None else _number(at.logprob) for at in scores],
        "top_logprobs": [None if at is None else _top(at, vocabulary, top) for at in scores],
        "text_offset": places,
    }


def joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Two plain forms, one after the other."""
    return {name: [*first[name], *second[name]] for name in first}


def _entry(vocabulary: Vocabulary, token: int, logprob: float) -> dict[str, Any]:
    return {
        "token": vocabulary.name_of(token),
        "logprob": _number(logprob),
        "bytes": list(vocabulary.bytes_of(token)),
    }


def _top(at: TokenLogprob, vocabulary: Vocabulary, top: int) -> dict[str, float]:
    """By the tokens' names. Two tokens of one name must not hide one another."""
    likeliest = list(at.top[:top])
    if all(token != at.token for token, _ in likeliest):
        likeliest.append((at.token, at.logprob))
    named: dict[str, float] = {}
    for token, logprob in likeliest:
        name = _name(vocabulary, token)
        named[f"token_id:{token}" if name in named else name] = _number(logprob)
    return named


def _name(vocabulary: Vocabulary, token: int) -> str:
    name, raw = vocabulary.name_of(token), vocabulary.bytes_of(token)
    return name if name.encode() == raw else f"bytes:{name}"


def _number(logprob: float) -> float:
    # In this order a NaN, too, becomes the least.
    return max(LEAST, logprob)


def _places(pieces: Sequence[bytes]) -> list[int]:
    """Where in the text each piece begins, in characters; a part of one begins where it does."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    places, place = [], 0
    for piece in pieces:
        places.append(place)
        place += len(decoder.decode(piece))
    return places
