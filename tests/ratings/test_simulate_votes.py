"""`manage.py simulate_votes` prints, writes a file, or fills an arena that the rules then judge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from arena import validity
from arena.ledger_verification import ledger_verify
from arena.models import Battle, Vote
from inference.models import LanguageModel
from ratings.program import main as rate
from ratings.selectors import leaderboard, snapshot_latest
from ratings.selectors.voters import behaviours
from ratings.simulation import rules
from ratings.simulation.kinds import attack_parsed
from ratings.simulation.signs import behavioural_signs
from ratings.simulation.votes import simulate
from ratings.simulation.worlds import World
from ratings.voter_signs import signs
from tests.ratings.arena_votes import vote

SMALL = ("--models=4", "--voters=20", "--votes=400")


def test_the_report_is_the_same_for_the_same_seed(capsys: pytest.CaptureFixture[str]) -> None:
    outputs = []
    for seed in (1, 1, 2):
        call_command("simulate_votes", *SMALL, "--attack=burst=0.1", f"--seed={seed}")
        outputs.append(capsys.readouterr().out)

    assert outputs[0] == outputs[1] != outputs[2]
    assert "model-3 (target)" in outputs[0]
    assert "all rules, flagged left out" in outputs[0]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_is_one_that_the_program_rates(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"votes.{ending}"

    call_command("simulate_votes", *SMALL, "--attack=lazy=0.2", f"--out={path}")

    assert capsys.readouterr().out == f"500 votes in {path}\n"
    assert rate([str(path), "--cluster", "judge"]) == 0
    assert "Bradley-Terry ratings of 4 models from 500 votes" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"is there already; name another file$"):
        call_command("simulate_votes", *SMALL, f"--out={path}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--attack=spies",), r"^no kind of voter 'spies': give one of lazy, .*duplicate-prompt$"),
        (("--models=1",), r"^models is 1: give at least 2$"),
        (("--models=0",), r"^models is 0: give at least 2$"),
        (("--tie-share=1.5",), r"^tie_share is 1.5: give a share from 0 to below 1$"),
        (("--out=votes.doc",), r"^votes.doc: name a file that ends in \.csv, \.jsonl, \.parquet$"),
        (("--seed=-1",), r"^seed is -1: give a whole number of at least 0$"),
    ],
)
def test_what_cannot_be_simulated_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("simulate_votes", *arguments)


def test_an_arena_is_filled_with_votes_that_are_in_its_ledger_and_rated(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command(
        "simulate_votes", "--models=3", "--voters=20", "--votes=90", "--spread=400", "--seed=3",
        "--arena",
    )  # fmt: skip

    assert Vote.objects.count() == 90
    assert "90 votes cast on 3 models, 90 of them count; " in capsys.readouterr().out
    assert set(Battle.objects.values_list("consent_version", "probability")) == {
        ("simulated", 1 / 3)
    }
    assert sum(1 for _ in ledger_verify()) == 90
    assert set(LanguageModel.objects.values_list("status", flat=True)) == {"paused"}
    call_command("fit_ratings")
    snapshot = snapshot_latest()
    assert snapshot
    names = [row.name for row in leaderboard(snapshot=snapshot)]
    assert names == [f"Simulated model-{number}" for number in (1, 2, 3)]


def test_the_rules_of_the_arena_are_those_of_the_simulator(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Lower limits, so that few votes come up against them; all votes here fall on one day.
    settings.ARENA_VOTES_PER_DAY = 12
    monkeypatch.setattr(rules, "VOTES_A_DAY", 12)
    for module in (rules, validity):
        monkeypatch.setattr(module, "PROMPT_VOTES", 8)
    attacks = ("burst=0.15", "duplicate-prompt=0.35", "lazy=0.1")
    size: dict[str, Any] = {"models": 4, "voters": 5, "votes": 64}
    votes = simulate(
        World(**size, gold_rate=0.1, days=1), [attack_parsed(attack) for attack in attacks], seed=7
    ).votes

    call_command(
        "simulate_votes", "--arena", "--gold-rate=0.1", "--seed=7", "--days=1",
        *(f"--{name}={value}" for name, value in size.items()),
        *(f"--attack={attack}" for attack in attacks),
    )  # fmt: skip

    cast = list(Vote.objects.order_by("ledger_entry").values_list("voter_id", "exclusion"))
    expected = rules.reasons_when_cast(votes, ("too_fast", "duplicate", "rate_cap"))
    assert [rules.REASONS[number] for number in expected] == [reason for _, reason in cast]
    assert {"gold", "too_fast", "duplicate", "rate_cap", ""} == {reason for _, reason in cast}
    seen, found = behaviours(), behavioural_signs(votes)
    for number, voter in {
        int(number): voter for number, (voter, _) in zip(votes.voter, cast, strict=True)
    }.items():
        told = signs(seen[voter], first_excess=float("nan"), first_p=float("nan"))
        assert bool(told) == found[number], number
    assert found.any()


def test_the_registrys_own_models_are_voted_on_where_none_are_asked_for(
    contestants: Mapping[str, LanguageModel],
) -> None:
    call_command("simulate_votes", "--voters=5", "--votes=30", "--arena")

    assert LanguageModel.objects.count() == len(contestants)
    voted = set(Battle.objects.values_list("model_a__slug", flat=True))
    assert voted <= set(contestants)
    assert len(voted) > 2


def test_simulated_votes_are_never_put_beside_those_of_people(
    contestants: Mapping[str, LanguageModel],
) -> None:
    vote(contestants["ada"], contestants["bea"], "a")

    with pytest.raises(CommandError, match=r"^this arena holds votes that are not simulated: "):
        call_command("simulate_votes", *SMALL, "--arena")

    assert Vote.objects.count() == 1
    assert LanguageModel.objects.count() == len(contestants)


def test_more_simulated_votes_may_follow(db: None) -> None:
    for seed in (1, 2):
        call_command("simulate_votes", "--models=3", "--votes=20", f"--seed={seed}", "--arena")

    assert Vote.objects.count() == 40
    assert LanguageModel.objects.count() == 3
