"""What the tables say of a vote that is about to be cast, in one round trip.

A voter waits for it, and hundreds may vote in one second. Knows no rule: what follows from the
facts is `arena.validity`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from arena.models import AnswerReport, ModerationPolicy, Turn

_FACTS = """
    WITH same_prompt AS (
        SELECT vote.voter_id, vote.exclusion, battle.model_a_id, battle.model_b_id
          FROM arena_turn AS turn
          JOIN arena_vote AS vote ON vote.turn_id = turn.id
          JOIN arena_battle AS battle ON battle.id = turn.battle_id
         WHERE md5(turn.prompt) = md5(%(prompt)s) AND turn.prompt = %(prompt)s
    ), prompt AS (
        SELECT count(*) FILTER (WHERE exclusion = '') AS counted,
               COALESCE(bool_or(
                   voter_id = %(voter)s
                   AND model_a_id = ANY(%(pair)s) AND model_b_id = ANY(%(pair)s)
               ), false) AS repeated
          FROM same_prompt
    )
    SELECT EXISTS (
               SELECT FROM arena_turn AS turn JOIN arena_vote AS vote ON vote.turn_id = turn.id
                WHERE turn.battle_id = %(battle)s
           ),
           EXISTS (
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
           ),
           prompt.repeated, prompt.counted,
           (
               SELECT count(*) FROM arena_vote
                WHERE voter_id = %(voter)s AND exclusion = ''
                  AND cast_at >= %(midnight)s AND cast_at < %(midnight)s + interval '1 day'
           )
      FROM prompt
"""


@dataclass(frozen=True, slots=True)
class BallotFacts:
    """`is_revealed`: the conversation has a vote; `is_moderated`: something read up to this turn
    was warned of, blocked, or rightly reported; `is_repeated`: this voter has voted on these two
    models with this very prompt; counted votes on this prompt by anybody, and of this voter on the
    day (UTC) of the vote.
    """

    is_revealed: bool
    is_moderated: bool
    is_repeated: bool
    prompt_votes: int
    votes_today: int


def ballot_facts(*, turn: Turn, cast_at: datetime) -> BallotFacts:
    """The facts as they are now; `turn` has its battle fetched."""
    battle = turn.battle
    with connection.cursor() as cursor:
        cursor.execute(
            _FACTS,
            {
                "prompt": turn.prompt,
                "voter": battle.voter_id,
                "pair": [battle.model_a_id, battle.model_b_id],
                "battle": battle.pk,
                "index": turn.index,
                "warned": [str(ModerationPolicy.Action.WARN), str(ModerationPolicy.Action.BLOCK)],
                "upheld": str(AnswerReport.State.UPHELD),
                "midnight": cast_at.replace(hour=0, minute=0, second=0, microsecond=0),
            },
        )
        row = cursor.fetchone()
    return BallotFacts(*row)


def votes_counted() -> int:
    """How many votes count in all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM arena_vote WHERE exclusion = ''")
        return int(cursor.fetchone()[0])
