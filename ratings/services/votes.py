"""The ledger, folded into rows and cubes: what is new since last time, and nothing else.

A fold is a function of the ledger's entries in their order (votes, exclusions, reinstatements and
withdrawals; the other kinds change no count) and of what the arena knows of each vote. It runs in
the caller's transaction, under `ratings.services.locking.fits_lock`. Knows nothing of ratings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from arena.ledger import GENESIS_HASH
from arena.models import LedgerEntry
from arena.selectors import exclusion_log, vote_log
from ratings.board_votes import FEATURES
from ratings.boards import is_language, is_tag
from ratings.models import (
    DailyCube,
    FoldCursor,
    OutcomeCube,
    PacingCount,
    RatedVote,
    VoteCategory,
)

logger = logging.getLogger(__name__)

# Ledger entries a statement; the database keeps that many rows in memory at a time.
BATCH = 50_000
MAX_TAGS = 63

Progress = Callable[[int], object]
"""Is told how many ledger entries have been read since the last time."""


class FoldError(Exception):
    """Rows and cubes do not belong to this ledger; the message says what to do."""


MEND = "make them anew with: manage.py fit_ratings --rebuild"

# From `change`, rows of votes with a `sign`: what to add to each cell, each vote in all its
# categories. One statement reads and writes, so that no row passes through this process.
_CUBES = """
    moved AS (
        SELECT category.number AS category, vote.exclusion, vote.model_a, vote.model_b, vote.day,
               vote.pacing,
               sum(vote.sign) FILTER (WHERE vote.outcome = 0) AS a_wins,
               sum(vote.sign) FILTER (WHERE vote.outcome = 1) AS b_wins,
               sum(vote.sign) FILTER (WHERE vote.outcome = 2) AS ties,
               sum(vote.sign) FILTER (WHERE vote.outcome = 3) AS both_bad
          FROM change AS vote
          JOIN (
                SELECT 0 AS number, NULL AS bit
                UNION ALL SELECT number, bit FROM ratings_votecategory
               ) AS category
            ON category.number = 0 OR category.number = vote.language
            OR vote.tags & (1::bigint << category.bit) <> 0
         GROUP BY 1, 2, 3, 4, 5, 6
    ), paced AS (
        INSERT INTO ratings_pacingcount AS count (category, exclusion, pacing, votes)
        SELECT category, exclusion, pacing, sum(
                   COALESCE(a_wins, 0) + COALESCE(b_wins, 0) + COALESCE(ties, 0)
                   + COALESCE(both_bad, 0)
               )
          FROM moved
         GROUP BY 1, 2, 3
            ON CONFLICT (category, exclusion, pacing) DO UPDATE
           SET votes = count.votes + EXCLUDED.votes
    ), daily AS (
        INSERT INTO ratings_dailycube AS cube
               (category, exclusion, model_a, model_b, day, a_wins, b_wins, ties, both_bad)
        SELECT category, exclusion, model_a, model_b, day, COALESCE(sum(a_wins), 0),
               COALESCE(sum(b_wins), 0), COALESCE(sum(ties), 0), COALESCE(sum(both_bad), 0)
          FROM moved
         GROUP BY 1, 2, 3, 4, 5
            ON CONFLICT (category, exclusion, model_a, model_b, day) DO UPDATE
           SET a_wins = cube.a_wins + EXCLUDED.a_wins, b_wins = cube.b_wins + EXCLUDED.b_wins,
               ties = cube.ties + EXCLUDED.ties, both_bad = cube.both_bad + EXCLUDED.both_bad
        RETURNING LEAST(a_wins, b_wins, ties, both_bad) AS fewest
    ), total AS (
        INSERT INTO ratings_outcomecube AS cube
               (category, exclusion, model_a, model_b, a_wins, b_wins, ties, both_bad)
        SELECT category, exclusion, model_a, model_b, COALESCE(sum(a_wins), 0),
               COALESCE(sum(b_wins), 0), COALESCE(sum(ties), 0), COALESCE(sum(both_bad), 0)
          FROM moved
         GROUP BY 1, 2, 3, 4
            ON CONFLICT (category, exclusion, model_a, model_b) DO UPDATE
           SET a_wins = cube.a_wins + EXCLUDED.a_wins, b_wins = cube.b_wins + EXCLUDED.b_wins,
               ties = cube.ties + EXCLUDED.ties, both_bad = cube.both_bad + EXCLUDED.both_bad
        RETURNING LEAST(a_wins, b_wins, ties, both_bad) AS fewest
    ), counted AS (
        UPDATE ratings_votecategory AS category
           SET counted = category.counted + gained.votes
          FROM (
                SELECT category, sum(
                           COALESCE(a_wins, 0) + COALESCE(b_wins, 0) + COALESCE(ties, 0)
                           + COALESCE(both_bad, 0)
                       ) AS votes
                  FROM moved WHERE exclusion = '' GROUP BY category
               ) AS gained
         WHERE category.number = gained.category
    )
    SELECT min(fewest) FROM (SELECT fewest FROM daily UNION ALL SELECT fewest FROM total) AS cells
"""
_DIFFERENCE = "COALESCE(({0}_a - {0}_b)::float8 / NULLIF({0}_a + {0}_b, 0), 0)"
_FOLD_VOTES = f"""
    WITH log AS ({{log}}), change AS (
        INSERT INTO ratings_ratedvote
               (sequence, voter, prompt, tags, day, model_a, model_b, {", ".join(FEATURES)},
                probability, language, outcome, exclusion, pacing)
        SELECT log.sequence, log.voter, log.prompt,
               COALESCE((SELECT bit_or(1::bigint << tag.bit) FROM ratings_votecategory AS tag
                          WHERE tag.slug = ANY(log.categories)), 0),
               log.day, log.model_a, log.model_b,
               {", ".join(_DIFFERENCE.format(name) for name in FEATURES)},
               log.probability, COALESCE(language.number, 0), log.outcome, '',
               log.pacing
          FROM log
          LEFT JOIN ratings_votecategory AS language
                 ON language.kind = 'language' AND language.slug = log.language
        RETURNING language, tags, exclusion, model_a, model_b, day, outcome, pacing, 1 AS sign
    ), {_CUBES}
"""  # noqa: S608
_FOLD_EXCLUSIONS = f"""
    WITH verdict AS ({{log}}), vote AS (
        UPDATE ratings_ratedvote AS vote
           SET exclusion = earlier.exclusion_now,
               voter = CASE WHEN earlier.erased THEN 0 ELSE vote.voter END,
               prompt = CASE WHEN earlier.erased THEN 0 ELSE vote.prompt END
          FROM (
                SELECT stored.sequence, stored.exclusion AS exclusion_before,
                       verdict.exclusion AS exclusion_now, verdict.erased
                  FROM verdict JOIN ratings_ratedvote AS stored USING (sequence)
               ) AS earlier
         WHERE vote.sequence = earlier.sequence
        RETURNING vote.language, vote.tags, vote.model_a, vote.model_b, vote.day, vote.outcome,
                  vote.pacing, earlier.exclusion_before, earlier.exclusion_now
    ), change AS (
        SELECT vote.*, side.exclusion, side.sign
          FROM vote
          CROSS JOIN LATERAL (VALUES (exclusion_before, -1), (exclusion_now, 1))
                  AS side (exclusion, sign)
         WHERE exclusion_before <> exclusion_now
    ), {_CUBES}
"""  # noqa: S608


def votes_fold(*, upto: int, progress: Progress = lambda _: None) -> FoldCursor:
    """Fold the entries after the cursor and up to entry `upto`; return the cursor.

    Raises FoldError when the ledger is not the one that was folded before.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("votes_fold needs a transaction")
    cursor = FoldCursor.objects.first() or FoldCursor(sequence=0, hash=GENESIS_HASH)
    if _hash_of(cursor.sequence) != cursor.hash:
        raise FoldError(
            f"ledger entry {cursor.sequence} is not the one that the votes were read up to: {MEND}"
        )
    while cursor.sequence < upto:
        after, cursor.sequence = cursor.sequence, min(cursor.sequence + BATCH, upto)
        _categories_ensure(after=after, upto=cursor.sequence)
        # Votes first: an exclusion speaks of a vote before it, often of the one just before.
        for statement, log in ((_FOLD_VOTES, vote_log), (_FOLD_EXCLUSIONS, exclusion_log)):
            text, parameters = log(after=after, upto=cursor.sequence)
            fewest = _rows(statement.format(log=text), parameters)[0][0]
            if fewest is not None and fewest < 0:
                raise FoldError(f"a cell of the cubes lacks votes that were in it: {MEND}")
        cursor.hash = _hash_of(cursor.sequence)
        cursor.save()
        progress(cursor.sequence - after)
    return cursor


def votes_forget() -> None:
    """Empty rows, cubes and categories, to fold the whole ledger again."""
    for model in (RatedVote, OutcomeCube, DailyCube, PacingCount, VoteCategory, FoldCursor):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608


def _hash_of(sequence: int) -> str:
    if sequence == 0:
        return GENESIS_HASH
    entry = LedgerEntry.objects.filter(sequence=sequence).values_list("hash", flat=True).first()
    return entry or ""


def _categories_ensure(*, after: int, upto: int) -> None:
    """Number the languages and tags that these votes are the first to have."""
    text, parameters = vote_log(after=after, upto=upto)
    found = _rows(
        f"""
        WITH log AS ({text})
        SELECT DISTINCT language, false FROM log
        UNION SELECT DISTINCT unnest(categories), true FROM log
        """,  # noqa: S608
        parameters,
    )
    known = {category.slug: category for category in VoteCategory.objects.all()}
    number = max((category.number for category in known.values()), default=0)
    bit = 1 + max(
        (category.bit for category in known.values() if category.bit is not None), default=-1
    )
    fresh = []
    for slug, tagged in sorted(found):
        if slug in known or not (is_tag(slug) if tagged else is_language(slug)):
            continue
        if tagged and bit >= MAX_TAGS:
            logger.warning("there are %s tags already: %r gets no board", MAX_TAGS, slug)
            continue
        number += 1
        kind = VoteCategory.Kind.TAG if tagged else VoteCategory.Kind.LANGUAGE
        fresh.append(VoteCategory(number=number, kind=kind, slug=slug, bit=bit if tagged else None))
        bit += tagged
    VoteCategory.objects.bulk_create(fresh)


def _rows(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
