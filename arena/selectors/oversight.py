"""What moderators and reports say of a conversation. Knows nothing of votes."""

from __future__ import annotations

from django.db.models import QuerySet

from arena.models import Answer, AnswerReport, ModerationFinding, ModerationPolicy, Turn, VoteReason

_WARNED = (ModerationPolicy.Action.WARN, ModerationPolicy.Action.BLOCK)


def turn_is_moderated(turn: Turn) -> bool:
    """Whether anything up to this turn was warned of or blocked, or rightly reported.

    Prompts count as well as answers, and attempts that a retry has replaced as well as the last.
    """
    found = ModerationFinding.objects.filter(
        turn__battle_id=turn.battle_id, turn__index__lte=turn.index, action__in=_WARNED
    )
    upheld = AnswerReport.objects.filter(
        answer__turn__battle_id=turn.battle_id,
        answer__turn__index__lte=turn.index,
        state=AnswerReport.State.UPHELD,
    )
    return found.exists() or upheld.exists()


def answer_is_withheld(answer: Answer) -> bool:
    """Whether its text is for nobody but its reader and the moderators: moderation blocked it, or a
    report of it was upheld. Fetch `reports` along with many answers."""
    return answer.error == Answer.Error.MODERATED or any(
        report.state == AnswerReport.State.UPHELD for report in answer.reports.all()
    )


def vote_reasons() -> QuerySet[VoteReason]:
    """The reasons that a voter may give now, in their order."""
    return VoteReason.objects.filter(is_active=True)
