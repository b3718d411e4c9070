"""Writes to reports: a voter's word against an answer, and what a moderator makes of it.

A report is made blind and says nothing of models. Knows nothing of ratings or pages.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from arena.blinding import answers_current
from arena.errors import BattleNotFoundError, InvalidInputError
from arena.limits import limit_hit
from arena.models import AnswerReport, Turn, Vote
from arena.prompts import remark_clean
from arena.selectors.oversight import turn_is_moderated
from arena.services.exclusions import votes_exclude, votes_reinstate
from arena.services.feedback import turn_index_clean

MAX_NOTE_CHARACTERS = 2_000
MODERATED = "moderated"
BY = "moderator"


def answer_report(
    *,
    voter_id: uuid.UUID,
    address: str,
    battle_id: uuid.UUID,
    turn_index: object,
    side: object,
    reason: object,
    note: object = "",
) -> AnswerReport:
    """Report the answer that a side of one's own battle shows now; again is the same report.

    Works before the vote and after it. Raises BattleNotFoundError for anyone else's battle and for
    a turn or side that is not there, RateLimitedError, InvalidInputError.
    """
    if side not in ("a", "b"):
        raise InvalidInputError('The side must be "a" or "b".', field="side")
    if reason not in AnswerReport.Reason.values:
        raise InvalidInputError(
            f"The reason must be one of {', '.join(AnswerReport.Reason.values)}.", field="reason"
        )
    said = remark_clean(note, field="note", limit=MAX_NOTE_CHARACTERS)
    index = turn_index_clean(turn_index)
    limit_hit(action="reports", voter_id=voter_id, address=address)
    with transaction.atomic():
        turns = Turn.objects.filter(battle_id=battle_id, battle__voter_id=voter_id, index=index)
        turn = turns.prefetch_related("answers").first()
        answer = answers_current(turn).get(str(side)) if turn else None
        if answer is None:
            raise BattleNotFoundError
        report, _ = AnswerReport.objects.get_or_create(
            answer=answer, voter_id=voter_id, defaults={"reason": reason, "note": said}
        )
    return report


def report_decide(*, report_id: int, uphold: bool, decided_by_id: int | None) -> AnswerReport:
    """Uphold or dismiss a report; a decision may be changed, and the same again changes nothing.

    Upholding takes the answer away from all but its reader, and excludes the votes of whoever had
    read it. Dismissing what was upheld lets those votes count again that nothing else of the kind
    speaks against; votes cast while it was upheld stay out, since the rules left them out.
    Locks the turns first, as `vote_cast` does: no vote slips in between.
    Raises AnswerReport.DoesNotExist.
    """
    state = AnswerReport.State.UPHELD if uphold else AnswerReport.State.DISMISSED
    with transaction.atomic():
        answer = AnswerReport.objects.select_related("answer__turn").get(pk=report_id).answer
        read = Turn.objects.filter(
            battle_id=answer.turn.battle_id, index__gte=answer.turn.index
        ).order_by("index")
        turns = list(read.select_for_update())
        report = AnswerReport.objects.select_for_update().get(pk=report_id)
        if report.state == state:
            return report
        upheld_at = report.decided_at if report.state == AnswerReport.State.UPHELD else None
        report.state, report.decided_by_id = state, decided_by_id
        report.decided_at = timezone.now()
        report.save(update_fields=["state", "decided_by", "decided_at"])
        if uphold:
            votes = Vote.objects.filter(turn__in=turns).values_list("pk", flat=True)
            votes_exclude(votes=list(votes), reason=MODERATED, by=BY)
        elif upheld_at is not None:
            _reinstate(turns, upheld_at)
    return report


def _reinstate(turns: list[Turn], upheld_at: datetime) -> None:
    votes = Vote.objects.filter(turn__in=turns, cast_at__lte=upheld_at).select_related("turn")
    clean = [vote.pk for vote in votes if not turn_is_moderated(vote.turn)]
    votes_reinstate(votes=clean, reason=MODERATED, by=BY)
