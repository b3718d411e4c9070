"""Battles that could have been voted on are counted for each voter and model, voted on or left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from arena.models import Answer, Battle, Turn, Voter
from arena.services.exclusions import vote_withdraw
from inference.models import LanguageModel
from ratings.core.voter_selection import FEWEST_BATTLES, Meetings, meetings_of
from ratings.selectors.meetings import met_models
from tests.ratings.arena_votes import votes_by

Contestants = Mapping[str, LanguageModel]
COLUMNS = ("model", "battles", "met", "voted", "voted_met")


def begun(
    contestants: Contestants, voter: Voter, number: int, first: str, second: str, *, voted: bool
) -> Turn:
    """The voter's battle of that number: a day ago, and that many minutes."""
    if voted:
        turn = votes_by(voter, [(contestants[first], contestants[second], "a")])[0].turn
    else:
        battle = Battle.objects.create(
            voter=voter, model_a=contestants[first], model_b=contestants[second],
            sampler="uniform/1", probability=0.5, consent_version="test",
        )  # fmt: skip
        turn = Turn.objects.create(battle=battle, index=0, prompt="Well?")
    for side in "ab":
        Answer.objects.create(turn=turn, side=side, state=Answer.State.COMPLETE, text="Certainly.")
    moment = timezone.now() - timedelta(days=1) + timedelta(minutes=number)
    Battle.objects.filter(pk=turn.battle_id).update(created_at=moment)
    return turn


@pytest.fixture
def turns(contestants: Contestants) -> list[Turn]:
    """Of one voter, each second of twelve battles on ada and bea was voted on."""
    voter = Voter.objects.create()
    return [
        begun(contestants, voter, number, "ada", "bea", voted=number % 2 == 0)
        for number in range(12)
    ]


def counted(contestants: Contestants) -> dict[str, tuple[int, ...]]:
    """Battles, met, voted, and voted with it, by the model's slug."""
    found = met_models().meetings
    slugs = {model.pk: slug for slug, model in contestants.items()}
    rows = zip(*(getattr(found, name).tolist() for name in COLUMNS), strict=True)
    return {slugs[model]: tuple(counts) for model, *counts in rows}


def test_the_database_counts_as_the_core_does(contestants: Contestants) -> None:
    random = np.random.default_rng(1)
    names = sorted(contestants)[:4]
    voters = [Voter.objects.create() for _ in range(2)]
    battles = []
    for number in range(40):
        a, b = random.choice(4, 2, replace=False).tolist()
        battles.append((number % 2, a, b, bool(random.random() < 0.5)))
    # Made in another order than they came in.
    for number in random.permutation(40).tolist():
        of, a, b, voted = battles[number]
        begun(contestants, voters[of], number, names[a], names[b], voted=voted)

    found = met_models()

    voter, a, b, voted = (np.array(column) for column in zip(*battles, strict=True))
    expected = meetings_of(voter, a, b, voted)
    place = {contestants[name].pk: number for number, name in enumerate(names)}
    assert rows_of(found.meetings, [voters.index(Voter(pk=pk)) for pk in found.voters], place) == (
        rows_of(expected, [0, 1], {number: number for number in range(4)})
    )


def rows_of(meetings: Meetings, voters: list[int], models: dict[int, int]) -> set[tuple[int, ...]]:
    columns = [getattr(meetings, name).tolist() for name in ("voter", *COLUMNS)]
    return {
        (voters[voter], models[model], *counts)
        for voter, model, *counts in zip(*columns, strict=True)
    }


def test_a_battle_that_was_left_is_met_and_not_voted(
    turns: list[Turn], contestants: Contestants
) -> None:
    assert counted(contestants) == {"ada": (12, 12, 6, 6), "bea": (12, 12, 6, 6)}


@pytest.mark.parametrize(
    ("battle", "answer"),
    [
        ({"gold_side": "a"}, {}),
        ({"mode": "side_by_side"}, {}),
        ({"created_at": timezone.now}, {}),
        ({}, {"state": "failed", "error": "timeout"}),
        ({}, {"state": "streaming"}),
        ({}, {"leak": "I am Ada"}),
    ],
)
def test_what_could_not_be_voted_on_blindly_is_not_counted(
    battle: dict[str, object], answer: dict[str, str],
    turns: list[Turn], contestants: Contestants,
) -> None:  # fmt: skip
    values = {name: value() if callable(value) else value for name, value in battle.items()}
    if values:
        Battle.objects.filter(pk=turns[1].battle_id).update(**values)
    if answer:
        Answer.objects.filter(turn=turns[1], side="b").update(**answer)

    assert counted(contestants)["ada"] == (11, 11, 6, 6)


def test_a_failed_answer_that_was_tried_again_is_counted_by_the_last_attempt(
    turns: list[Turn], contestants: Contestants
) -> None:
    Answer.objects.filter(turn=turns[1], side="b").update(state="failed", error="timeout")
    Answer.objects.create(turn=turns[1], side="b", attempt=1, state="stopped", text="Cert")
    Answer.objects.create(turn=turns[3], side="a", attempt=1, state="failed", error="timeout")

    assert counted(contestants)["bea"] == (11, 11, 6, 6)


def test_a_vote_taken_back_after_the_reveal_is_none(
    turns: list[Turn], contestants: Contestants
) -> None:
    battle = turns[0].battle
    vote_withdraw(voter_id=battle.voter_id, battle_id=battle.pk, turn_index=0)

    assert counted(contestants)["ada"] == (12, 12, 5, 5)


def test_who_began_few_battles_or_voted_on_all_is_not_read(contestants: Contestants) -> None:
    few, always = Voter.objects.create(), Voter.objects.create()
    for number in range(FEWEST_BATTLES):
        if number:
            begun(contestants, few, number, "ada", "bea", voted=False)
        begun(contestants, always, number, "ada", "bea", voted=True)

    found = met_models()

    assert found.voters == []
    assert found.meetings.voter.shape == (0,)
