"""Votes: with their conversations for exports, and as SELECTs for whoever folds the ledger."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from arena.models import Battle, Vote

OUTCOMES = ("a", "b", "tie", "both_bad")


def votes_with_conversations() -> QuerySet[Vote]:
    """Votes of anonymous battles with models, turns and answers fetched."""
    return (
        Vote.objects.filter(turn__battle__mode=Battle.Mode.BATTLE)
        .select_related("turn__battle__model_a", "turn__battle__model_b")
        .prefetch_related("turn__battle__turns__answers__reports")
    )


Select = tuple[str, list[Any]]
"""The text of a SELECT and its parameters, for another statement to build on."""

# The first 63 bits of a bytea, as a number that PostgreSQL and numpy both hold in eight bytes.
_63_BITS = "('x' || encode(substr({}, 1, 8), 'hex'))::bit(64)::bigint & 9223372036854775807"
_STYLE = ", ".join(
    "COALESCE("
    + " + ".join(f"(note.style -> '{side}' ->> '{count}')::integer" for count in counts)
    + f", 0) AS {name}_{side}"
    for name, counts in {
        "length": ("length",),
        "headers": ("h1", "h2", "h3", "h4", "h5", "h6"),
        "bold": ("bold_asterisk", "bold_underscore"),
        "lists": ("ordered", "unordered"),
    }.items()
    for side in ("a", "b")
)


def vote_log(*, after: int, upto: int) -> Select:
    """The one read path of ratings: all votes in the ledger after entry `after` and up to entry
    `upto`, as a SELECT. Which of them count is told by `exclusion_log`.

    What was voted comes from the ledger, so that it is the same whenever it is read; what the
    ledger does not hold comes from the arena. Columns: `sequence`, `day` (UTC), `model_a`,
    `model_b` (ids), `outcome` (index into OUTCOMES), `probability`, `pacing` (empty where it was
    none); `voter` and `prompt`, 63 bits that mean nothing but the same voter or prompt, 0 where
    that was erased; and of the turn's annotation `language`, `categories`, and the counts `length`,
    `headers`, `bold` and `lists` of either side (`length_a` …), "und", empty and 0 where it has
    none.
    """
    return (
        f"""
        WITH entry AS MATERIALIZED (
            SELECT sequence, payload::jsonb AS vote
              FROM arena_ledgerentry
             WHERE kind = 'vote' AND sequence > %s AND sequence <= %s
        )
        SELECT entry.sequence,
               ((entry.vote ->> 'hour')::timestamptz AT TIME ZONE 'UTC')::date AS day,
               COALESCE(battle.model_a_id, model_a.id) AS model_a,
               COALESCE(battle.model_b_id, model_b.id) AS model_b,
               array_position(%s::text[], entry.vote ->> 'choice') - 1 AS outcome,
               COALESCE((entry.vote ->> 'probability')::float8, 0) AS probability,
               COALESCE(NULLIF(entry.vote ->> 'pacing', 'none'), '') AS pacing,
               CASE WHEN secret.id IS NULL THEN 0
                    ELSE {_63_BITS.format("uuid_send(vote.voter_id)")} END AS voter,
               CASE WHEN secret.id IS NULL THEN 0
                    ELSE {_63_BITS.format("sha256(convert_to(turn.prompt, 'UTF8'))")}
                END AS prompt,
               COALESCE(note.language, 'und') AS language,
               COALESCE(note.categories, '{{}}') AS categories,
               {_STYLE}
          FROM entry
          LEFT JOIN arena_vote AS vote ON vote.ledger_entry_id = entry.sequence
          LEFT JOIN arena_votesecret AS secret ON secret.vote_id = vote.id
          LEFT JOIN arena_turn AS turn ON turn.id = vote.turn_id
          LEFT JOIN arena_battle AS battle ON battle.id = turn.battle_id
          LEFT JOIN arena_turnannotation AS note ON note.turn_id = turn.id
          LEFT JOIN inference_languagemodel AS model_a ON model_a.slug = entry.vote ->> 'model_a'
          LEFT JOIN inference_languagemodel AS model_b ON model_b.slug = entry.vote ->> 'model_b'
        """,  # noqa: S608
        [after, upto, list(OUTCOMES)],
    )


def exclusion_log(*, after: int, upto: int) -> Select:
    """What the same entries say of votes already cast, as a SELECT with one row a vote.

    Columns: `sequence` of the vote, `exclusion` as the last of the entries has it ("" where the
    vote counts again), and `erased`, whether one of them withdraws it.
    """
    return (
        """
        SELECT (payload::jsonb ->> 'vote')::bigint AS sequence,
               (array_agg(
                   CASE kind WHEN 'exclusion' THEN payload::jsonb ->> 'reason'
                             WHEN 'withdrawal' THEN 'withdrawn' ELSE '' END
                   ORDER BY sequence DESC
               ))[1] AS exclusion,
               bool_or(kind = 'withdrawal') AS erased
          FROM arena_ledgerentry
         WHERE kind IN ('exclusion', 'reinstatement', 'withdrawal')
           AND sequence > %s AND sequence <= %s
         GROUP BY 1
        """,
        [after, upto],
    )
