"""Single votes and cells are two accounts of the same selection, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from arena.ledger import ledger_head
from arena.models import LedgerEntry, Voter
from inference.models import LanguageModel
from ratings.models import RatedVote
from ratings.selectors import rows
from ratings.selectors.cubes import category_counts, selection_of
from ratings.selectors.rows import rows_read
from ratings.services.votes import votes_fold
from tests.ratings.arena_votes import annotate, entry, vote

Contestants = Mapping[str, LanguageModel]


@pytest.fixture
def mixed(contestants: Contestants) -> Contestants:
    """Forty votes with every mixture of two languages, two tags, outcomes and exclusions."""
    pairs = [("ada", "bea"), ("ada", "cyd"), ("cyd", "ada")]
    for number in range(40):
        first, second = pairs[number % 3]
        cast = vote(
            contestants[first], contestants[second], ("a", "b", "tie", "both_bad")[number % 4]
        )
        annotate(
            cast,
            language=("en", "de")[number % 2],
            categories=tuple(tag for tag, n in (("coding", 3), ("short", 5)) if number % n == 0),
            length=number,
            bold_asterisk=number % 2,
        )
        if number % 7 == 0:
            reason = ("leak", "outlier")[number % 2]
            entry(LedgerEntry.Kind.EXCLUSION, vote=cast.ledger_entry_id, reason=reason)
    votes_fold(upto=ledger_head()["sequence"])
    return contestants


@pytest.mark.parametrize(
    "category",
    ["overall", "coding", "short", "en", "de", "exclude-ties", "exclude-short", "include-leaks",
     "never-seen"],
)  # fmt: skip
@pytest.mark.parametrize("block", [7, 1 << 17])
def test_rows_add_up_to_the_cells(
    mixed: Contestants, category: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "BLOCK", block)
    selection = selection_of(category)

    read = rows_read(selection, style=True)
    counts = category_counts(selection)

    table: dict[tuple[int, int], list[int]] = {}
    for first, second, outcome in zip(read.model_a, read.model_b, read.outcome, strict=True):
        table.setdefault((int(first), int(second)), [0] * 4)[outcome] += 1
    assert {(a, b): cell for a, b, *cell in counts.rows.tolist()} == table
    assert counts.funnel.get("", 0) == len(read.outcome)
    assert (len(read.outcome) > 0) == (category != "never-seen")


def test_every_column_comes_as_it_was_stored(mixed: Contestants) -> None:
    read = rows_read(selection_of("overall"), style=True)

    stored = RatedVote.objects.filter(exclusion="").order_by("sequence")
    for name in ("model_a", "model_b", "outcome", "voter", "prompt"):
        assert getattr(read, name).tolist() == list(stored.values_list(name, flat=True))
    assert read.features is not None
    columns = list(stored.values_list("length", "headers", "bold", "lists"))
    assert read.features.tolist() == [pytest.approx(column) for column in columns]


def test_style_is_read_only_where_it_is_asked_for(mixed: Contestants) -> None:
    assert rows_read(selection_of("overall"), style=False).features is None


def test_erased_voters_are_nobody_else(contestants: Contestants) -> None:
    voter = Voter.objects.create()
    for choice in ("a", "b"):
        vote(contestants["ada"], contestants["bea"], choice, voter=voter)
    votes_fold(upto=ledger_head()["sequence"])
    RatedVote.objects.update(voter=0, prompt=0)

    read = rows_read(selection_of("overall"), style=False)

    assert len(np.unique(read.voter)) == len(np.unique(read.prompt)) == 2


def test_an_empty_arena_has_no_rows(db: None) -> None:
    read = rows_read(selection_of("overall"), style=True)

    assert read.outcome.shape == (0,)
    assert read.features is not None
    assert read.features.shape == (0, 4)
