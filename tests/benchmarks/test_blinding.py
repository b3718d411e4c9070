"""The attack finds what is there to find, and nothing where nothing is; it sees what voters see."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from arena.pacing import Pacing
from benchmarks import blinding, results
from benchmarks.blinding import FEATURES, attack
from benchmarks.onlooker import SeenBattle, SeenSide, battles_see
from benchmarks.sightings import sightings
from benchmarks.voiced_endpoint import MODELS, answer, application
from inference.models import Endpoint, LanguageModel, Organization
from tests.scripted_endpoint import served


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    monkeypatch.setattr(blinding, "TREES", 30)


def seen_side(text: str, *, speed: float, first: float, dice: random.Random) -> SeenSide:
    side = SeenSide()
    at = first * dice.uniform(0.9, 1.1)
    for begin in range(0, len(text), 6):
        side.add(text[begin : begin + 6], at=at, frame_bytes=120)
        at += 6 / speed * dice.uniform(0.9, 1.1)
    side.ended = at
    return side


def seen_battles(
    count: int, *, speeds: dict[str, float], styles: dict[str, str]
) -> list[SeenBattle]:
    dice = random.Random(5)
    battles = []
    for number in range(count):
        models = dict(zip("ab", dice.sample(["one", "two"], 2), strict=True))
        sides = {
            side: seen_side(
                answer(MODELS[styles[model]], dice), speed=speeds[model], first=0.3, dice=dice
            )
            for side, model in models.items()
        }
        battles.append(SeenBattle(f"prompt {number % 5}", "none", sides, (), models))
    return battles


SAME_STYLE = {"one": "plain-quick", "two": "plain-quick"}
SAME_SPEED = {"one": 100.0, "two": 100.0}


def test_a_model_that_comes_faster_is_named_from_timing_and_not_from_style():
    seen = sightings(seen_battles(50, speeds={"one": 100.0, "two": 140.0}, styles=SAME_STYLE))

    assert attack(seen, features="timing").accuracy > 0.95
    assert attack(seen, features="all").accuracy > 0.9
    assert attack(seen, features="formatting").accuracy < 0.7


def test_a_model_that_writes_lists_is_named_from_formatting_and_text_and_not_from_timing():
    styles = {"one": "plain-quick", "two": "listing-quick"}
    seen = sightings(seen_battles(50, speeds=SAME_SPEED, styles=styles))

    assert attack(seen, features="formatting").accuracy > 0.95
    assert attack(seen, features="text").accuracy > 0.95
    assert attack(seen, features="timing").accuracy < 0.7


@pytest.mark.parametrize("features", FEATURES)
def test_models_that_do_not_differ_are_not_told_apart(features):
    seen = sightings(seen_battles(50, speeds=SAME_SPEED, styles=SAME_STYLE))

    found = attack(seen, features=features)

    assert found.lower < found.chance == 0.5
    assert found.lower <= found.accuracy <= found.upper


def live_models(url: str, *slugs: str) -> None:
    organization = Organization.objects.create(slug="voices", name="Voices")
    for slug in slugs:
        model = LanguageModel.objects.create(slug=slug, name=slug, organization=organization)
        Endpoint.objects.create(language_model=model, base_url=f"{url}/v1", name=slug, is_up=True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pacing", [None, Pacing(300)], ids=str)
def test_an_onlooker_sees_what_a_voter_sees(live_server_url, settings, pacing):
    settings.ARENA_PACING = pacing
    with served(application) as url:
        live_models(url, "plain-quick", "listing-steady")
        battles, failed = asyncio.run(battles_see(live_server_url, blinding.prompts(4), at_once=4))

    assert (len(battles), failed) == (4, 0)
    assert len({battle.headers for battle in battles}) == 1
    for battle in battles:
        assert battle.pacing == str(pacing or "none")
        assert sorted(battle.models.values()) == ["listing-steady", "plain-quick"]
        for side in battle.sides.values():
            assert "".join(side.text.split()) != ""
            assert sum(size for _, size in side.pieces) == len(side.text)
            assert side.ended >= side.pieces[-1][0]
        if pacing:
            together = min(len(side.pieces) for side in battle.sides.values()) - 1
            first, second = (side.pieces[:together] for side in battle.sides.values())
            assert first == second, "frames tell the sides apart"
        else:
            assert steps(battle, "plain-quick") > 2 * steps(battle, "listing-steady")


def steps(battle: SeenBattle, slug: str) -> float:
    """Characters a frame, on average."""
    side = next(battle.sides[side] for side, model in battle.models.items() if model == slug)
    return len(side.text) / len(side.pieces)


def test_the_report_has_a_row_for_each_attacker_and_a_column_for_each_pacing(
    monkeypatch, tmp_path, capsys
):
    battles = seen_battles(10, speeds=SAME_SPEED, styles=SAME_STYLE)
    monkeypatch.setattr(blinding, "PACINGS", ("none", "common/80"))
    monkeypatch.setattr(blinding, "_scripted", lambda pacing, _: (paced(battles, pacing), 1))
    monkeypatch.setattr(results, "KEPT", tmp_path)

    blinding.main(["--quick"])

    printed = capsys.readouterr().out
    kept: dict[str, list[Any]] = json.loads((tmp_path / "blinding-quick.json").read_text())
    assert list(kept) == list(blinding.PACINGS)
    assert all(
        [found["features"] for found in column] == list(FEATURES) for column in kept.values()
    )
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in lines[2:]] == [*FEATURES, "chance"]
    assert "10 battles (1 more with a failed answer); 1 kind of headers" in printed


def paced(battles: list[SeenBattle], pacing: str) -> list[SeenBattle]:
    return [SeenBattle(one.prompt, pacing, one.sides, one.headers, one.models) for one in battles]
