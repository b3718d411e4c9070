"""Events and reasoning come out the same wherever the stream is cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import TypeVar

import pytest

from inference.event_stream import EventSplitter
from inference.reasoning import Parts, ReasoningSplitter

BODY = (
    b"\xef\xbb\xbf: hello\r\ndata: one\r\n\r\ndata:two\n\nevent: x\r\ndata: thr\r\n"
    b"data: ee\r\n\r\n\r\rdata:  four\rid: 7\r\rdata\n\ndata: \n\n"
    b"data: w\xc3\xb6rld\r\n\r\ndata: last"
)
PAYLOADS = [b"one", b"two", b"thr\nee", b"four", b"w\xc3\xb6rld", b"last"]


Whole = TypeVar("Whole", bytes, str)


def cuts(whole: Whole) -> Iterator[list[Whole]]:
    """`whole` in three pieces, cut at every pair of places; and then one by one."""
    for first, second in combinations_with_replacement(range(len(whole) + 1), 2):
        yield [whole[:first], whole[first:second], whole[second:]]
    yield [whole[place : place + 1] for place in range(len(whole))]


def test_events_do_not_depend_on_where_the_bytes_are_cut():
    for pieces in cuts(BODY):
        splitter = EventSplitter()
        found = [payload for piece in pieces for payload in splitter.feed(piece)]

        assert found + splitter.end() == PAYLOADS, pieces


TEXTS = {
    "Hello <think>there": Parts("", "Hello <think>there"),
    " \n<think>One </think two</think>\n\n Three <think>": Parts(
        "One </think two", "Three <think>"
    ),
    "<think>never </thin": Parts("never </thin", ""),
    "<thinking>": Parts("", "<thinking>"),
    "  <thi": Parts("", "  <thi"),
    " \n ": Parts("", " \n "),
    "<think></think>": Parts("", ""),
}


@pytest.mark.parametrize("text", TEXTS)
def test_reasoning_does_not_depend_on_where_the_text_is_cut(text):
    for pieces in cuts(text):
        splitter = ReasoningSplitter()
        found = [splitter.feed(piece) for piece in pieces]
        found.append(splitter.end())
        reasoning = "".join(part.reasoning for part in found)

        assert Parts(reasoning, "".join(part.text for part in found)) == TEXTS[text], pieces
