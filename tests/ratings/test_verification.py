"""A snapshot follows from the ledger it names, and what does not is found and named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from arena.models import LedgerEntry, TurnAnnotation, Vote, VoteSecret
from inference.models import LanguageModel
from ratings.boards import Board
from ratings.models import OutcomeCube, RatedVote, RatingSnapshot
from ratings.services import boards_fit, publication, snapshot_fit
from ratings.verification import Verification, snapshot_verify
from tests.ratings.arena_votes import annotate, entry, vote

Contestants = Mapping[str, LanguageModel]


def verified(snapshot: RatingSnapshot) -> Verification:
    return snapshot_verify(
        snapshot=RatingSnapshot.objects.get(pk=snapshot.pk), progress=lambda _: None
    )


@pytest.fixture
def busy(voted: Contestants) -> Contestants:
    """Votes with tags, style, exclusions and a leak."""
    for number, cast in enumerate(Vote.objects.all()):
        annotate(
            cast,
            language=("de", "en")[number % 2],
            categories=("coding",) if number % 4 else ("short",),
            length=number % 5,
            h1=number % 3,
        )
    entry(LedgerEntry.Kind.EXCLUSION, vote=2, reason="outlier")
    entry(LedgerEntry.Kind.EXCLUSION, vote=3, reason="outlier")
    entry(LedgerEntry.Kind.REINSTATEMENT, vote=3)
    vote(voted["ada"], voted["cyd"], "b", leak="I am Model ADA")
    return voted


def test_every_board_is_made_again_from_the_ledger(busy: Contestants) -> None:
    fitted = boards_fit()

    found = {board: verified(snapshot) for board, snapshot in fitted.items()}

    assert len(found) == 12
    assert set(found.values()) == {Verification("", 0, ())}


def test_what_came_after_a_snapshot_does_not_matter(busy: Contestants) -> None:
    snapshot = snapshot_fit()

    vote(busy["bea"], busy["ada"], "a")
    entry(LedgerEntry.Kind.EXCLUSION, vote=1, reason="outlier")
    snapshot_fit()

    assert verified(snapshot).difference == ""


def test_a_quick_look_is_made_again_too(
    voted: Contestants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "CLUSTERED_AT_ONCE", 10)
    snapshot_fit()
    vote(voted["ada"], voted["bea"], "a")
    quick = snapshot_fit(quick=True)

    assert quick.parameters["interval"].startswith("sandwich, widened")
    assert verified(quick).difference == ""


def test_a_snapshot_from_before_there_were_clusters_is_made_again(voted: Contestants) -> None:
    snapshot = snapshot_fit()
    old: dict[str, Any] = {
        **snapshot.parameters, "interval": "sandwich, votes independent"
    }  # fmt: skip
    RatingSnapshot.objects.update(parameters=old)

    difference = verified(snapshot).difference

    assert "lower is" in difference  # ratings agree; these intervals were of clusters


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        ({"ledger_hash": "f" * 64}, "ledger entry"),
        ({"funnel": {"raw": 99, "counted": 99}}, "the funnel's counted is 99 in the snapshot, 13"),
        ({"seed": 1}, ""),
    ],
)
def test_what_a_snapshot_says_of_itself_is_compared(
    busy: Contestants, tamper: dict[str, Any], says: str
) -> None:
    snapshot = snapshot_fit()
    RatingSnapshot.objects.filter(pk=snapshot.pk).update(**tamper)

    difference = verified(snapshot).difference

    assert difference.startswith(says)
    assert bool(difference) == bool(says)


def test_cells_of_a_model_that_never_was_are_a_difference(busy: Contestants) -> None:
    snapshot = snapshot_fit()
    cells = snapshot.cells
    cells[0][0] = 10**9
    RatingSnapshot.objects.filter(pk=snapshot.pk).update(cells=cells)

    assert "cannot be" in verified(snapshot).difference


def test_a_single_cell_that_differs_is_named(busy: Contestants) -> None:
    snapshot = snapshot_fit()
    cells = snapshot.cells
    cells[0][2] += 1
    RatingSnapshot.objects.filter(pk=snapshot.pk).update(cells=cells)

    difference = verified(snapshot).difference

    assert difference.startswith("cyd shown before ada: the snapshot counts [")


@pytest.mark.parametrize("name", ["rating", "lower", "rank_high"])
def test_a_number_that_differs_is_named(busy: Contestants, name: str) -> None:
    snapshot = snapshot_fit()
    stored = snapshot.entries.get(model=busy["bea"])
    moved = 2e-6 if name == "rating" else 1
    snapshot.entries.filter(pk=stored.pk).update(**{name: getattr(stored, name) + moved})

    assert verified(snapshot).difference.startswith(f"bea: {name} is ")


def test_cubes_and_rows_are_no_witnesses(busy: Contestants) -> None:
    snapshot = snapshot_fit()
    OutcomeCube.objects.all().delete()
    RatedVote.objects.all().delete()

    assert verified(snapshot).difference == ""


def test_a_changed_ledger_is_found(busy: Contestants) -> None:
    from django.db import connection

    snapshot = snapshot_fit()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE arena_ledgerentry SET payload = payload || ' ' WHERE sequence = 3")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")

    assert verified(snapshot).difference.startswith("ledger entry 3: ")


@pytest.mark.parametrize("keep_annotation", [True, False])
@pytest.mark.parametrize(
    "board",
    [Board(category, style) for category in ("overall", "coding") for style in (False, True)],
)
def test_after_an_erasure_everything_else_is_verified(
    busy: Contestants, board: Board, keep_annotation: bool
) -> None:
    snapshot = boards_fit()[board]
    erased = Vote.objects.get(ledger_entry=4)
    VoteSecret.objects.filter(vote=erased).delete()
    entry(LedgerEntry.Kind.WITHDRAWAL, vote=4)
    if not keep_annotation:
        TurnAnnotation.objects.filter(turn=erased.turn).delete()

    assert verified(snapshot) == Verification("", 1, ())


def test_an_erasure_excuses_no_other_difference(busy: Contestants) -> None:
    snapshot = boards_fit()[Board("coding")]
    VoteSecret.objects.filter(vote__ledger_entry=4).delete()
    TurnAnnotation.objects.filter(turn__vote__ledger_entry=6).delete()

    difference = verified(snapshot).difference

    assert difference.startswith("cyd shown before ada: the snapshot counts [0, 0, 0, 1]")
    assert difference.endswith("tagged anew since")


def test_the_command_says_verified_or_the_first_difference(
    busy: Contestants, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = snapshot_fit()

    call_command("fit_ratings", verify="latest")
    call_command("fit_ratings", verify=str(snapshot.pk))
    VoteSecret.objects.filter(vote__ledger_entry=4).delete()
    call_command("fit_ratings", verify="latest")
    first = snapshot.entries.get(model=busy["ada"])
    snapshot.entries.filter(pk=first.pk).update(rating=(first.rating or 0) + 1)
    with pytest.raises(CommandError, match=r"^snapshot [-0-9a-f]{36}: ada: rating is [\d.]+ in"):
        call_command("fit_ratings", verify="latest")

    lines = capsys.readouterr().out.splitlines()
    name = f"snapshot {snapshot.pk}"
    assert lines == [f"{name}: verified"] * 2 + [f"{name}: verified except 1 erased votes"]


def test_other_versions_are_named_and_compared_all_the_same(
    busy: Contestants, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = snapshot_fit()
    RatingSnapshot.objects.update(versions={**snapshot.versions, "numpy": "1.0"})

    call_command("fit_ratings", verify="latest")

    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("fitted with other versions: numpy 1.0, now ")
    assert last.endswith(": verified")


@pytest.mark.parametrize("name", ["latest", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_snapshot_is_one_line_of_error(db: None, name: str) -> None:
    with pytest.raises(CommandError, match=r"^there is no snapshot [^\n]*$"):
        call_command("fit_ratings", verify=name)
