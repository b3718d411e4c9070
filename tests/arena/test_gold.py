"""A spoilt answer is plainly worse to read, and like the model's own in all that can be counted."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.gold import WINDOW, Spoiler, gold_rate_parse
from arena.style_counts import style_counts

ENGLISH = (
    "The sky is blue because air scatters short waves of light more than long ones. Red light goes "
    "through, blue light is sent in all directions, and so it comes to us from everywhere."
)
MARKDOWN = (
    "# Why\n\n1. Sunlight enters the air.\n2. It **hits** molecules of nitrogen and oxygen.\n\n"
    "- a list with several words\n\n```python\nfor number in range(10):\n    print(number)\n```\n"
)
CHINESE = "天空是蓝色的,因为空气中的分子把波长较短的光散射得比波长较长的光更多。"
THAI = "ท้องฟ้าเป็นสีฟ้าเพราะอากาศกระเจิงแสงคลื่นสั้น"
HINDI = "आकाश नीला है क्योंकि हवा छोटी तरंगों को अधिक बिखेरती है और लाल प्रकाश सीधे आगे निकल जाता है"
TEXTS = st.text(
    st.sampled_from([*"abcdeé 0 .,*#`\n-'天空ท้ा\u0301\u200d\ufe0f", "\U0001f469", "\U0001f4bb"]),
    max_size=120,
)


def spoilt(text: str, seed: int = 1) -> str:
    spoiler = Spoiler(seed=seed)
    return spoiler.feed(text) + spoiler.finish()


@hypothesis.settings(deadline=None)
@given(TEXTS, st.lists(st.integers(0, 120)), st.integers())
def test_how_the_text_is_cut_into_pieces_changes_nothing(text, cuts, seed):
    spoiler = Spoiler(seed=seed)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]

    pieces = [spoiler.feed(text[a:b]) for a, b in pairwise(edges)]

    assert "".join(pieces) + spoiler.finish() == spoilt(text, seed)


@hypothesis.settings(deadline=None)
@given(TEXTS, st.integers())
def test_it_is_as_long_as_the_answer_and_made_of_the_same_characters(text, seed):
    assert Counter(spoilt(text, seed)) == Counter(text)


@pytest.mark.parametrize("seed", range(20))
def test_no_word_stays_in_its_place(seed):
    words = [f"w{number}" for number in range(40)]

    result = spoilt(" ".join(words), seed).split(" ")

    assert not [one for one, other in zip(words, result, strict=True) if one == other]


@pytest.mark.parametrize("count", [2, 3, WINDOW, WINDOW + 1, WINDOW + 2])
@pytest.mark.parametrize("seed", range(10))
def test_short_answers_are_scrambled_too(count, seed):
    words = [f"w{number}w" for number in range(count)]

    result = spoilt(" ".join(words), seed).split(" ")

    assert sorted(result) == sorted(words)
    assert not [one for one, other in zip(words, result, strict=True) if one == other]


def test_an_answer_of_a_few_words_is_not_what_the_model_said_either():
    assert spoilt("Paris.") == "siraP."
    assert sorted(spoilt("Yes, e\u0301te\u0301").split(", ")) == ["e\u0301te\u0301", "seY"]
    assert spoilt(CHINESE[:2]) == CHINESE[1] + CHINESE[0]


@pytest.mark.parametrize(
    "text", ["42", "42.", "**1984**", "3.14", "12 * 3 = 36", "2 + 2 = 4", "1\n2\n3"]
)
def test_an_answer_of_numbers_is_scrambled_as_well(text):
    assert spoilt(text) != text


def test_the_numbers_of_lists_stay():
    result = spoilt("1. one two\n2. three four\n  10) five six\n")

    assert re.findall(r"^ *\d+[.)] ", result, re.MULTILINE) == ["1. ", "2. ", "  10) "]


def units(text: str, *, by_character: bool) -> list[str]:
    # A mark has no life apart from what it stands on.
    marks = r"[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]*"
    return re.findall(rf"[^\s,。、,]{marks}" if by_character else r"[^\s,.*#`:()-]+", text)


@pytest.mark.parametrize(
    ("text", "by_character"),
    [(ENGLISH, False), (MARKDOWN, False), (HINDI, False), (CHINESE, True), (THAI, True)],
    ids=["english", "markdown", "hindi", "chinese", "thai"],
)
def test_few_words_are_followed_by_the_same_one_in_any_script(text, by_character):
    before = set(pairwise(units(text, by_character=by_character)))
    after = set(pairwise(units(spoilt(text), by_character=by_character)))

    assert len(before & after) < 0.3 * len(before)


def test_what_style_control_counts_stays_as_it_was():
    assert style_counts(spoilt(MARKDOWN)) == style_counts(MARKDOWN)


def test_text_goes_on_coming_at_the_models_own_pace():
    spoiler = Spoiler(seed=3)
    spoiler.feed("word " * WINDOW)

    for _ in range(50):
        assert spoiler.feed("word ") == "word "


def test_a_word_without_end_is_shown_too():
    spoiler = Spoiler(seed=3)

    told = spoiler.feed("a" * 1000)

    assert len(told) > 700


def test_the_same_seed_scrambles_alike_and_another_one_does_not():
    assert spoilt(ENGLISH, 5) == spoilt(ENGLISH, 5)
    assert spoilt(ENGLISH, 5) != spoilt(ENGLISH, 6)


def test_marks_stay_with_what_they_stand_on():
    words = "e\u0301te\u0301 la\u0300 " * 5 + "\U0001f469\u200d\U0001f4bb"

    assert sorted(spoilt(words).split()) == sorted(words.split())


def test_the_rate_is_a_small_share():
    assert gold_rate_parse("0") == 0
    assert gold_rate_parse("0.2") == 0.2


@pytest.mark.parametrize("text", ["", "much", "nan", "-0.1", "0.21", "1"])
def test_a_rate_that_is_none_is_refused_by_its_name(text):
    with pytest.raises(ValueError, match="ARENA_GOLD_RATE is"):
        gold_rate_parse(text)
