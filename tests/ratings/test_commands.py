"""`manage.py fit_ratings` fits now and prints what came out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.core.management import CommandError, call_command

from inference.models import LanguageModel
from ratings.core import outcomes
from ratings.models import RatingSnapshot


def test_the_table_shows_every_model_and_the_funnel(
    voted: Mapping[str, LanguageModel], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("fit_ratings")

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["1", "2", "3", "-"]
    assert "Model ADA" in lines[0]
    assert lines[3].endswith("no votes yet")
    assert lines[4].startswith(f"snapshot {RatingSnapshot.objects.get().pk}: 7 votes (7 counted)")


def test_too_many_models_are_one_line_of_error(
    voted: Mapping[str, LanguageModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "MAX_MODELS", 3)

    with pytest.raises(CommandError, match=r"^4 models: at most 3 can be rated at once$"):
        call_command("fit_ratings")

    assert not RatingSnapshot.objects.exists()
