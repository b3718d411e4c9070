"""What the tables say of a vote that is about to be cast, in three statements.

In SQL, since hundreds may vote in one second: to build these queries takes the ORM as long as all
the rest of a vote. Knows no rule: what follows is `arena.validity`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from arena.models import Answer, Battle, Turn
from arena.selectors.oversight import IS_MODERATED, MODERATED_PARAMETERS
from inference.models import LanguageModel

_TURN = """
    SELECT turn.id, turn.prompt, turn.ballot, battle.mode, battle.probability, battle.sampler,
           battle.pacing, battle.gold_side, battle.created_at, battle.model_a_id, model_a.slug,
           battle.model_b_id, model_b.slug
      FROM arena_turn AS turn
      JOIN arena_battle AS battle ON battle.id = turn.battle_id
      JOIN arena_voter AS voter ON voter.id = battle.voter_id
      JOIN inference_languagemodel AS model_a ON model_a.id = battle.model_a_id
      LEFT JOIN inference_languagemodel AS model_b ON model_b.id = battle.model_b_id
     WHERE turn.battle_id = %s AND battle.voter_id = %s AND turn.index = %s
       FOR UPDATE OF turn, voter
"""
_ANSWER = (
    "turn_id", "side", "attempt", "state", "text", "error", "leak", "first_token_at", "created_at",
)  # fmt: skip
_ANSWERS = f"""
    SELECT {", ".join(f"answer.{name}" for name in _ANSWER)}
      FROM arena_answer AS answer JOIN arena_turn AS turn ON turn.id = answer.turn_id
     WHERE turn.battle_id = %s
     ORDER BY turn.index, answer.side, answer.attempt
"""  # noqa: S608

_FACTS = f"""
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
           {IS_MODERATED},
           prompt.repeated, prompt.counted,
           (
               SELECT count(*) FROM arena_vote
                WHERE voter_id = %(voter)s AND exclusion = ''
                  AND cast_at >= %(midnight)s AND cast_at < %(midnight)s + interval '1 day'
           )
      FROM prompt
"""  # noqa: S608


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


def turn_locked(*, voter_id: uuid.UUID, battle_id: uuid.UUID, index: int) -> Turn | None:
    """A turn of the voter's own battle, locked together with the voter until the transaction ends.

    With its battle and the slugs of the models; other fields of theirs are not filled in.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TURN, [battle_id, voter_id, index])
        row = cursor.fetchone()
    if row is None:
        return None
    pk, prompt, ballot, mode, probability, sampler, pacing, gold_side, created_at, *models = row
    first, second = (
        LanguageModel(pk=pk, slug=slug) if pk else None
        for pk, slug in zip(models[::2], models[1::2], strict=True)
    )
    battle = Battle(
        pk=battle_id,
        voter_id=voter_id,
        mode=mode,
        probability=probability,
        sampler=sampler,
        pacing=pacing,
        gold_side=gold_side,
        created_at=created_at,
        model_a=first,
        model_b=second,
    )
    return Turn(pk=pk, battle=battle, index=index, prompt=prompt, ballot=ballot)


def answers_read(*, battle_id: uuid.UUID) -> list[Answer]:
    """Every answer of a conversation, by turn, side and attempt, with what rules look at."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, [battle_id])
        rows = cursor.fetchall()
    return [Answer(**dict(zip(_ANSWER, row, strict=True))) for row in rows]


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
                **MODERATED_PARAMETERS,
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
