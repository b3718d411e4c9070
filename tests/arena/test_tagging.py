"""Language and categories: what the rules find, and how often they are right."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.tagging.interface import Conversation, Tags
from arena.tagging.language import language_of
from arena.tagging.own_rules import own_rules_read
from arena.tagging.rules import tagger

ROOT = Path(__file__).resolve().parents[2]
LETTERS = {
    "C": "coding",
    "M": "mathematics",
    "W": "creative-writing",
    "I": "instruction-following",
    "H": "hard-prompts",
}


@dataclass(frozen=True)
class LabelledPrompt:
    language: str
    categories: frozenset[str]
    prompt: str


def labelled(part: str) -> list[LabelledPrompt]:
    """The prompts of one part of labelled_prompts.txt."""
    text = (Path(__file__).parent / "labelled_prompts.txt").read_text()
    lines = text.split(f"[{part}]")[1].split("\n[")[0].splitlines()[1:]
    rows = (line.split(maxsplit=2) for line in lines if line)
    return [
        LabelledPrompt(
            language,
            frozenset(LETTERS[letter] for letter in letters.strip("-")),
            prompt.replace("⏎", "\n"),
        )
        for language, letters, prompt in rows
    ]


DEVELOPMENT, HELD_OUT = labelled("development"), labelled("held out")
BOTH = DEVELOPMENT + HELD_OUT


def categories(*prompts: str, answers: tuple[str, ...] = ()) -> frozenset[str]:
    return tagger(Conversation(prompts, answers)).categories


def precision_and_recall(prompts: Sequence[LabelledPrompt], category: str) -> tuple[float, float]:
    found = {item.prompt for item in prompts if category in categories(item.prompt)}
    meant = {item.prompt for item in prompts if category in item.categories}
    right = len(found & meant)
    print(
        f"{category}: {len(meant)} of {len(prompts)}, precision {right / len(found):.2f}, "
        f"recall {right / len(meant):.2f}"
    )
    return right / len(found), right / len(meant)


# Measured: see the table in docs/categories.md.
@pytest.mark.parametrize(
    ("category", "precision", "recall"),
    [
        ("coding", 0.90, 0.90),
        ("mathematics", 0.99, 0.60),
        ("creative-writing", 0.99, 0.75),
        ("instruction-following", 0.99, 0.60),
        ("hard-prompts", 0.99, 0.99),
    ],
)
def test_categories_are_right_about_prompts_that_the_rules_were_not_tuned_on(
    category, precision, recall
):
    found_precision, found_recall = precision_and_recall(HELD_OUT, category)

    assert found_precision >= precision
    assert found_recall >= recall


@pytest.mark.parametrize(
    "category",
    ["coding", "mathematics", "creative-writing", "instruction-following", "hard-prompts"],
)
def test_categories_are_right_about_prompts_that_the_rules_were_tuned_on(category):
    precision, recall = precision_and_recall(DEVELOPMENT, category)

    assert precision >= 0.95
    assert recall >= 0.90


def test_languages_are_named_rightly_or_not_at_all():
    named = [(item, language_of(item.prompt)) for item in BOTH]
    right = sum(item.language == language for item, language in named)
    wrong = sum(language not in {item.language, "und"} for item, language in named)
    print(f"{len({item.language for item in BOTH})} languages, {len(BOTH)} prompts: "
          f"{right} right, {wrong} wrong")  # fmt: skip

    assert len({item.language for item in BOTH}) >= 12
    assert right / len(BOTH) >= 0.94
    assert wrong / len(BOTH) <= 0.02


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hi", "en"),
        ("Hola!", "es"),
        ("こんにちは", "ja"),
        ("東京の天気は", "ja"),
        ("你好", "zh"),
        ("안녕", "ko"),
        ("Как дела?", "ru"),
        ("", "und"),
        ("12345", "und"),
        ("😀😀😀", "und"),
        ("x^2 + y^2 = z^2", "und"),
        ("qwerty uiop", "und"),
        ("https://example.org/eine/seite/die/es/gibt", "und"),
        ("Was macht dieser Code?\n```python\n# print the sum of all of the numbers\n```", "de"),
        ("Please explain the German word Gemütlichkeit to me.", "en"),
        ("python list comprehension 的用法是什么?", "zh"),
    ],
)
def test_the_shortest_prompts_have_a_language_where_one_can_be_told(text, language):
    assert language_of(text) == language


def test_the_language_is_that_of_all_prompts_together():
    conversation = Conversation(("Warum ist der Himmel am Abend rot?", "ok"))

    assert tagger(conversation).language == "de"


@pytest.mark.parametrize(
    ("count", "long"), [(499, False), (500, True)]
)  # fmt: skip
def test_long_prompts_begin_at_500_tokens_in_one_prompt(count, long):
    assert ("long-prompts" in categories("word " * count)) is long
    assert "long-prompts" not in categories("word " * 300, "word " * 300)


@pytest.mark.parametrize(
    ("prompts", "short"),
    [
        (("tell me a joke",), True),
        (("tell me a good joke",), False),
        (("你好吗",), True),
        (("请推荐几本好看的历史书",), False),
        (("Explain how a heat pump works", "continue"), False),
    ],
)
def test_short_is_fewer_than_five_tokens_in_all(prompts, short):
    assert ("short" in categories(*prompts)) is short


def test_a_second_prompt_makes_it_multi_turn():
    assert "multi-turn" not in categories("Why is the sky blue?")
    assert "multi-turn" in categories("Why is the sky blue?", "And at night?")


@pytest.mark.parametrize(
    ("answers", "is_code"),
    [
        (("No code.", "None here."), False),
        (("No code.", "Like so:\n\n```python\nprint(1)\n```"), True),
        (("import os\nfrom sys import path\n", ""), True),
    ],
)
def test_code_in_either_answer_is_code_and_makes_no_subject(answers, is_code):
    found = categories("Show me something nice", answers=answers)

    assert ("is-code" in found) is is_code
    assert "coding" not in found


def test_the_order_of_the_answers_changes_nothing():
    one, two = "```\nx\n```", "Plain words."

    assert categories("hello", answers=(one, two)) == categories("hello", answers=(two, one))


@given(st.lists(st.text(max_size=200), min_size=1, max_size=3))
def test_any_conversation_has_tags(prompts):
    tags = tagger(Conversation(tuple(prompts)))

    assert tags == tagger(Conversation(tuple(prompts)))
    assert tags.language


@pytest.mark.parametrize(
    "piece",
    ["a", "(", "$", "$x", "`", "1 ", "x^", "write a ", "in 3 ", "\n- ", "http://a", "a@", "f(",
     "use the ", "each line ", "select a", "public a ", "\nimport a", "\nif (a", "\na.a"],
)  # fmt: skip
def test_a_hostile_prompt_ends(piece):
    """Exponential or cubic time would not: that this ends is what it shows."""
    assert tagger(Conversation((piece * (400_000 // len(piece)),))).language


@pytest.mark.parametrize(
    ("language", "category"),
    [("English", "law"), ("", "law"), ("en", "Law"), ("en", "a b"), ("en", "x" * 41)],
)
def test_tags_that_the_database_could_not_hold_are_refused(language, category):
    with pytest.raises(ValueError, match="is"):
        Tags(language, frozenset({category}))


def test_own_rules_name_categories_by_a_pattern_on_any_prompt(tmp_path):
    path = tmp_path / "tags.toml"
    path.write_text("law = '\\b(landlord|court)\\b'\n")

    rules = own_rules_read(path)

    assert rules is not None
    assert rules.categories_of(Conversation(("Hi.", "My LANDLORD is mad"))) == {"law"}
    assert rules.categories_of(Conversation(("courtesy",))) == frozenset()


def test_own_rules_have_another_version_when_they_change(tmp_path):
    path = tmp_path / "tags.toml"
    versions = []
    for word in ("court", "judge"):
        path.write_text(f"law = '{word}'\n")
        rules = own_rules_read(path)
        versions.append(rules and rules.version)

    assert None not in versions
    assert versions[0] != versions[1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("law = '('", "law is no regular expression"),
        ("Law = 'x'", "'Law' is no category"),
        ("law = 3", "law must be a regular expression"),
        ("[law]\npattern = 'x'", "law must be a regular expression"),
        ("law = ", "is not TOML"),
        (b"law = '\xff'", "is not TOML"),
        (None, "cannot read"),
    ],
)
def test_own_rules_that_cannot_be_read_are_refused_in_one_line(tmp_path, content, says):
    path = tmp_path / "tags.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(ValueError, match=says) as refused:
        own_rules_read(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


def test_the_language_model_is_not_loaded_before_it_is_needed(tmp_path):
    script = (
        "import sys; from config import asgi;"
        "import arena.services.annotations, arena.tagging.rules;"
        "print('py3langid' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == "False"
