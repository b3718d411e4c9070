"""A snapshot is complete, true to the ledger, made once, and never by two fits at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from arena.ledger import ledger_head
from arena.ledger_heads import head_check_signature, head_parse
from inference.models import LanguageModel
from ratings.board_fit import SEED
from ratings.core.connectivity import NO_VOTES
from ratings.core.outcomes import Outcome, Votes
from ratings.core.standings import standings
from ratings.models import RatingEntry, RatingSnapshot
from ratings.services import FitInProgressError, snapshot_fit
from tests.ratings.arena_votes import language_model, vote

Contestants = Mapping[str, LanguageModel]


def test_a_snapshot_says_what_the_mathematics_says_of_the_same_votes(voted: Contestants) -> None:
    snapshot = snapshot_fit(reason="test")

    a, b, tie, bad = Outcome
    table = np.array(
        [(0, 1, a), (1, 0, b), (0, 1, b), (1, 2, a), (2, 1, tie), (2, 0, bad), (0, 2, a)] * 2
    )
    expected = standings(
        Votes(table[:, 0], table[:, 1], table[:, 2], 4), clusters=[np.arange(14)], seed=SEED
    )
    entries = {entry.model.slug: entry for entry in snapshot.entries.select_related("model")}
    for row, slug in enumerate(("ada", "bea", "cyd")):
        assert entries[slug].rating == pytest.approx(expected.rating[row])
        assert entries[slug].lower == pytest.approx(expected.lower[row])
        assert entries[slug].rank == row + 1
        assert entries[slug].rank_high == expected.rank_high[row]
        assert entries[slug].votes == expected.votes[row]
        assert entries[slug].reason == ""
    assert entries["dot"].rating is None
    assert entries["dot"].rank is None
    assert entries["dot"].reason == NO_VOTES


def test_a_snapshot_names_the_ledger_it_was_made_from(voted: Contestants) -> None:
    snapshot = snapshot_fit()

    head = head_parse(snapshot.ledger_head)
    head_check_signature(head)
    assert {"sequence": head.sequence, "hash": head.hash} == ledger_head()
    assert snapshot.funnel["raw"] == snapshot.funnel["counted"] == 14
    assert set(snapshot.versions) == {"preferendum", "numpy", "scipy"}


def test_a_vote_with_a_leak_is_in_the_funnel_and_not_in_the_ratings(voted: Contestants) -> None:
    before = snapshot_fit()

    vote(voted["ada"], voted["bea"], "b", leak="I am Model ADA")

    after = snapshot_fit()
    assert after.funnel["raw"] == 15
    assert after.funnel["leak"] == 1
    assert list(after.entries.values_list("rating")) == list(before.entries.values_list("rating"))


def test_nothing_new_makes_no_new_snapshot(voted: Contestants) -> None:
    first = snapshot_fit()

    assert snapshot_fit() == first
    assert RatingSnapshot.objects.count() == 1


def test_a_new_vote_or_a_new_model_makes_a_new_snapshot(voted: Contestants) -> None:
    first = snapshot_fit()

    vote(voted["ada"], voted["dot"], "a")
    second = snapshot_fit()
    language_model("eve")
    third = snapshot_fit()

    assert len({first.pk, second.pk, third.pk}) == 3
    assert RatingSnapshot.objects.first() == third
    assert third.entries.filter(model__slug="eve").exists()


def test_an_arena_without_votes_or_models_can_be_published(db: None) -> None:
    snapshot = snapshot_fit()

    assert snapshot.funnel["raw"] == 0
    assert snapshot.entries.count() == 0


def test_two_fits_do_not_overlap(voted: Contestants, other_session: None) -> None:
    with pytest.raises(FitInProgressError):
        snapshot_fit(wait=False)

    assert not RatingSnapshot.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"rating": float("nan"), "rank": 1, "rank_low": 1, "rank_high": 1, "reason": "x"},
        {"rating": float("inf"), "rank": 1, "rank_low": 1, "rank_high": 1, "reason": "x"},
        {"rating": 1000.0, "reason": "x"},
        {"rating": 1000.0, "rank": 1, "rank_low": 2, "rank_high": 3, "reason": "x"},
        {"rating": 1000.0, "rank": 1, "rank_low": 1, "rank_high": 1, "lower": 990.0, "reason": "x"},
        {"reason": ""},
    ],
)
def test_the_database_refuses_a_row_that_is_not_whole(
    contestants: Contestants, values: dict[str, object]
) -> None:
    snapshot = snapshot_fit()
    snapshot.entries.all().delete()

    with pytest.raises(IntegrityError), transaction.atomic():
        RatingEntry.objects.create(
            snapshot=snapshot,
            model=contestants["ada"],
            votes=1,
            **values,
        )
