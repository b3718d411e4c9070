"""Text that leaves the service holds whole characters and no piece of a stop string."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.server.text import StopFilter, TokenText
from tests.inference.tiny_model import tiny_tokenizer

TOKENIZER = tiny_tokenizer()


def pieces_of(text: str, *, limit: int | None = None) -> list[str]:
    stream = TokenText(TOKENIZER.decode)
    tokens = TOKENIZER.encode(text).ids[:limit]
    return [*(stream.push([token]) for token in tokens), stream.finish()]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=30))
def test_streamed_pieces_join_to_the_text(text: str) -> None:
    pieces = pieces_of(text)

    assert "".join(pieces) == text
    assert all("\ufffd" not in piece for piece in pieces)


def test_a_character_cut_in_half_by_the_token_limit_is_left_out() -> None:
    tokens = TOKENIZER.encode("so 🙂").ids

    pieces = pieces_of("so 🙂", limit=len(tokens) - 1)

    assert "".join(pieces) == "so "


def test_several_tokens_at_once_give_the_same_text() -> None:
    stream = TokenText(TOKENIZER.decode)

    text = stream.push(TOKENIZER.encode("zwölf Köpfe").ids) + stream.finish()

    assert text == "zwölf Köpfe"


@pytest.mark.parametrize("size", [1, 3, 100])
def test_tokens_that_are_no_characters_are_sent_and_cost_no_more_with_every_one(size: int) -> None:
    lengths = []

    def decode(tokens: Sequence[int]) -> str:
        lengths.append(len(tokens))
        return str(TOKENIZER.decode(list(tokens)))

    stream = TokenText(decode)
    half = TOKENIZER.encode("🙂").ids[:1]

    noise = [stream.push(half * size) for _ in range(900 // size)]
    text = stream.push(TOKENIZER.encode(" so 🙂").ids) + stream.finish()

    assert sum(map(len, noise)) > 800
    assert text.endswith(" so 🙂")
    assert max(lengths) < 32


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    "stops", [("STOP",), ("never", "o S"), ("e STO", "absent"), ("absent",), ()]
)
def test_text_ends_before_the_stop_string_however_it_is_cut(
    stops: tuple[str, ...], size: int
) -> None:
    text = "one STO two STOP three STO"
    expected = text
    for stop in stops:
        expected = expected.split(stop)[0]
    filter_ = StopFilter(stops)

    sent = [filter_.push(text[at : at + size]) for at in range(0, len(text), size)]
    sent.append("" if filter_.stopped else filter_.finish())

    assert "".join(sent) == expected
    assert filter_.stopped == (expected != text)


@given(
    st.lists(st.text("ab", max_size=3), max_size=12),
    st.lists(st.text("ab", min_size=1, max_size=4), max_size=3),
)
def test_no_stop_string_ever_leaves(chunks: list[str], stops: list[str]) -> None:
    text = "".join(chunks)
    filter_ = StopFilter(tuple(stops))

    sent = "".join(filter_.push(chunk) for chunk in chunks)
    sent += "" if filter_.stopped else filter_.finish()

    assert not any(stop in sent for stop in stops)
    assert text.startswith(sent)
    assert filter_.stopped == any(stop in text for stop in stops)
