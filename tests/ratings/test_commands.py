"""`manage.py fit_ratings` fits now and prints what came out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.core.management import CommandError, call_command

from inference.models import LanguageModel
from ratings.core import outcomes
from ratings.models import FoldCursor, RatingSnapshot
from tests.ratings.arena_votes import annotate, vote


def test_the_table_shows_every_model_and_the_funnel(
    voted: Mapping[str, LanguageModel], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("fit_ratings")

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["1", "2", "3", "-"]
    assert "Model ADA" in lines[0]
    assert lines[3].endswith("no votes yet")
    snapshot = RatingSnapshot.objects.get(category="overall", style_control=False)
    assert lines[4].startswith(f"snapshot {snapshot.pk}: 14 votes (14 counted)")


def test_too_many_models_are_one_line_of_error(
    voted: Mapping[str, LanguageModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "MAX_MODELS", 3)

    with pytest.raises(CommandError, match=r"^4 models: at most 3 can be rated at once$"):
        call_command("fit_ratings")

    assert not RatingSnapshot.objects.exists()


def test_one_category_can_be_fitted_alone(
    voted: Mapping[str, LanguageModel], capsys: pytest.CaptureFixture[str]
) -> None:
    annotate(vote(voted["ada"], voted["bea"], "a"), categories=("coding",))

    call_command("fit_ratings", category=["coding"])

    lines = capsys.readouterr().out.splitlines()
    assert "1 votes (1 counted)" in "".join(lines)
    assert lines[-1] == "also: coding, style controlled"
    assert set(RatingSnapshot.objects.values_list("category", flat=True)) == {"coding"}


def test_a_category_without_votes_says_so(
    voted: Mapping[str, LanguageModel], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("fit_ratings", category=["mathematics"])

    assert capsys.readouterr().out == "no votes of mathematics yet\n"


def test_an_unknown_category_is_one_line_of_error(db: None) -> None:
    with pytest.raises(CommandError, match=r"^there is no category poetry; there is: overall, "):
        call_command("fit_ratings", category=["poetry"])


def test_a_ledger_that_was_exchanged_is_one_line_that_says_what_to_do(
    voted: Mapping[str, LanguageModel], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("fit_ratings")
    FoldCursor.objects.update(hash="f" * 64)

    with pytest.raises(CommandError, match=r"^ledger entry 14 is not the one .* --rebuild$"):
        call_command("fit_ratings")
    call_command("fit_ratings", rebuild=True)

    assert FoldCursor.objects.get().hash != "f" * 64
