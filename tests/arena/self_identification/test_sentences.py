"""Sentences of a stream: the same however it is cut, whole, and none too long."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from arena.self_identification.sentences import LONGEST, Sentence, Sentences


def cut(*pieces: str) -> list[Sentence]:
    sentences = Sentences()
    found = [sentence for piece in pieces for sentence in sentences.feed(piece)]
    return [*found, *sentences.finish()]


TEXTS = st.lists(
    st.sampled_from(["word", " ", ". ", "\n", "。", "?!” ", '"', "```\n", "> ", "x" * 350, "3.5"]),
    max_size=14,
).map("".join)


@given(TEXTS, st.lists(st.integers(0, 2_000), max_size=10))
@example("x" * 850 + " and on", [400, 801, 849, 851])
@example("so " * 300, [599, 600, 601, 799])
def test_sentences_do_not_depend_on_the_pieces(text: str, places: list[int]):
    bounds = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    whole = cut(text)
    assert cut(*(text[a:b] for a, b in pairwise(bounds))) == whole
    assert "".join(sentence.text for sentence in whole) == text
    assert all(len(sentence.text) <= LONGEST for sentence in whole)
    assert all(text[one.start :].startswith(one.text) for one in whole)


def test_sentences_end_where_a_reader_would_end_them():
    texts = [sentence.text for sentence in cut("Is it 3.5? “Yes.” It is.\nそうです。はい")]
    assert texts == ["Is it 3.5? ", "“Yes.” ", "It is.\n", "そうです。", "はい"]


def test_quotes_that_span_sentences_are_quoted_in_each():
    first, second, third = cut('A "b. c" d. e')
    assert first.text[slice(*first.quoted[0])] == '"b. '
    assert second.text[slice(*second.quoted[0])] == 'c"'
    assert third.quoted == ()
