"""A conversation for operators: turn by turn, both sides' answers beside each other, as text.

Whatever a model wrote is shown as it is and never as HTML. Knows nothing of votes.
"""

from __future__ import annotations

import uuid
from itertools import groupby
from typing import Any

from django.db.models import Prefetch
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from arena.models import Answer, ModerationFinding, Turn

STYLE = {"all": ["arena/admin.css"]}


def conversation_shown(
    *, battle_id: uuid.UUID, upto: int | None = None, reported: int | None = None
) -> SafeString:
    """The turns of a battle, those up to number `upto` where one is given, in four queries.

    Each attempt is a row of its own; `reported` is the id of an answer to mark.
    """
    turns = Turn.objects.filter(battle_id=battle_id).order_by("index")
    if upto is not None:
        turns = turns.filter(index__lte=upto)
    turns = turns.prefetch_related(
        Prefetch("answers", Answer.objects.order_by("attempt", "side")),
        "answers__findings",
        Prefetch(
            "findings", ModerationFinding.objects.filter(answer=None), to_attr="prompt_findings"
        ),
    )
    shown = [{"turn": turn, "attempts": _attempts(turn)} for turn in turns]
    return render_to_string("admin/arena/conversation.html", {"turns": shown, "reported": reported})


def _attempts(turn: Turn) -> list[dict[str, Any]]:
    """One row for each attempt; a side that was not asked again has an empty place."""
    rows = []
    for attempt, answers in groupby(turn.answers.all(), key=lambda answer: answer.attempt):
        by_side = {answer.side: answer for answer in answers}
        rows.append({"attempt": attempt, "sides": [by_side.get("a"), by_side.get("b")]})
    return rows
