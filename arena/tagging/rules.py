"""Tags by rules: words, signs and counts in the prompts. The tagger that comes with the arena.

A heuristic that is fast, the same for everybody and open to read; docs/categories.md tells how
often it was right. Prompts decide, so that no category depends on which model answered; `is-code`
alone looks at answers, at both sides alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from arena.style_counts import prose_of, token_count
from arena.tagging import vocabulary
from arena.tagging.instructions import demands
from arena.tagging.interface import Conversation, Tags
from arena.tagging.language import language_of

LONG_TOKENS = 500
SHORT_TOKENS = 5
HARD_CRITERIA = 5
# What stands further back in a prompt changes its subject no more.
_LOOKED_AT = 8_000

_FENCE = re.compile(r"\n[ \t]*(?:```|~~~)")
_SYNTAX = re.compile(
    r"\n[ \t]*(?:(?:async )?def \w+\(|class \w+[:({ ]|from [\w.]+ import |import [\w.{]+(?=;"
    r"|\n|\Z| as )"
    r"|#include ?[<\"]|#!/|(?:public|private|static) [\w<>\[\] ]{1,60}[({=]|function \w*\("
    r"|(?:const|let|var|auto|int|double|float|char) \w+(?:\[\w*\])? ?[=;]|fn \w+\(|func \w+\("
    r"|(?:if|for|while|switch) ?\([^\n]{1,200}\) ?\{|return [^\n]{0,200};|console\.log\(|printf?\("
    r"|(?:select|insert|update|delete|create) [^\n]{1,200} (?:from|into|set|table) "
    r"|</?(?:div|html|body|p|span|script)\b|[\w.]{1,60}\([^\n]{0,200}\);"
    r"|\$ ?(?:pip|npm|git|cd|sudo|docker) |@\w+(?=\n))",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[?\uff1f]")
_STEPS = vocabulary.words(
    r"then|first|second|finally|also|next|after that|in addition|as well as|both|while|given"
    r"|if|assuming"
    r"|suppose|dann|außerdem|ensuite|puis|luego|además|depois|também|затем|также"
)
_SPECIFIC = re.compile(r"\d|\"[^\"\n]{1,200}\"|`|\n[ \t]*[-*] |\b[a-z]+\.(?:py|js|csv|json|txt)\b")


class RuleTagger:
    """The rules as a tagger; see `categories_of` for what each category asks for."""

    version = "rules/1"

    def __call__(self, conversation: Conversation) -> Tags:
        return Tags(
            language=language_of("\n\n".join(conversation.prompts)),
            categories=categories_of(conversation),
        )


def categories_of(conversation: Conversation) -> frozenset[str]:
    """The categories of a conversation, by its prompts up to the voted turn."""
    prompts = conversation.prompts
    joined = "\n\n".join(prompts)
    text = joined[:_LOOKED_AT].casefold()
    tokens = [token_count(prompt) for prompt in prompts]
    code = _has_code(joined)
    coding = code or _coding(text)
    mathematics = _mathematics(text)
    strict, loose = demands(text)
    following = strict >= 1 or loose >= 2
    creative = _creative(text)
    criteria = _hard_criteria(
        text,
        tokens=sum(tokens),
        coding=coding,
        mathematics=mathematics,
        creative=creative,
        demanding=following,
    )
    found: Mapping[str, bool] = {
        "coding": coding,
        "mathematics": mathematics,
        "creative-writing": creative,
        "instruction-following": following,
        "hard-prompts": sum(criteria.values()) >= HARD_CRITERIA,
        "long-prompts": max(tokens, default=0) >= LONG_TOKENS,
        "short": sum(tokens) < SHORT_TOKENS,
        "multi-turn": len(prompts) > 1,
        "is-code": code or any(_has_code(answer) for answer in conversation.answers),
    }
    return frozenset(name for name, holds in found.items() if holds)


def _has_code(text: str) -> bool:
    """A fenced block, or at least two lines that only a program has."""
    lines = "\n" + text[:_LOOKED_AT]
    return bool(_FENCE.search(lines)) or len(_SYNTAX.findall(lines)) >= 2


def _coding(text: str) -> bool:
    strong = vocabulary.CODING.search(text) or vocabulary.CODING_CJK.search(text)
    if strong or _SYNTAX.search("\n" + text):
        return True
    return len(set(vocabulary.CODING_WEAK.findall(text))) >= 2


def _mathematics(text: str) -> bool:
    prose = prose_of(text)
    strong = vocabulary.MATHEMATICS.search(prose) or vocabulary.MATHEMATICS_CJK.search(prose)
    if strong:
        return True
    weak = len(set(vocabulary.MATHEMATICS_WEAK.findall(prose)))
    numbers = len(re.findall(r"(?<![\w.])\d+", prose))
    formula = bool(vocabulary.FORMULA.search(prose))
    asked = vocabulary.HOW_MANY.search(prose) is not None
    # A word problem has its numbers; a formula comes with a word, or alone in a short prompt.
    return (formula and (weak + asked >= 1 or len(prose) < 60)) or (
        numbers >= 2 and (asked or weak >= 2)
    )


def _creative(text: str) -> bool:
    if vocabulary.ROLEPLAY.search(text) or vocabulary.CREATIVE_CJK.search(text):
        return True
    return any(
        vocabulary.WRITE.search(sentence) and vocabulary.GENRE.search(sentence)
        for sentence in re.split(r"[.!?\n]+(?:\s|\Z)", text)
    )


def _hard_criteria(
    text: str, *, tokens: int, coding: bool, mathematics: bool, creative: bool, demanding: bool
) -> dict[str, bool]:
    """The seven of T. Li et al., "From crowdsourced data to high-quality benchmarks" (2024).

    Each is a guess by words and counts; there a language model judged them.
    """
    steps = len(set(_STEPS.findall(text))) + len(_QUESTION.findall(text))
    return {
        "specificity": demanding or (bool(_SPECIFIC.search(text)) and tokens >= 20),
        "domain knowledge": coding or mathematics or bool(vocabulary.DOMAIN.search(text)),
        "complexity": tokens >= 50 or (tokens >= 25 and steps >= 2),
        "problem solving": bool(vocabulary.PROBLEM.search(text)),
        "creativity": creative or bool(vocabulary.INVENT.search(text)),
        "technical accuracy": coding or mathematics or bool(vocabulary.TECHNICAL.search(text)),
        "real world": bool(vocabulary.REAL_WORLD.search(text)),
    }


tagger = RuleTagger()
