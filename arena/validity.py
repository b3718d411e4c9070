"""Which votes count. Each rule is named by the reason it gives, and says nothing of who is right.

A vote that a rule finds is kept, and excluded by a ledger entry that gives the reason; nothing is
filtered silently. The setting ARENA_VALIDITY_RULES lists the rules in force, in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings

from arena.models import Answer, Turn, Vote
from inference.models import LanguageModel

VERSION = "1"


def leak(turn: Turn) -> bool:
    """An assistant named itself, its maker or an alias: the voter may have known who answered.

    Every attempt that the voter may have read counts, those that a retry has replaced too.
    """
    battle = turn.battle
    patterns = {side: _names(battle.language_model(side)) for side in ("a", "b")}
    read = Answer.objects.filter(turn__battle=battle, turn__index__lte=turn.index)
    return any(patterns[answer.side].search(answer.text) for answer in read)


def _names(model: LanguageModel) -> re.Pattern[str]:
    names = {model.name, model.slug, model.organization.name, *model.aliases} - {""}
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def duplicate(turn: Turn) -> bool:
    """The same voter has already voted on these two models with this very prompt."""
    battle = turn.battle
    pair = {battle.model_a_id, battle.model_b_id}
    return (
        Vote.objects.filter(
            voter_id=battle.voter_id,
            turn__prompt=turn.prompt,
            turn__battle__model_a__in=pair,
            turn__battle__model_b__in=pair,
        )
        .exclude(turn=turn)
        .exists()
    )


RULES: dict[str, Callable[[Turn], bool]] = {
    "leak": leak,
    "duplicate": duplicate,
}


def exclusion_reason(*, turn: Turn) -> str:
    """The first rule in force that this vote falls under, or "" when it counts."""
    for name in settings.ARENA_VALIDITY_RULES:
        if RULES[name](turn):
            return name
    return ""
