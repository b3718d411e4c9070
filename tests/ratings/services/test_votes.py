"""Rows and cubes say what the ledger says, however it is read, and follow it by what is new."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.ledger import ledger_head
from arena.models import Battle, LedgerEntry, Turn, TurnAnnotation, VoteSecret
from inference.models import LanguageModel
from ratings.models import DailyCube, FoldCursor, OutcomeCube, RatedVote, VoteCategory
from ratings.services import votes as fold
from ratings.services.votes import FoldError, votes_fold, votes_forget
from tests.ratings.arena_votes import annotate, entry, language_model, vote

Contestants = Mapping[str, LanguageModel]
OUTCOMES = ("a_wins", "b_wins", "ties", "both_bad")


def fold_all() -> FoldCursor:
    return votes_fold(upto=ledger_head()["sequence"])


def cells(model: type[OutcomeCube] | type[DailyCube] = OutcomeCube) -> Counter[tuple[Any, ...]]:
    """All that is counted: votes by category, exclusion, models and outcome."""
    found: Counter[tuple[Any, ...]] = Counter()
    slugs = {0: "overall"} | dict(VoteCategory.objects.values_list("number", "slug"))
    for cube in model.objects.all():
        for outcome in OUTCOMES:
            key = (slugs[cube.category], cube.exclusion, cube.model_a, cube.model_b, outcome)
            found[key] += getattr(cube, outcome)
    return +found


def test_a_vote_is_a_row_and_counts_in_all_its_categories(contestants: Contestants) -> None:
    ada, bea = contestants["ada"], contestants["bea"]
    cast = vote(ada, bea, "b")
    annotate(cast, language="de", categories=("coding", "short"), length=3, h1=1, h3=1)

    cursor = fold_all()

    row = RatedVote.objects.get()
    assert (row.sequence, row.model_a, row.model_b) == (cast.ledger_entry_id, ada.pk, bea.pk)
    assert (row.outcome, row.exclusion, row.day) == (1, "", timezone.now().date())
    assert (row.length, row.headers, row.bold, row.lists) == (0.5, 1, 0, 0)
    assert row.probability == 0.5
    assert row.voter == cast.voter_id.int >> 64 & (2**63 - 1)
    overall = ("overall", "", ada.pk, bea.pk, "b_wins")
    assert cells() == {(slug, *overall[1:]): 1 for slug in ("overall", "de", "coding", "short")}
    assert cells(DailyCube) == cells()
    assert (cursor.sequence, cursor.hash) == tuple(ledger_head().values())


def test_what_was_folded_is_not_read_again(voted: Contestants) -> None:
    fold_all()
    before = cells()

    fold_all()

    assert cells() == before
    assert sum(count for key, count in before.items() if key[0] == "overall") == 14


def test_votes_on_named_models_are_told_of_and_do_not_count(contestants: Contestants) -> None:
    ada, bea = contestants["ada"], contestants["bea"]
    vote(ada, bea, "a", mode=Battle.Mode.SIDE_BY_SIDE)

    fold_all()

    assert cells() == {("overall", "named", ada.pk, bea.pk, "a_wins"): 1}


def test_an_excluded_vote_moves_and_comes_back(contestants: Contestants) -> None:
    ada, bea = contestants["ada"], contestants["bea"]
    cast = vote(ada, bea, "a")
    fold_all()

    entry(LedgerEntry.Kind.EXCLUSION, vote=cast.ledger_entry_id, reason="outlier")
    fold_all()
    excluded = cells()
    entry(LedgerEntry.Kind.REINSTATEMENT, vote=cast.ledger_entry_id)
    fold_all()

    assert excluded == {("overall", "outlier", ada.pk, bea.pk, "a_wins"): 1}
    assert cells() == {("overall", "", ada.pk, bea.pk, "a_wins"): 1}
    assert cells(DailyCube) == cells()


def test_the_last_word_on_a_vote_holds(contestants: Contestants) -> None:
    cast = vote(contestants["ada"], contestants["bea"], "a")
    for reason in ("outlier", "rate_cap"):
        entry(LedgerEntry.Kind.EXCLUSION, vote=cast.ledger_entry_id, reason=reason)

    fold_all()

    assert RatedVote.objects.get().exclusion == "rate_cap"


def test_nothing_of_a_withdrawn_vote_leads_to_its_voter(contestants: Contestants) -> None:
    cast = vote(contestants["ada"], contestants["bea"], "a")
    fold_all()

    entry(LedgerEntry.Kind.WITHDRAWAL, vote=cast.ledger_entry_id)
    fold_all()

    row = RatedVote.objects.get()
    assert (row.voter, row.prompt, row.exclusion) == (0, 0, "withdrawn")


def test_an_erased_vote_is_folded_without_its_voter(contestants: Contestants) -> None:
    cast = vote(contestants["ada"], contestants["bea"], "a")
    VoteSecret.objects.filter(vote=cast).delete()

    fold_all()

    row = RatedVote.objects.get()
    assert (row.voter, row.prompt, row.exclusion) == (0, 0, "")


def test_equal_prompts_are_one_prompt_and_nothing_else_is(contestants: Contestants) -> None:
    for prompt in ("Why?", "Why?", "Why not?"):
        vote(contestants["ada"], contestants["bea"], "a", prompt=prompt)

    fold_all()

    first, second, third = RatedVote.objects.values_list("prompt", flat=True)
    assert first == second != third


def test_tags_cannot_pass_for_languages_or_selections(contestants: Contestants) -> None:
    cast = vote(contestants["ada"], contestants["bea"], "a")
    annotate(cast, language="und", categories=("en", "overall", "exclude-ties", "own-tag"))

    fold_all()

    assert list(VoteCategory.objects.values_list("slug", flat=True)) == ["own-tag"]


def test_the_sixty_fourth_tag_is_left_out_and_named(
    contestants: Contestants, caplog: pytest.LogCaptureFixture
) -> None:
    ada, bea = contestants["ada"], contestants["bea"]
    annotate(vote(ada, bea, "a"), categories=tuple(f"tag-{number:02}" for number in range(64)))

    fold_all()

    tags = VoteCategory.objects.filter(kind="tag")
    assert tags.count() == 63
    assert "'tag-63' gets no board" in caplog.text
    assert cells()["tag-62", "", ada.pk, bea.pk, "a_wins"] == 1


def test_a_ledger_that_is_not_the_one_before_is_refused(voted: Contestants) -> None:
    fold_all()
    FoldCursor.objects.update(hash="0" * 64)

    with pytest.raises(FoldError, match="fit_ratings --rebuild"):
        fold_all()


def test_cubes_that_lack_votes_are_refused(contestants: Contestants) -> None:
    cast = vote(contestants["ada"], contestants["bea"], "a")
    fold_all()
    OutcomeCube.objects.update(a_wins=0)
    entry(LedgerEntry.Kind.EXCLUSION, vote=cast.ledger_entry_id, reason="outlier")

    with pytest.raises(FoldError, match="fit_ratings --rebuild"):
        fold_all()


def test_votes_after_the_head_wait(contestants: Contestants) -> None:
    vote(contestants["ada"], contestants["bea"], "a")
    head = ledger_head()["sequence"]
    vote(contestants["ada"], contestants["bea"], "a")

    votes_fold(upto=head)

    assert RatedVote.objects.count() == 1


# What can happen to an arena: a vote with some tags, or a word on the n-th vote so far.
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("vote"), st.permutations(range(3)), st.integers(0, 3),
            st.sampled_from(["en", "de", "und"]), st.sets(st.sampled_from(["coding", "short"])),
        ),
        st.tuples(
            st.sampled_from(["exclusion", "reinstatement", "withdrawal"]), st.integers(0, 5),
            st.sampled_from(["leak", "outlier"]),
        ),
        st.just(("fold",)),
    ),
    max_size=14,
)  # fmt: skip


@pytest.mark.django_db
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, batch=st.integers(1, 5))
def test_folding_bit_by_bit_gives_what_folding_at_once_gives(
    steps: list[tuple[Any, ...]], batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():
        models = [language_model(f"{slug}-{uuid.uuid4().hex}") for slug in "abc"]
        sequences: list[int] = []
        expected: Counter[tuple[Any, ...]] = Counter()
        excluded: dict[int, str] = {}
        known: dict[int, tuple[Any, ...]] = {}
        monkeypatch.setattr(fold, "BATCH", batch)
        for step in steps:
            if step[0] == "vote":
                _, order, outcome, language, tags = step
                first, second = models[order[0]], models[order[1]]
                cast = vote(first, second, ("a", "b", "tie", "both_bad")[outcome])
                annotate(cast, language=language, categories=tuple(tags))
                sequences.append(cast.ledger_entry_id)
                slugs = {"overall", language, *tags} - {"und"}
                known[cast.ledger_entry_id] = (slugs, first.pk, second.pk, OUTCOMES[outcome])
            elif step[0] == "fold":
                fold_all()
            elif sequences:
                kind, number, reason = step
                sequence = sequences[number % len(sequences)]
                entry(LedgerEntry.Kind(kind), vote=sequence, reason=reason)
                excluded[sequence] = {
                    "exclusion": reason, "reinstatement": "", "withdrawal": "withdrawn"
                }[kind]  # fmt: skip
        for sequence, (slugs, first, second, outcome) in known.items():
            for slug in slugs:
                expected[slug, excluded.get(sequence, ""), first, second, outcome] += 1

        fold_all()
        piecewise = cells(), cells(DailyCube)
        counted = dict(VoteCategory.objects.values_list("slug", "counted"))
        monkeypatch.setattr(fold, "BATCH", 50_000)
        votes_forget()
        fold_all()

        assert piecewise == (expected, expected)
        assert (cells(), cells(DailyCube)) == piecewise
        assert counted == {
            slug: sum(n for key, n in expected.items() if key[:2] == (slug, "")) for slug in counted
        }
        transaction.set_rollback(True)


def test_a_turn_may_lose_its_annotation(contestants: Contestants) -> None:
    cast = vote(contestants["ada"], contestants["bea"], "a")
    annotate(cast)
    TurnAnnotation.objects.all().delete()

    fold_all()

    row = RatedVote.objects.get()
    assert (row.language, row.tags, row.length) == (0, 0, 0)
    assert Turn.objects.filter(pk=cast.turn_id).exists()
