"""Who met whom, and how often that ended in a vote: what the drawing of pairs asks and shows."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection

from django.db import connection
from django.db.models.functions import MD5

from arena.models import Battle, Turn


def pairs_met(*, voter_id: uuid.UUID, prompt: str) -> list[tuple[int, int]]:
    """The pairs of models, ids ascending, that this voter met under exactly this first prompt.

    In anonymous battles, voted on or not. By the index of the voter's battles, or that of the
    prompts' digests, whichever finds fewer rows.
    """
    digest = hashlib.md5(prompt.encode(), usedforsecurity=False).hexdigest()
    met = (
        Turn.objects.alias(digest=MD5("prompt"))
        .filter(
            index=0,
            digest=digest,
            prompt=prompt,
            battle__voter_id=voter_id,
            battle__mode=Battle.Mode.BATTLE,
        )
        .order_by()
        .values_list("battle__model_a_id", "battle__model_b_id")
    )
    return sorted({(min(pair), max(pair)) for pair in met})


def models_with_votes(*, at_least: int, besides: Collection[int] = ()) -> set[int]:
    """The ids of the models with so many counted votes in anonymous battles, or more.

    Those `besides` which one wants to know are not looked at. Counts no further than `at_least`
    for each model: an arena of millions of votes costs that many rows a model.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT model.id
              FROM inference_languagemodel AS model,
                   LATERAL (SELECT count(*) AS votes
                              FROM (SELECT 1
                                      FROM (SELECT id, mode FROM arena_battle
                                             WHERE model_a_id = model.id
                                             UNION ALL
                                            SELECT id, mode FROM arena_battle
                                             WHERE model_b_id = model.id) AS battle
                                      JOIN arena_turn AS turn ON turn.battle_id = battle.id
                                      JOIN arena_vote AS vote ON vote.turn_id = turn.id
                                     WHERE battle.mode = 'battle' AND vote.exclusion = ''
                                     LIMIT %(at_least)s) AS counted) AS of_model
             WHERE NOT model.id = ANY(%(besides)s::bigint[]) AND votes >= %(at_least)s
            """,
            {"at_least": at_least, "besides": list(besides)},
        )
        return {row[0] for row in cursor.fetchall()}
