"""An arena with many stored votes, written straight into its database. Knows nothing of fits.

The votes are drawn by PostgreSQL: popularity falls off, better models win more often, a fifth are
ties or both bad. Their ledger is one entry that stands for all of them.
"""

from __future__ import annotations

from django.db import connection, transaction

from arena.ledger import entry_hash, ledger_append
from arena.models import Answer, Battle, LedgerEntry, Turn, Vote, Voter, VoteSecret
from inference.models import LanguageModel, Organization
from ratings.models import FoldCursor, VoteCategory

LANGUAGES = ("de", "en", "fr")
TAGS = ("coding", "creative-writing", "hard-prompts", "mathematics", "short")
DAYS = 1_000
VOTES_A_VOTER = 20

# Votes of a statement: what PostgreSQL holds in memory at once.
_PORTION = 1_000_000
_ROWS = """
    INSERT INTO ratings_ratedvote
           (sequence, voter, prompt, tags, day, model_a, model_b, length, headers, bold, lists,
            probability, language, outcome, exclusion)
    SELECT i, 1 + (random() * %(voters)s)::bigint,
           CASE WHEN random() < 0.1 THEN 1 + (random() * 999)::bigint ELSE 1000 + i END,
           (random() * 31)::bigint & (random() * 31)::bigint,
           DATE '2026-01-01' - (%(days)s - i * %(days)s / %(votes)s)::integer,
           %(first)s + a, %(first)s + b, random() * 2 - 1, random() * 2 - 1, random() * 2 - 1, 0,
           1.0 / (%(models)s * (%(models)s - 1) / 2), 1 + (random() * 2)::smallint,
           CASE WHEN random() < 0.1 THEN 2 WHEN random() < 0.1 THEN 3
                WHEN random() < 1 / (1 + exp((a - b) / 60.0)) THEN 0 ELSE 1 END,
           CASE WHEN random() < 0.02 THEN 'leak' WHEN random() < 0.01 THEN 'duplicate' ELSE '' END
      FROM (
            SELECT i, a, (a + 1 + floor(random() * (%(models)s - 1))::integer) %% %(models)s AS b
              FROM (
                    SELECT i, floor(%(models)s * power(random(), 2))::integer AS a
                      FROM generate_series(%(from)s::bigint, %(to)s) AS i
                   ) AS first
           ) AS pair
"""
_DAILY = """
    INSERT INTO ratings_dailycube
           (category, exclusion, model_a, model_b, day, a_wins, b_wins, ties, both_bad)
    SELECT category.number, exclusion, model_a, model_b, day,
           count(*) FILTER (WHERE outcome = 0), count(*) FILTER (WHERE outcome = 1),
           count(*) FILTER (WHERE outcome = 2), count(*) FILTER (WHERE outcome = 3)
      FROM ratings_ratedvote AS vote
      JOIN (SELECT 0 AS number, NULL AS bit
            UNION ALL SELECT number, bit FROM ratings_votecategory) AS category
        ON category.number = 0 OR category.number = vote.language
        OR vote.tags & (1::bigint << category.bit) <> 0
     GROUP BY 1, 2, 3, 4, 5
"""
_TOTAL = """
    INSERT INTO ratings_outcomecube
           (category, exclusion, model_a, model_b, a_wins, b_wins, ties, both_bad)
    SELECT category, exclusion, model_a, model_b,
           sum(a_wins), sum(b_wins), sum(ties), sum(both_bad)
      FROM ratings_dailycube GROUP BY 1, 2, 3, 4
"""


def models_make(count: int) -> list[LanguageModel]:
    """The contestants."""
    maker = Organization.objects.create(slug="maker", name="Maker")
    return LanguageModel.objects.bulk_create(
        LanguageModel(slug=f"model-{number}", name=f"Model {number}", organization=maker)
        for number in range(count)
    )


def votes_store(votes: int, *, models: list[LanguageModel]) -> None:
    """Fill rows and cubes with `votes` votes, and set the ledger and the cursor after them."""
    for number, slug in enumerate(LANGUAGES, start=1):
        VoteCategory.objects.create(number=number, kind="language", slug=slug)
    for bit, slug in enumerate(TAGS):
        VoteCategory.objects.create(number=len(LANGUAGES) + 1 + bit, kind="tag", slug=slug, bit=bit)
    with connection.cursor() as cursor:
        for start in range(0, votes, _PORTION):
            cursor.execute(
                _ROWS,
                {
                    "from": start + 1,
                    "to": min(start + _PORTION, votes),
                    "votes": votes,
                    "voters": votes // VOTES_A_VOTER,
                    "days": DAYS,
                    "models": len(models),
                    "first": models[0].pk,
                },
            )
        cursor.execute(_DAILY)
        cursor.execute(_TOTAL)
        cursor.execute("ANALYZE")
    stand_in = LedgerEntry(
        sequence=votes, kind=LedgerEntry.Kind.IMPORT, payload="{}", previous_hash="0" * 64
    )
    stand_in.hash = entry_hash(
        previous_hash=stand_in.previous_hash,
        sequence=votes,
        kind=stand_in.kind,
        payload=stand_in.payload,
    )
    stand_in.save(force_insert=True)
    FoldCursor.objects.create(sequence=votes, hash=stand_in.hash)


def votes_cast(votes: int, *, models: list[LanguageModel]) -> None:
    """New votes, through the tables of the arena and its ledger."""
    voters = Voter.objects.bulk_create(Voter() for _ in range(max(1, votes // VOTES_A_VOTER)))
    for number in range(votes):
        model_a = models[number % len(models)]
        model_b = models[(number * 7 + 1 + number % len(models)) % len(models)]
        if model_a == model_b:
            model_b = models[(number + 1) % len(models)]
        battle = Battle.objects.create(
            voter=voters[number % len(voters)],
            model_a=model_a,
            model_b=model_b,
            sampler="uniform/1",
            probability=0.5,
            consent_version="benchmark",
        )
        turn = Turn.objects.create(
            battle=battle, index=0, prompt=f"Why does number {number} come after the one before?"
        )
        Answer.objects.bulk_create(
            Answer(turn=turn, side=side, state=Answer.State.COMPLETE, text="Because it is larger.")
            for side in ("a", "b")
        )
        choice = ("a", "b", "tie", "both_bad")[number % 4]
        with transaction.atomic():
            entry = ledger_append(
                kind=LedgerEntry.Kind.VOTE,
                payload={
                    "schema": 1,
                    "mode": "battle",
                    "model_a": model_a.slug,
                    "model_b": model_b.slug,
                    "choice": choice,
                    "probability": 0.5,
                    "hour": "2026-01-02T12:00:00+00:00",
                },
            )
            vote = Vote.objects.create(
                turn=turn, voter=battle.voter, choice=choice, ledger_entry=entry
            )
            VoteSecret.objects.create(vote=vote, voter_token=f"{vote.pk}", salts={})
