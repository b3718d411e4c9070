"""Log-probabilities in the two forms that OpenAI gave them: of a chat and of a plain completion.

It knows tokens and their numbers; it knows neither how they were computed nor how they are sent.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from typing import Any

from inference.server.generation import TokenLogprob
from inference.server.vocabulary import Vocabulary

LEAST = -9999.0
"""In place of minus infinity, which JSON does not have; vLLM uses the same number."""


class TextPlaces:
    """Where in a text its tokens begin, in characters; a part of one begins where it does.

    Goes on from call to call, as a stream does: a chunk may begin in the middle of a character.
    """

    def __init__(self, begin: int = 0) -> None:
        self._place = begin
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def of(self, pieces: Iterable[bytes]) -> list[int]:
        """Of the next pieces of the text."""
        places = []
        for piece in pieces:
            places.append(self._place)
            self._place += len(self._decoder.decode(piece))
        return places


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
    tokens: Sequence[TokenLogprob], vocabulary: Vocabulary, top: int, *, places: TextPlaces
) -> dict[str, Any]:
    """`choices[].logprobs` of a plain completion; `places` is at the first of them.

    At each place stand the `top` likeliest and the token itself, as OpenAI does it.
    """
    return {
        "tokens": [_name(vocabulary, at.token) for at in tokens],
        "token_logprobs": [_number(at.logprob) for at in tokens],
        "top_logprobs": [_top(at, vocabulary, top) for at in tokens],
        "text_offset": places.of(vocabulary.bytes_shown(at.token) for at in tokens),
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
    places = [min(max(0, place - extra), len(text)) for place in TextPlaces().of(pieces)]
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
