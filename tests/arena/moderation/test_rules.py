"""Rules of the operator's own: what they find, what hides no word, what does not stop them."""

from __future__ import annotations

import pytest

from arena.moderation import rules as rules_module
from arena.moderation.interface import Failure, ModeratorUnavailableError
from arena.moderation.rules import RulesModerator, moderation_rules_read


@pytest.fixture
def moderator(tmp_path):
    def make(content):
        path = tmp_path / "rules.toml"
        path.write_text(content)
        rules = moderation_rules_read(path)
        assert rules is not None
        return RulesModerator(rules)

    return make


async def test_every_category_with_a_pattern_that_is_found_scores_one(moderator):
    rules = moderator(
        "spam = ['\\bcasino\\b', 'buy now']\nviolence = 'build a bomb'\n\"self-harm\" = 'x+y'"
    )

    assert await rules.scores("The CASINO, and How To Build A Bomb") == {
        "spam": 1.0,
        "violence": 1.0,
    }
    assert await rules.scores("casinos") == {}


WORD = "\u0433\u0435\u0440\u043e\u0438\u043d"  # Russian for heroin


@pytest.mark.parametrize(
    "text", [f"a {WORD}!", f"({WORD.upper()})", f"a {WORD[:2]}\u200b{WORD[2:4]}\u00ad{WORD[4:]}"]
)
async def test_words_of_every_script_have_boundaries_and_cases(moderator, text):
    rules = moderator(f"drugs = '\\b{WORD}\\b'")

    assert await rules.scores(text) == {"drugs": 1.0}
    assert await rules.scores(f"{WORD}{WORD}") == {}


async def test_full_width_letters_and_decomposed_ones_hide_no_word(moderator):
    rules = moderator("spam = 'casino'\nfood = 'cafe\u0301'")

    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in "casino")
    assert await rules.scores(f"{full_width} at the caf\u00e9") == {"spam": 1.0, "food": 1.0}


async def test_a_rule_that_never_ends_is_given_up_and_named_while_the_others_hold(
    moderator, monkeypatch
):
    monkeypatch.setattr(rules_module, "PATTERN_SECONDS", 0.02)
    rules = moderator("slow = '(a|aa)+$'\nspam = 'casino'")

    with pytest.raises(ModeratorUnavailableError, match="slow") as given_up:
        await rules.scores("casino " + "a" * 5_000 + "!")

    assert given_up.value.failure == Failure.TIMEOUT
    assert given_up.value.scores == {"spam": 1.0}


def test_another_content_is_another_version(moderator):
    assert moderator("spam = 'casino'").version != moderator("spam = 'casinos'").version


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("spam = ", "not TOML"),
        ("spam = '('", "no regular expression"),
        ("spam = 7", "in quotes, or a list"),
        ("spam = []", "in quotes, or a list"),
        ("spam = ['a', 7]", "in quotes, or a list"),
        ("spam = 'a*'", "found in every text"),
        ('"" = "a"', "1 to 60 characters"),
        (f"{'s' * 61} = 'a'", "1 to 60 characters"),
        ('"a\\tb" = "a"', "unprintable"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path, content, fault):
    path = tmp_path / "rules.toml"
    path.write_text(content)

    with pytest.raises(ValueError, match=fault) as refused:
        moderation_rules_read(path)

    assert "ARENA_MODERATION_RULES" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_a_file_there_are_no_rules_and_a_missing_one_is_named(tmp_path):
    assert moderation_rules_read(None) is None
    with pytest.raises(ValueError, match="cannot read"):
        moderation_rules_read(tmp_path / "nowhere.toml")
