"""Words for what came of a vote."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from arena import validity
from arena.blinding import AnswerView, BattleView, TurnView, VoteView
from frontend.funnels import funnel_steps
from frontend.verdicts import battle_verdict, exclusion_sentence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REASONS = sorted({*validity.ALWAYS, *validity.RULES, "gold_failed", "outlier", "withdrawn"})


def battle(*, exclusion: str, gold_side: str = "") -> BattleView:
    answers = {side: AnswerView("complete", "text", None) for side in ("a", "b")}
    vote = VoteView("tie", (), "", not exclusion, exclusion, NOW)
    turn = TurnView(0, "Why?", "ballot", answers, vote)
    return BattleView(UUID(int=1), "battle", "voted", NOW, NOW, (turn,), None, "none", gold_side)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_sentence_and_a_place_in_the_funnel(reason: str) -> None:
    sentence = exclusion_sentence(reason)
    (_, label, _), *_ = funnel_steps({"raw": 1, reason: 1, "counted": 0})[1:]

    assert "counted" in sentence or "count" in sentence
    assert f"({reason})" not in sentence
    assert label != reason or reason == "withdrawn"


def test_a_reason_of_an_operator_is_told_as_it_is() -> None:
    assert "(own-rule)" in exclusion_sentence("own-rule")
    assert exclusion_sentence("") == ""


def test_a_scrambled_answer_is_told_of_besides_another_reason() -> None:
    gold = battle_verdict(battle(exclusion="gold", gold_side="b"))
    withdrawn = battle_verdict(battle(exclusion="withdrawn", gold_side="b"))
    plain = battle_verdict(battle(exclusion=""))

    assert gold.gold.startswith("Answer B was scrambled on purpose, to see whether")
    assert gold.exclusion == ""
    assert withdrawn.gold == gold.gold
    assert "withdrawn" in withdrawn.exclusion
    assert plain.gold == ""
