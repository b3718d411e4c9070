"""Self-identification: what is found, where it stands, and how often that is right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.self_identification import Detector, Leak, ModelNames, grammar
from benchmarks.self_identification import PARTS, counts, labelled_answers, registry

DETECTOR = Detector(registry())
ANSWERS = [answer for part in PARTS for answer in labelled_answers(part)]
DEMO = ModelNames(
    names=("SmolLM2 135M, crude 4 bits", "smollm2-135m-4bit", "SmolLM2", "SmolLM"),
    organization=("Hugging Face", "hugging-face"),
)


def words(text: str, detector: Detector = DETECTOR) -> str | None:
    """The words that are found in `text`; they must stand where the leak says."""
    leak = detector.find(text)
    if leak is None:
        return None
    assert text[leak.start : leak.end] == leak.words
    assert len(leak.words) <= 200
    return leak.words


def test_labelled_set_is_large_and_varied():
    positive = [answer for answer in ANSWERS if answer.identifies]
    negative = [answer for answer in ANSWERS if not answer.identifies]
    assert len(positive) >= 200
    assert len(negative) >= 200
    assert len([answer for answer in negative if answer.kind != "plain"]) >= 120
    assert len({answer.language for answer in positive}) >= 25
    assert len({answer.text for answer in ANSWERS}) == len(ANSWERS)


@pytest.mark.parametrize(
    ("part", "precision", "recall"),
    [("held out", 0.96, 0.92), ("first held out", 0.99, 0.98), ("tuning", 0.99, 0.99)],
)
def test_answers_are_judged_as_well_as_the_docs_say(part, precision, recall):
    answers = labelled_answers(part)
    judged = counts(answers, [DETECTOR.find(answer.text) for answer in answers])
    assert judged.precision >= precision
    assert judged.recall >= recall


@pytest.mark.parametrize("answer", labelled_answers("tuning"), ids=lambda answer: answer.text[:40])
def test_answers_that_the_rules_were_tuned_on_are_judged_right(answer):
    assert (words(answer.text) is not None) is answer.identifies


@pytest.mark.parametrize("answer", labelled_answers("limits"), ids=lambda answer: answer.text[:40])
def test_limits_are_still_those_that_the_docs_list(answer):
    assert (words(answer.text) is not None) is not answer.identifies


def test_demo_model_is_found_by_its_alias_and_its_maker():
    detector = Detector([DEMO])
    text = "Hello! I am SmolLM, a helpful AI assistant trained by Hugging Face. How can I help?"
    assert words(text, detector) == "I am SmolLM"
    assert words("I was trained by Hugging Face.", detector) == "I was trained by Hugging Face"


def test_names_of_the_registry_are_found_only_when_it_holds_them():
    model = ModelNames(("Quokka-9B Instruct", "quokka-9b"), ("Perth Computing", "perth-computing"))
    claim, maker = "I am Quokka-9B, an assistant.", "I was trained by Perth Computing."
    assert words(claim, Detector([model])) == "I am Quokka-9B"
    assert words(maker, Detector([model])) == "I was trained by Perth Computing"
    assert words(claim, Detector([])) is None
    assert words(maker, Detector([])) is None


@pytest.mark.parametrize(
    "name", ["Assistant", "AI", "Test model 2", "A", "7", "the", "Language Model"]
)
def test_names_that_say_nothing_are_no_leak(name):
    detector = Detector([ModelNames((name,), ("Lab",))])
    assert words("I am an assistant, a language model. My name is A 7.", detector) is None


def test_words_end_with_the_version():
    assert words("Well, I'm Claude 3.5 Sonnet and I can help.") == "I'm Claude 3.5 Sonnet"
    assert words("I am GPT-4o-mini. Ask away.") == "I am GPT-4o-mini"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hm. I am **C l a u d e**, an AI.", "I am **C l a u d e"),
        ("I'm Chat\u200bGPT.", "I'm Chat\u200bGPT"),
        ("I was made by Open\u00adAI.", "I was made by Open\u00adAI"),
        ("Moi ? Je suis le mode\u0300le Qwen.", None),
        ("Je m\u2019appelle Claude, votre assistant.", "Je m\u2019appelle Claude"),
        (
            "I am \U0001d402\U0001d421\U0001d41a\U0001d42d\U0001d406\U0001d40f\U0001d413.",
            "I am \U0001d402\U0001d421\U0001d41a\U0001d42d\U0001d406\U0001d40f\U0001d413",
        ),
        ("\u0130yi! Ben Claude, yapay zeka asistan\u0131.", "Ben Claude"),
        (
            "\u1112\u1161\u110b\u116d. \u110c\u1165\u1102\u1173\u11ab ChatGPT입니다.",
            "\u110c\u1165\u1102\u1173\u11ab ChatGPT",
        ),
    ],
)
def test_offsets_are_those_of_the_text_as_it_was_written(text, found):
    if found is not None:
        assert words(text) == found


def test_first_leak_is_the_one_reported():
    assert words("I am ChatGPT. I was made by OpenAI.") == "I am ChatGPT"


def test_long_claims_are_cut_to_two_hundred_characters():
    leak = DETECTOR.find(f"I am an AI assistant {'really ' * 12}{'*' * 300}trained by OpenAI.")
    assert leak is None or len(leak.words) <= 200


@pytest.mark.parametrize(
    "text",
    [
        'He asked: "Who are you?" and it said: "I am ChatGPT. I was made by OpenAI."',
        "« Je suis Claude. Je suis ChatGPT », dit-il.",
        "```\nI am ChatGPT.\n\nI am Claude.\n```\nThat is all.",
        "~~~text\nI am ChatGPT.\n~~~\nThat is all.",
        "> I am ChatGPT. I was made by OpenAI.\n\nThat is all.",
        "「私はChatGPTです。」と言いました。",
    ],
)
def test_what_is_quoted_is_not_said(text):
    assert words(text) is None


def test_quotes_and_code_end_where_they_end():
    assert words('He said "hi". I am ChatGPT.') == "I am ChatGPT"
    assert words("```\ncode\n```\nI am ChatGPT.") == "I am ChatGPT"
    assert words("> quote\n\nI am ChatGPT.") == "I am ChatGPT"
    assert words('A 5" nail\nI am ChatGPT.') == "I am ChatGPT"
    assert words("Don't worry, that's fine: I am ChatGPT, and it's 5 o'clock.") == "I am ChatGPT"


def test_scanner_waits_until_the_words_are_complete():
    scanner = DETECTOR.scanner()
    assert scanner.feed("I am Gemin") is None
    assert scanner.feed("i") is None
    assert scanner.feed(" rising, which the zodiac says is lucky. ") is None
    assert scanner.feed("Anything else?") is None
    assert scanner.finish() is None


def test_scanner_reports_a_leak_once_and_while_the_answer_streams():
    scanner = DETECTOR.scanner()
    assert scanner.feed("Hi! I'm Chat") is None
    leak = scanner.feed("GPT. And I")
    assert leak == Leak(4, 15, "I'm ChatGPT")
    assert scanner.feed(" am ChatGPT. I am Claude, an AI. ") is None
    assert scanner.finish() is None


def test_name_that_a_person_could_have_waits_for_what_follows():
    scanner = DETECTOR.scanner()
    assert scanner.feed("My name is Claude. ") is None
    assert scanner.feed("Ask me anything. ") == Leak(0, 17, "My name is Claude")
    scanner = DETECTOR.scanner()
    assert scanner.feed("My name is Claude. I was born in Lyon. ") is None
    assert scanner.finish() is None


def test_names_that_are_words_need_a_capital_where_others_have_one():
    assert words("In this game I am titan. You are the sea.") is None
    assert words("i am titan, an assistant") == "i am titan"


def test_signature_counts_only_where_the_answer_ends():
    assert words("Good luck!\n\n— ChatGPT\n") == "ChatGPT"
    assert words("Tools:\n\n— ChatGPT\n\nThat is the whole list.") is None


def stitched() -> st.SearchStrategy[str]:
    """Texts made of labelled answers, of what parts sentences, and of anything at all."""
    parts = st.one_of(
        st.sampled_from([answer.text for answer in ANSWERS]),
        st.sampled_from(
            ['"', "“", "”", "\n", "\n\n", "```\n", "> ", ". ", " ", "。", "`", "'", "— "]
        ),
        st.text(max_size=8),
    )
    return st.lists(parts, max_size=6).map("".join)


@given(stitched(), st.lists(st.integers(0, 400), max_size=12))
@example("x" * 1_700 + " I am ChatGPT. ", [799, 800, 801, 1_599, 1_600])
@example("so " * 400 + "I am ChatGPT. ", [600, 601, 799])
def test_every_way_of_cutting_a_text_finds_the_same(text: str, cuts: list[int]):
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    scanner = DETECTOR.scanner()
    reports = [scanner.feed(text[a:b]) for a, b in pairwise(places)]
    reports.append(scanner.finish())
    found = [report for report in reports if report is not None]
    assert found == [leak for leak in [DETECTOR.find(text)] if leak is not None]


@pytest.mark.parametrize("answer", ANSWERS[::7], ids=lambda answer: answer.text[:40])
def test_character_by_character_finds_the_same(answer):
    scanner = DETECTOR.scanner()
    reports = [scanner.feed(character) for character in answer.text]
    reports.append(scanner.finish())
    found = [report for report in reports if report is not None]
    assert found == [leak for leak in [DETECTOR.find(answer.text)] if leak is not None]


HOSTILE = {
    "names": "GPT ",
    "cues": "I am ",
    "cues and names": "I am not sure GPT I am ",
    "quotes": "\"' ",
    "apostrophes": "a'b ",
    "spaced letters": "I a m ",
    "dots": ". ",
    "dots without spaces": "...",
    "marks": "*_`)",
    "fillers": "I am just a simply large AI model of GPT-4-o 1.",
    "one word": "gpt",
    "labels": "GPT:\n",
    "Chinese": "我是由模型",
    "spaces": "   ",
    "open brackets": "I am ((((a, ",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_work_grows_with_the_length_of_the_text_and_no_faster(unit):
    short, long = (unit * (length // len(unit)) for length in (6_000, 24_000))
    assert calls(short, 6_000) > 0
    assert calls(long, 24_000) <= 4.6 * calls(short, 6_000)
    # A stream of small pieces must not read again what it has read.
    assert calls(long, 5) <= 4.6 * calls(short, 5)


def calls(text: str, piece: int) -> int:
    """Calls that it takes to read `text` in pieces of `piece` characters: a measure of work."""
    made = 0

    def count(_frame: object, _event: str, _argument: object) -> None:
        nonlocal made
        made += 1

    scanner = DETECTOR.scanner()
    sys.setprofile(count)
    try:
        for begin in range(0, len(text), piece):
            scanner.feed(text[begin : begin + piece])
        scanner.finish()
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("pattern", grammar.patterns(), ids=lambda pattern: pattern.pattern[:40])
def test_patterns_repeat_nothing_without_bound(pattern):
    parsed = import_module("re._parser").parse(pattern.pattern)
    limits = list(repetitions(parsed))
    assert max(limits, default=0) <= 16


def repetitions(parsed) -> Iterator[int]:
    """The upper bounds of all repetitions of a parsed pattern."""
    for operation, argument in parsed:
        yield from _repetitions(str(operation), argument)


def _repetitions(operation: str, argument) -> Iterator[int]:
    if operation in ("MAX_REPEAT", "MIN_REPEAT"):
        _, most, repeated = argument
        yield int(most)
        yield from repetitions(repeated)
    elif operation == "SUBPATTERN":
        yield from repetitions(argument[-1])
    elif operation == "BRANCH":
        for branch in argument[1]:
            yield from repetitions(branch)
    elif operation in ("ASSERT", "ASSERT_NOT"):
        yield from repetitions(argument[1])
