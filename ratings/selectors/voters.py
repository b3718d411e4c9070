"""Reads about voters: their votes as arrays, what the arena saw them do, and published reviews.

Knows no tests. Nothing that is read here by voter may be published: pages and the API get
`site_voting` only.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from arena.models import Vote
from ratings.core.outcomes import IntArray
from ratings.models import VoterReview
from ratings.selectors.binary_arrays import arrays_read

REVIEWED = ("", "outlier")
"""Votes that count, and those that a review itself left out: else a voter would be forgotten as
soon as nothing of theirs counted."""

_COLUMNS = {"sequence": ">i8", "model_a": ">i4", "model_b": ">i4", "outcome": ">i2", "voter": ">i8"}


@dataclass(frozen=True, slots=True)
class ReviewedVotes:
    """Votes of known voters that a review looks at; arrays of shape (votes,).

    Models are ids. `voter` numbers voters from 0, `of` is a ledger sequence of each, shape
    (voters,), by which they are found.
    """

    sequence: IntArray
    model_a: IntArray
    model_b: IntArray
    outcome: IntArray
    voter: IntArray
    of: IntArray


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the arena saw one voter do, apart from what the votes were for.

    `retests` counts the same two models on the same prompt again, of which `retests_same` were
    voted the same way and `retests_reversed` for the other model. `seconds` is the median from the
    last answer's end to the vote.
    """

    votes: int = 0
    too_fast: int = 0
    gold_seen: int = 0
    gold_failed: int = 0
    retests: int = 0
    retests_same: int = 0
    retests_reversed: int = 0
    seconds: float | None = None


def review_latest() -> VoterReview | None:
    """The newest review, None before the first."""
    return VoterReview.objects.first()


def site_voting() -> dict[str, Any] | None:
    """What may be published of all voters together, as of the newest review; None before it.

    Each share is null or `{"votes", "value", "lower", "upper"}`: `first_share` (of decided
    votes for the model shown first, 1/2 where nobody prefers a side), `tie_share`, `retest_share`
    (voted the same way again). `voters`, `tested`, `flagged`, `taste_sd` and `version` are
    of the tests; `models_favoured` lists models with `slug`, `excess` (voters) and `adjusted_p`.
    """
    review = review_latest()
    if review is None:
        return None
    return {
        **review.site,
        "voters": review.voters,
        "tested": review.tested,
        "flagged": review.flags.count(),
        "taste_sd": review.taste_sd,
        "version": review.version,
        "level": review.level,
        "ledger_sequence": review.ledger_sequence,
        "created_at": review.created_at,
        "models_favoured": review.models_favoured,
        "notes": review.notes,
    }


def reviewed_votes() -> ReviewedVotes:
    """Read the folded votes of voters that are not erased."""
    arrays = ", ".join(f"array_agg({name} ORDER BY sequence)" for name in _COLUMNS)
    ((_, columns),) = arrays_read(
        f"SELECT '', {arrays} FROM ratings_ratedvote "  # noqa: S608
        "WHERE voter <> 0 AND exclusion = ANY(%s::text[])",
        [list(REVIEWED)],
        types=list(_COLUMNS.values()),
    )
    sequence, model_a, model_b, outcome, voter = (column.astype(np.int64) for column in columns)
    _, first, number = np.unique(voter, return_index=True, return_inverse=True)
    return ReviewedVotes(sequence, model_a, model_b, outcome, number, sequence[first])


def voters_of(sequences: Sequence[int]) -> dict[int, uuid.UUID]:
    """The voter of each vote, by its ledger sequence; erased votes are missing."""
    votes = Vote.objects.filter(ledger_entry__in=sequences, secret__isnull=False)
    return dict(votes.values_list("ledger_entry_id", "voter_id"))


def votes_of(voters: Collection[uuid.UUID], *, exclusion: str) -> list[uuid.UUID]:
    """Votes of these voters with that exclusion, "" for those that count."""
    votes = Vote.objects.filter(voter__in=voters, exclusion=exclusion)
    return list(votes.values_list("pk", flat=True))


def votes_of_flagged(review: VoterReview) -> list[int]:
    """Ledger sequences of the counted votes, as folded, of the voters whom a review flags."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rated.sequence
              FROM ratings_voterflag AS flag
              JOIN arena_vote AS vote ON vote.voter_id = flag.voter_id
              JOIN ratings_ratedvote AS rated ON rated.sequence = vote.ledger_entry_id
             WHERE flag.review_id = %s AND rated.exclusion = '' AND rated.voter <> 0
             ORDER BY rated.sequence
            """,
            [review.pk],
        )
        return [row[0] for row in cursor.fetchall()]


def sequences_digest(sequences: Sequence[int]) -> str:
    """SHA-256 of ledger sequences, ascending, joined by line feeds."""
    return hashlib.sha256("\n".join(map(str, sequences)).encode()).hexdigest()


def votes_reinstated_by_person(votes: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of `votes` that a person has let count again: rules leave them alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT vote.id
              FROM arena_ledgerentry AS entry
              JOIN arena_vote AS vote
                ON vote.ledger_entry_id = (entry.payload::jsonb ->> 'vote')::bigint
             WHERE entry.kind = 'reinstatement' AND vote.id = ANY(%s)
               AND entry.payload::jsonb ->> 'by' NOT LIKE 'rules/%%'
            """,
            [list(votes)],
        )
        return {row[0] for row in cursor.fetchall()}


def votes_excluded_by(rules: str, *, reason: str) -> dict[uuid.UUID, uuid.UUID]:
    """Votes that are excluded for the reason by `rules` (with or without a version), and their
    voters."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT vote.id, vote.voter_id
              FROM arena_ledgerentry AS entry
              JOIN arena_vote AS vote
                ON vote.ledger_entry_id = (entry.payload::jsonb ->> 'vote')::bigint
             WHERE entry.kind = 'exclusion' AND vote.exclusion = %s
               AND entry.payload::jsonb ->> 'reason' = vote.exclusion
               AND starts_with(entry.payload::jsonb ->> 'by', %s)
            """,
            [reason, rules],
        )
        return dict(cursor.fetchall())


def behaviours() -> dict[uuid.UUID, Behaviour]:
    """What each voter with a vote that is not erased did; two statements, all votes."""
    found: dict[uuid.UUID, Behaviour] = {}
    retests = {row[0]: row[1:] for row in _rows(_RETESTS)}
    for voter, votes, too_fast, gold_seen, gold_failed, seconds in _rows(_SEEN):
        again, same, reversed_ = retests.get(voter, (0, 0, 0))
        found[voter] = Behaviour(
            votes=votes,
            too_fast=too_fast,
            gold_seen=gold_seen,
            gold_failed=gold_failed,
            retests=again,
            retests_same=same,
            retests_reversed=reversed_,
            seconds=seconds,
        )
    return found


# Characters of a spoilt answer from which on anybody sees that it was.
_SPOILABLE = 12
_SEEN = f"""
    SELECT vote.voter_id, count(*), count(*) FILTER (WHERE vote.exclusion = 'too_fast'),
           count(*) FILTER (WHERE gold.is_spoilt),
           count(*) FILTER (WHERE gold.is_spoilt AND vote.choice = battle.gold_side),
           percentile_cont(0.5) WITHIN GROUP (
               ORDER BY extract(epoch FROM vote.cast_at - ended.at)::float8
           ) FILTER (WHERE ended.at IS NOT NULL)
      FROM arena_vote AS vote
      JOIN arena_votesecret AS secret ON secret.vote_id = vote.id
      JOIN arena_turn AS turn ON turn.id = vote.turn_id
      JOIN arena_battle AS battle ON battle.id = turn.battle_id
      LEFT JOIN LATERAL (
            SELECT max(answer.finished_at) AS at FROM arena_answer AS answer
             WHERE answer.turn_id = turn.id AND answer.finished_at <= vote.cast_at
           ) AS ended ON true
      -- What is as short as "42" may read the same when it is spoilt: nobody fails by taking it.
      LEFT JOIN LATERAL (
            SELECT length(answer.text) >= {_SPOILABLE} AS is_spoilt FROM arena_answer AS answer
             WHERE answer.turn_id = turn.id AND answer.side = battle.gold_side
               AND vote.exclusion = 'gold'
             ORDER BY answer.attempt DESC LIMIT 1
           ) AS gold ON true
     WHERE battle.mode = 'battle' AND vote.exclusion <> 'withdrawn'
     GROUP BY vote.voter_id
"""  # noqa: S608
# Each vote against the same voter's last one on the same two models and prompt, sides turned so
# that 1 is the model with the lower id, -1 the other, 0 neither.
_RETESTS = """
    SELECT voter, count(*), count(*) FILTER (WHERE now = before),
           count(*) FILTER (WHERE now * before = -1)
      FROM (
            SELECT voter, now, lag(now) OVER again AS before
              FROM (
                    SELECT vote.voter_id AS voter, vote.ledger_entry_id AS sequence,
                           LEAST(battle.model_a_id, battle.model_b_id) AS lower,
                           GREATEST(battle.model_a_id, battle.model_b_id) AS upper,
                           md5(turn.prompt) AS prompt,
                           CASE vote.choice WHEN 'a' THEN 1 WHEN 'b' THEN -1 ELSE 0 END
                           * CASE WHEN battle.model_a_id < battle.model_b_id THEN 1 ELSE -1 END
                           AS now
                      FROM arena_vote AS vote
                      JOIN arena_votesecret AS secret ON secret.vote_id = vote.id
                      JOIN arena_turn AS turn ON turn.id = vote.turn_id
                      JOIN arena_battle AS battle ON battle.id = turn.battle_id
                     WHERE battle.mode = 'battle' AND battle.gold_side = '' AND turn.index = 0
                       AND vote.exclusion <> 'withdrawn'
                   ) AS cast_vote
            WINDOW again AS (PARTITION BY voter, lower, upper, prompt ORDER BY sequence)
           ) AS pair
     WHERE before IS NOT NULL
     GROUP BY voter
"""


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
