"""What is counted as style, and what is not, whatever the text."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from arena.style_counts import StyleCounts, style_counts, token_count

ANSWER = """\
# Title

Some **bold** words, __more__ of them, and ***both***.

1. one
2) two
   - nested, with **a *b* c**

## Second
#### Fourth

* star
+ plus

* * *
- - -
"""


def test_every_kind_of_element_is_counted_on_its_own():
    found = style_counts(ANSWER)

    assert found == StyleCounts(
        length=token_count(ANSWER),
        h1=1,
        h2=1,
        h4=1,
        bold_asterisk=3,
        bold_underscore=1,
        ordered=2,
        unordered=3,
    )
    assert (found.headers, found.bold, found.lists) == (3, 4, 5)


def test_counts_add_up_and_survive_json():
    one, two = style_counts("# A **b**"), style_counts("- c\n## D")

    assert one + two == StyleCounts(
        length=one.length + two.length, h1=1, h2=1, bold_asterisk=1, unordered=1
    )
    assert StyleCounts(**asdict(one)) == one


@pytest.mark.parametrize(
    "code",
    [
        "```python\n# no\n- no\n**no**\n```",
        "```\n# no\n~~~\n- no",  # never closed: all of the rest is code
        "~~~~\n```\n# no\n~~~\n- no\n~~~~",  # a shorter fence, or another, does not close it
        "`**no**` and ``__no__ ` **no**``",
        "text\n    ```\n    - no\n    ```",  # as in an item of a list
    ],
)
def test_code_has_no_style(code):
    found = style_counts(code)

    assert (found.headers, found.bold, found.lists) == (0, 0, 0)
    assert found.length > 0


@pytest.mark.parametrize("before", ["", "one **bold** word\n"])
def test_text_after_a_closed_fence_counts_again(before):
    text = f"{before}```\n- no\n```\n# yes\n- yes\n"

    assert style_counts(text).headers == 1
    assert style_counts(text).unordered == 1
    assert style_counts(text).bold == bool(before)


@pytest.mark.parametrize(
    "text",
    [
        "2 ** 3 and 4 ** 5",
        r"\**not bold**",
        "a_b__c__d",
        "** no **",
        "**no ** yes",
        "__no __ yes",
        "****",
        "**over\nlines**",
        "#hashtag",
        "# ",
        "####### seven",
        "-5 degrees",
        "1.5 litres",
        "-",
        "***",
        "-----",
    ],
)
def test_what_only_looks_like_markdown_is_none(text):
    found = style_counts(text)

    assert (found.headers, found.bold, found.lists) == (0, 0, 0)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        (" \n\t", 0),
        ("Why is the sky blue?", 6),
        ("don't", 3),
        ("x = f(a, b)...", 8),
        ("天空为什么是蓝色的。", 10),
        ("空はなぜ青い。", 7),
        ("하늘", 2),
        ("ท้องฟ้า", 2),  # seven signs in fours
        ("नमस्ते दुनिया", 2),  # vowel signs belong to their word
        ("naïve café", 2),
        ("👍🏽 ok", 2),
    ],
)
def test_length_is_counted_alike_in_every_script(text, tokens):
    assert token_count(text) == tokens


@given(st.text(alphabet="#*_-+1. \nab\\", max_size=80))
def test_any_text_has_style_outside_of_a_fence_only(text):
    bare, fenced = style_counts(text), style_counts(f"# One\n```\n{text}\n```\n- two")

    assert asdict(fenced) | {"length": 0} == asdict(StyleCounts(h1=1, unordered=1))
    assert fenced.length == bare.length + style_counts("# One\n```\n```\n- two").length


@given(
    st.lists(
        st.sampled_from(
            ["# One", "### Three", "plain text", "**bold** text", "a __bold__ b", "- item",
             "1. item", "```\n# code\n```", "***", "> quoted", "`**code**`", "2**3 is eight"]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_counts_are_those_of_a_markdown_parser(blocks):
    text = "\n\n".join(blocks)
    tokens = MarkdownIt("commonmark").parse(text)
    inline = [child for token in tokens for child in token.children or []]

    found = style_counts(text)

    assert found.headers == sum(token.type == "heading_open" for token in tokens)
    assert found.lists == sum(token.type == "list_item_open" for token in tokens)
    assert found.bold == sum(token.type == "strong_open" for token in inline)


@pytest.mark.parametrize(
    "piece",
    ["*", "#", "`", "_", "~", " ", "\n", "# ", "* ", "- ", "** ", "**a", "**a *", " __a", "`a",
     "``a`", "```\n", "```x```", "~~~~a\n", "1", "1. ", "*a", " \n", "   ```x`\n", "\n- - - x"],
)  # fmt: skip
def test_a_million_hostile_characters_are_counted_as_fast_as_any(piece):
    """Quadratic time would be hours here: that this ends is what it shows."""
    text = piece * (1_000_000 // len(piece))

    assert style_counts(text).length >= 0
