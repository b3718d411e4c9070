"""Every category with votes has two boards, all of one moment, and each is made when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from arena.ledger import ledger_head
from arena.models import Battle, LedgerEntry, TurnAnnotation, Vote, Voter
from inference.models import LanguageModel
from ratings.boards import OVERALL_BOARD, TOPICS, Board
from ratings.core.estimates import TOO_FEW_VOTERS
from ratings.covariance import covariance_unpack
from ratings.models import RatedVote, RatingSnapshot
from ratings.selectors import categories_listed, cubes, leaderboard
from ratings.services import FoldError, boards_fit, publication, snapshot_fit
from tests.ratings.arena_votes import annotate, entry, vote

Contestants = Mapping[str, LanguageModel]


def cast_some(contestants: Contestants, *, times: int = 1, **annotation: Any) -> list[Vote]:
    """Seven votes each time, which rate ada, bea and cyd, with one annotation for all."""
    ada, bea, cyd = (contestants[slug] for slug in ("ada", "bea", "cyd"))
    votes = [
        vote(first, second, choice)
        for _ in range(times)
        for first, second, choice in (
            (ada, bea, "a"),
            (bea, ada, "a"),
            (ada, bea, "a"),
            (bea, cyd, "a"),
            (cyd, bea, "tie"),
            (cyd, ada, "a"),
            (ada, cyd, "a"),
        )
    ]
    for cast in votes:
        annotate(cast, **annotation)
    return votes


@pytest.fixture
def tagged(contestants: Contestants) -> Contestants:
    """Votes on German code and on short English questions, with some style in the former."""
    cast_some(contestants, times=2, language="de", categories=("coding",), length=3, h1=1)
    cast_some(contestants, times=2, language="en", categories=("short", "house-tag"), length=1)
    return contestants


def test_categories_are_topics_languages_with_enough_votes_and_own_tags(
    tagged: Contestants, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot_fit()

    few = categories_listed()
    monkeypatch.setattr(cubes, "LANGUAGE_MIN_VOTES", 14)
    many = categories_listed()

    selections = ["exclude-ties", "exclude-short", "include-leaks", "exclude-flagged"]
    assert few == ["overall", *TOPICS, "house-tag", *selections]
    assert many == ["overall", *TOPICS, "de", "en", "house-tag", *selections]


def test_all_boards_of_a_run_are_of_one_moment(tagged: Contestants) -> None:
    fitted = boards_fit()

    assert set(fitted) == {
        Board(category, style)
        for category in ("overall", "coding", "house-tag", "exclude-ties", "exclude-short",
                         "include-leaks", "exclude-flagged")
        for style in (False, True)
    }  # fmt: skip
    assert {s.ledger_sequence for s in fitted.values()} == {ledger_head()["sequence"]}
    assert fitted[Board("coding")].filters == {"category": "coding", "style_control": False}
    assert fitted[Board("coding", True)].style_control is True


@pytest.mark.parametrize(
    ("category", "funnel"),
    [
        ("overall", {"raw": 28, "counted": 27, "leak": 1}),
        ("coding", {"raw": 14, "counted": 13, "leak": 1}),
        ("house-tag", {"raw": 14, "counted": 14}),
        ("exclude-short", {"raw": 14, "counted": 13, "leak": 1}),
        ("exclude-ties", {"raw": 28, "counted": 23, "leak": 1, "tie": 4}),
        ("include-leaks", {"raw": 28, "counted": 28}),
    ],
)
def test_the_funnel_of_a_category_is_its_own(
    tagged: Contestants, category: str, funnel: dict[str, int]
) -> None:
    entry(LedgerEntry.Kind.EXCLUSION, vote=1, reason="leak")

    fitted = boards_fit()[Board(category)].funnel

    assert {key: count for key, count in fitted.items() if count} == funnel


def test_only_boards_whose_votes_have_changed_are_made_anew(tagged: Contestants) -> None:
    first = boards_fit()
    cast_some(tagged, language="en", categories=("house-tag",))

    second = boards_fit()

    changed = {board.category for board in first if first[board] != second[board]}
    assert changed == {
        "overall", "house-tag", "exclude-ties", "exclude-short", "include-leaks", "exclude-flagged",
    }  # fmt: skip
    assert boards_fit() == second


def test_a_board_keeps_saying_why_when_its_votes_are_gone(contestants: Contestants) -> None:
    cast = vote(contestants["ada"], contestants["bea"], "a")
    annotate(cast, categories=("coding",))
    boards_fit()
    entry(LedgerEntry.Kind.WITHDRAWAL, vote=cast.ledger_entry_id)

    after = boards_fit()[Board("coding")]

    assert after.funnel["counted"] == 0
    assert not after.entries.exclude(rating=None).exists()


def test_style_has_effects_and_they_have_intervals(contestants: Contestants) -> None:
    for times, style in ((2, {"length": 3}), (2, {"length": 1}), (2, {"length": 5, "h2": 1})):
        for cast in cast_some(contestants, times=times, **style):
            if cast.ledger_entry_id % 2:
                TurnAnnotation.objects.filter(turn=cast.turn).update(
                    style={"a": {"length": 1}, "b": {"length": 4}}
                )

    controlled = boards_fit()[Board("overall", True)]

    assert [effect["name"] for effect in controlled.effects] == ["length", "headers"]
    assert controlled.parameters["features"] == ["length", "headers"]
    length = controlled.effects[0]
    assert length["lower"] < length["value"] < length["upper"]


def test_without_any_difference_in_style_nothing_is_adjusted(tagged: Contestants) -> None:
    boards_fit()
    RatedVote.objects.update(length=0, headers=0)
    cast_some(tagged, length=1)

    fitted = boards_fit()

    assert fitted[Board("overall", True)].effects == []
    plain, adjusted = (
        list(fitted[Board("overall", style)].entries.values_list("model", "rating"))
        for style in (False, True)
    )
    assert plain == adjusted


def test_few_voters_get_ratings_and_no_intervals(contestants: Contestants) -> None:
    voters = [Voter.objects.create() for _ in range(5)]
    ada, bea = contestants["ada"], contestants["bea"]
    for number in range(20):
        vote(ada, bea, "a" if number % 3 else "b", voter=voters[number % 5])

    snapshot = snapshot_fit()

    entries = list(snapshot.entries.exclude(rating=None))
    assert [entry.reason for entry in entries] == [TOO_FEW_VOTERS] * 2
    assert [entry.lower for entry in entries] == [None] * 2
    assert snapshot.covariance is None


def test_prompts_that_repeat_are_clusters_too(contestants: Contestants) -> None:
    cast_some(contestants, times=2)
    alone = snapshot_fit()
    vote(contestants["ada"], contestants["bea"], "a", prompt="Why?")
    vote(contestants["ada"], contestants["bea"], "b", prompt="Why?")

    repeated = snapshot_fit()

    assert alone.parameters["clusters"] == ["voter"]
    assert repeated.parameters["clusters"] == ["voter", "prompt"]


def test_the_share_of_excluded_votes_is_told_by_model(voted: Contestants) -> None:
    for _ in range(2):
        vote(voted["ada"], voted["dot"], "a", leak="I am Model ADA")
    vote(voted["dot"], voted["ada"], "a", leak="I am Model ADA")

    snapshot = snapshot_fit()

    excluded = dict(snapshot.entries.values_list("model__slug", "excluded"))
    assert excluded == {"ada": 3, "bea": 0, "cyd": 0, "dot": 3}


def test_the_share_left_out_is_told_by_reason_and_side_by_side_is_no_fault(
    voted: Contestants,
) -> None:
    ada, dot = voted["ada"], voted["dot"]
    vote(dot, ada, "a", leak="I am Model DOT")
    vote(dot, ada, "a", mode=Battle.Mode.SIDE_BY_SIDE)
    vote(dot, ada, "a")
    entry(LedgerEntry.Kind.EXCLUSION, vote=ledger_head()["sequence"], reason="too_fast")
    vote(dot, ada, "b")

    snapshot = snapshot_fit()

    rows = {row.model: row for row in leaderboard(snapshot=snapshot)}
    assert snapshot.entries.get(model=dot).exclusions == {"leak": 1, "named": 1, "too_fast": 1}
    assert rows["dot"].exclusions == {
        "leak": pytest.approx(1 / 3),
        "too_fast": pytest.approx(1 / 3),
    }
    assert rows["dot"].exclusion_rate == pytest.approx(2 / 3)
    assert rows["dot"].leak_rate == pytest.approx(1 / 3)
    assert (rows["bea"].exclusion_rate, rows["bea"].leak_rate) == (0, 0)


def test_votes_under_different_pacing_are_not_pooled_without_a_word(voted: Contestants) -> None:
    unpaced = snapshot_fit()
    for _ in range(2):
        cast = vote(voted["ada"], voted["bea"], "a", pacing="common/30")
    entry(LedgerEntry.Kind.EXCLUSION, vote=cast.ledger_entry_id, reason="outlier")
    vote(voted["ada"], voted["bea"], "a", pacing="common/60")
    annotate(Vote.objects.latest("ledger_entry"), categories=("coding",))

    fitted = boards_fit()

    pooled = "Answers were shown at different paces, and their votes are pooled here: "
    assert not any(pooled in note for note in unpaced.notes)
    assert f"{pooled}14 none, 1 common/30, 1 common/60." in fitted[OVERALL_BOARD].notes
    assert not any(pooled in note for note in fitted[Board("coding")].notes)


def test_a_large_arena_is_looked_at_quickly_between_full_fits(
    contestants: Contestants, monkeypatch: pytest.MonkeyPatch
) -> None:
    voters = [Voter.objects.create() for _ in range(12)]
    ada, bea = contestants["ada"], contestants["bea"]
    for number, voter in enumerate(voters):
        for _ in range(2):  # twice the same: worth about one
            vote(ada, bea, "a" if number % 3 else "b", voter=voter)
    monkeypatch.setattr(publication, "CLUSTERED_AT_ONCE", 10)
    full = snapshot_fit(quick=True)  # the first cannot know what clusters do
    vote(ada, bea, "b")

    quick = snapshot_fit(quick=True)
    again = snapshot_fit(quick=True)
    later = snapshot_fit()

    def width(snapshot: RatingSnapshot) -> float:
        found = snapshot.entries.get(model=ada)
        assert found.lower is not None
        assert found.upper is not None
        return found.upper - found.lower

    assert (
        full.parameters["interval"] == later.parameters["interval"] == "sandwich, votes clustered"
    )
    assert quick.parameters["variance_factor"] == full.parameters["variance_factor"] > 1.5
    assert quick.parameters["interval"].startswith("sandwich, widened")
    assert not [note for note in quick.notes if "independent" in note]
    assert width(quick) == pytest.approx(width(later), rel=0.1)
    of_quick, of_later = (covariance_unpack(s.covariance or b"")[1] for s in (quick, later))
    np.testing.assert_allclose(of_quick, of_later, rtol=0.2)
    assert again == quick
    assert later != quick
    assert snapshot_fit(quick=True) == later


def test_rows_that_are_not_those_of_the_cells_are_refused(voted: Contestants) -> None:
    snapshot_fit()
    RatedVote.objects.filter(sequence=1).update(outcome=3)
    vote(voted["ada"], voted["bea"], "a")

    with pytest.raises(FoldError, match="fit_ratings --rebuild"):
        snapshot_fit()


def test_a_rebuild_changes_no_number(tagged: Contestants) -> None:
    before = boards_fit()

    assert boards_fit(rebuild=True) == before


@pytest.mark.parametrize("choices", [["a"], ["tie"], ["both_bad"], ["a", "a"], ["tie", "tie"]])
def test_an_arena_of_few_votes_has_all_its_boards(
    contestants: Contestants, choices: list[str]
) -> None:
    for choice in choices:
        annotate(
            vote(contestants["ada"], contestants["bea"], choice),
            categories=("coding", "short"),
            length=4,
        )

    fitted = boards_fit()

    assert fitted[OVERALL_BOARD].funnel["counted"] == len(choices)
    assert Board("coding", True) in fitted
