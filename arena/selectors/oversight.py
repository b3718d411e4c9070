"""What moderators and reports say of a conversation. Knows nothing of votes."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet

from arena.models import Answer, AnswerReport, ModerationPolicy, Turn, VoteReason

# Whether anything up to turn `index` of a conversation was warned of or blocked, or rightly
# reported: a condition for other statements too. It takes `MODERATED_PARAMETERS` and the two named.
IS_MODERATED = """
    (EXISTS (
        SELECT FROM arena_turn AS turn
          JOIN arena_moderationfinding AS finding ON finding.turn_id = turn.id
         WHERE turn.battle_id = %(battle)s AND turn.index <= %(index)s
           AND finding.action = ANY(%(warned)s)
    ) OR EXISTS (
        SELECT FROM arena_turn AS turn
          JOIN arena_answer AS answer ON answer.turn_id = turn.id
          JOIN arena_answerreport AS report ON report.answer_id = answer.id
         WHERE turn.battle_id = %(battle)s AND turn.index <= %(index)s
           AND report.state = %(upheld)s
    ))
"""
MODERATED_PARAMETERS: dict[str, Any] = {
    "warned": [str(ModerationPolicy.Action.WARN), str(ModerationPolicy.Action.BLOCK)],
    "upheld": str(AnswerReport.State.UPHELD),
}


def turn_is_moderated(turn: Turn) -> bool:
    """Whether anything up to this turn was warned of or blocked, or rightly reported.

    Prompts count as well as answers, and attempts that a retry has replaced as well as the last.
    """
    parameters = {**MODERATED_PARAMETERS, "battle": turn.battle_id, "index": turn.index}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {IS_MODERATED}", parameters)
        return bool(cursor.fetchone()[0])


def answer_is_withheld(answer: Answer) -> bool:
    """Whether its text is for nobody but its reader and the moderators: moderation blocked it, or a
    report of it was upheld. Fetch `reports` along with many answers."""
    return answer.error == Answer.Error.MODERATED or any(
        report.state == AnswerReport.State.UPHELD for report in answer.reports.all()
    )


def vote_reasons() -> QuerySet[VoteReason]:
    """The reasons that a voter may give now, in their order."""
    return VoteReason.objects.filter(is_active=True)
