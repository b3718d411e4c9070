"""Reads which models each voter met, and where they voted: battles left without a vote included.

Knows no tests. Nothing of it may be published by voter.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db import connection
from django.utils import timezone

from ratings.core.voter_selection import FEWEST_BATTLES, Meetings

TIME_TO_VOTE = timedelta(hours=1)
"""A battle that began later may still be voted on, and is not looked at yet."""


@dataclass(frozen=True, slots=True)
class MetModels:
    """`meetings` number voters by their place in `voters`; its models are ids."""

    voters: list[uuid.UUID]
    meetings: Meetings


def met_models() -> MetModels:
    """Count the anonymous battles of voters who left one and had FEWEST_BATTLES; one statement.

    Battles count where both current answers to the first prompt could be voted on and named no
    model. Gold battles do not: a spoilt answer says nothing of its model. A vote on any turn is
    one, whether it counts or not; a vote taken back is none, since that is done after the reveal.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEETINGS, [timezone.now() - TIME_TO_VOTE, FEWEST_BATTLES])
        rows = cursor.fetchall()
    voters = list(dict.fromkeys(row[0] for row in rows))
    place = {voter: number for number, voter in enumerate(voters)}
    counts = np.array([row[1:] for row in rows], dtype=np.int64).reshape(len(rows), 5)
    number = np.array([place[row[0]] for row in rows], dtype=np.int64)
    return MetModels(voters, Meetings(number, *counts.T))


# As ratings.core.voter_selection.meetings_of counts: from a model's first battle to its last.
_MEETINGS = """
    WITH begun AS (
        SELECT battle.voter_id AS voter, battle.model_a_id, battle.model_b_id, battle.created_at,
               battle.id, EXISTS (
                   SELECT FROM arena_turn AS turn JOIN arena_vote AS vote ON vote.turn_id = turn.id
                    WHERE turn.battle_id = battle.id AND vote.exclusion <> 'withdrawn'
               )::int AS voted
          FROM arena_battle AS battle
         WHERE battle.mode = 'battle' AND battle.gold_side = '' AND battle.created_at < %s
           AND 2 = (
                   SELECT count(*)
                     FROM arena_turn AS turn JOIN arena_answer AS answer ON answer.turn_id = turn.id
                    WHERE turn.battle_id = battle.id AND turn.index = 0
                      AND answer.state IN ('complete', 'stopped') AND answer.leak = ''
                      AND NOT EXISTS (
                              SELECT FROM arena_answer AS later
                               WHERE later.turn_id = turn.id AND later.side = answer.side
                                 AND later.attempt > answer.attempt
                          )
               )
    ), placed AS (
        SELECT begun.*, row_number() OVER in_order AS place,
               sum(voted) OVER in_order AS voted_until, count(*) OVER of_voter AS battles,
               sum(voted) OVER of_voter AS votes
          FROM begun
        WINDOW of_voter AS (PARTITION BY voter),
               in_order AS (PARTITION BY voter ORDER BY created_at, id)
    )
    SELECT voter, side.model, max(place) - min(place) + 1, count(*),
           max(voted_until) - min(voted_until - voted), sum(voted)
      FROM placed CROSS JOIN LATERAL unnest(ARRAY[model_a_id, model_b_id]) AS side (model)
     WHERE battles >= %s AND votes < battles
     GROUP BY voter, side.model
     ORDER BY voter, side.model
"""
