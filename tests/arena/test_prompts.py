"""What a prompt may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.errors import InvalidPromptError
from arena.prompts import MAX_CHARACTERS, prompt_clean


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "type a prompt"),
        (" \n\t ", "type a prompt"),
        ("\u200b\u200e\u2060\xa0", "type a prompt"),
        ("x" * (MAX_CHARACTERS + 1), "8,001 characters; at most 8,000"),
        ("a\x00b", r"U\+0000 at position 2"),
        ("bell\x07", r"U\+0007"),
        ("esc \x1b[31m", r"U\+001B"),
        ("c1 \x9b", r"U\+009B"),
        ("half \ud83d", "lone surrogate at position 6"),
        (None, "must be text"),
        (["list"], "must be text"),
    ],
)
def test_a_bad_prompt_is_refused_with_what_is_wrong(text, says):
    with pytest.raises(InvalidPromptError, match=says) as refused:
        prompt_clean(text)
    assert refused.value.field == "prompt"


@pytest.mark.parametrize(
    "text", ["Why?", "x" * MAX_CHARACTERS, "tab\tand\nline", "👩‍🚀 مرحبا", "0"]
)
def test_a_good_prompt_is_kept_as_it_is(text):
    assert prompt_clean(text) == text


def test_line_ends_of_forms_become_line_feeds():
    assert prompt_clean("one\r\ntwo\rthree") == "one\ntwo\nthree"


@given(st.text())
def test_a_prompt_is_cleaned_once_or_refused(text):
    try:
        cleaned = prompt_clean(text)
    except InvalidPromptError:
        return
    assert prompt_clean(cleaned) == cleaned
    cleaned.encode()
