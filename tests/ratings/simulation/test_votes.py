"""Each kind of voter does what it is named for, and one seed makes one arena."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from ratings.core.outcomes import Outcome
from ratings.simulation.choices import rivalry_of
from ratings.simulation.kinds import CONDUCT, Attack, Kind, attack_parsed
from ratings.simulation.rules import too_fast
from ratings.simulation.votes import SimulatedVotes, simulate
from ratings.simulation.worlds import SimulationError, World

WORLD = World(models=10, voters=100, votes=9_000, gold_rate=0.05)


def of_kind(kind: Kind, share: float = 0.5, world: World = WORLD) -> SimulatedVotes:
    votes = simulate(world, [Attack(kind, share)], seed=5).votes
    return votes.selected(votes.kind == kind)


def wins(votes: SimulatedVotes, model: int) -> tuple[int, int]:
    """Decided votes of anonymous battles that a model won, and those it was in."""
    votes = votes.selected((votes.gold_side < 0) & (votes.outcome < Outcome.TIE))
    winner = np.where(votes.outcome == Outcome.A_WINS, votes.model_a, votes.model_b)
    present = (votes.model_a == model) | (votes.model_b == model)
    return int((winner == model).sum()), int(present.sum())


def test_the_same_seed_makes_the_same_votes_and_another_one_others() -> None:
    one, same, other = (
        simulate(WORLD, [Attack(Kind.SYBIL, 0.1)], seed=seed).votes for seed in (1, 1, 2)
    )

    for field in fields(SimulatedVotes):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(same, field.name))
    assert not np.array_equal(one.outcome, other.outcome)


def test_honest_votes_are_the_same_whatever_attacks_are_added() -> None:
    alone = simulate(WORLD, seed=4).votes
    attacked = simulate(WORLD, [Attack(kind, 0.05) for kind in CONDUCT], seed=4).votes
    honest = attacked.selected(attacked.kind == Kind.HONEST)

    for field in fields(SimulatedVotes):
        np.testing.assert_array_equal(getattr(alone, field.name), getattr(honest, field.name))


def test_attackers_cast_their_share_of_all_votes() -> None:
    votes = simulate(WORLD, [Attack(Kind.BURST, 0.1), Attack(Kind.LAZY, 0.3)], seed=1).votes

    shares = np.bincount(votes.kind) / len(votes)
    assert shares[Kind.HONEST] == pytest.approx(0.6, abs=1e-3)
    assert shares[Kind.BURST] == pytest.approx(0.1, abs=1e-3)
    assert shares[Kind.LAZY] == pytest.approx(0.3, abs=1e-3)
    assert (np.diff(votes.day) >= 0).all()


def test_nobody_is_two_kinds_and_no_model_meets_itself() -> None:
    votes = simulate(WORLD, [Attack(kind, 0.05) for kind in CONDUCT], seed=1).votes

    assert len(np.unique(votes.voter * 100 + votes.kind)) == len(np.unique(votes.voter))
    assert (votes.model_a != votes.model_b).all()
    assert set(np.unique(np.append(votes.model_a, votes.model_b))) == set(range(10))


def test_target_only_riggers_vote_for_the_target_and_else_as_others_do() -> None:
    world = World(models=10, voters=100, votes=9_000, target=9)
    rigged, honest = of_kind(Kind.TARGET_ONLY, world=world), simulate(world, seed=5).votes

    won, met = wins(rigged, 9)
    assert won / met > 0.9
    rates = []
    for votes in (rigged, honest):
        elsewhere = votes.selected((votes.model_a != 9) & (votes.model_b != 9))
        rates.append(np.divide(*wins(elsewhere, 0)))
    assert rates[0] == pytest.approx(rates[1], abs=0.05)


def test_abstaining_riggers_leave_most_battles_without_a_vote() -> None:
    simulation = simulate(WORLD, [Attack(Kind.TARGET_ONLY_ABSTAINING, 0.1)], seed=5)
    votes = simulation.votes.selected(simulation.votes.kind == Kind.TARGET_ONLY_ABSTAINING)

    battles = simulation.battles[Kind.TARGET_ONLY_ABSTAINING]
    # They recognise the target in 95 % of the fifth of the battles that it is in.
    assert len(votes) / battles == pytest.approx(0.95 / 5, abs=0.03)
    assert wins(votes, WORLD.pushed)[0] / len(votes) > 0.85
    assert WORLD.votes / simulation.battles[Kind.HONEST] == pytest.approx(0.5, abs=0.03)


def test_battles_that_were_left_are_kept_in_order_with_those_voted_on() -> None:
    simulation = simulate(WORLD, [Attack(Kind.TARGET_ONLY_ABSTAINING, 0.1)], seed=5)
    votes, begun = simulation.votes, simulation.begun

    # Gold battles apart, the voted ones are the votes.
    counted = votes.selected(votes.gold_side < 0)
    for name in ("voter", "model_a", "model_b"):
        column = getattr(begun, name)
        np.testing.assert_array_equal(column[begun.is_voted], getattr(counted, name))
    battles = sum(simulation.battles.values())
    assert len(begun.voter) / battles == pytest.approx(1 - WORLD.gold_rate, abs=0.01)
    kind = votes.kind_of_voter()[begun.voter]
    met = (begun.model_a == WORLD.pushed) | (begun.model_b == WORLD.pushed)
    rigs = kind == Kind.TARGET_ONLY_ABSTAINING
    assert begun.is_voted[rigs & met].mean() > 0.9
    assert begun.is_voted[rigs & ~met].mean() < 0.05
    assert begun.is_voted[~rigs].mean() == pytest.approx(0.5, abs=0.03)


def test_where_everybody_votes_no_honest_battle_is_left() -> None:
    simulation = simulate(replace(WORLD, vote_share=1), seed=5)

    assert simulation.begun.is_voted.all()
    assert simulation.battles == {Kind.HONEST: WORLD.votes}


def test_readiness_to_vote_differs_by_voter_and_model() -> None:
    shares = {}
    for readiness in (0.0, 2.0):
        world = World(models=4, voters=20, votes=8_000, readiness_sd=readiness, activity_sd=0)
        begun = simulate(world, seed=1).begun
        cell = begun.voter * 4 + begun.model_a
        shares[readiness] = np.bincount(cell, begun.is_voted) / np.bincount(cell)

    assert shares[0.0].std() < 0.08
    assert shares[2.0].std() > 0.15


def test_omnipresent_riggers_vote_against_the_nearest_rivals_of_the_target() -> None:
    world = World(models=6, voters=100, votes=9_000, target=3)
    votes = of_kind(Kind.OMNIPRESENT, world=world)

    assert rivalry_of(world).tolist() == [3, 4, 5, 0, 2, 1]
    won, met = zip(*(wins(votes, model) for model in range(6)), strict=True)
    rates = np.array(won) / np.array(met)
    assert rates.argmax() == 3
    assert rates.argmin() == 2
    assert (votes.outcome >= Outcome.TIE).mean() < 0.02


def test_mirrored_bots_say_the_opposite() -> None:
    votes = of_kind(Kind.MIRRORED)

    assert np.divide(*wins(votes, 0)) < 0.3
    assert np.divide(*wins(votes, 9)) > 0.7
    gold = votes.gold_side >= 0
    assert (votes.outcome == votes.gold_side)[gold].mean() > 0.85


def test_honest_voters_see_which_answer_was_spoilt() -> None:
    votes = simulate(WORLD, seed=5).votes
    gold = votes.gold_side >= 0

    assert gold.mean() == pytest.approx(0.05, abs=0.01)
    assert (votes.outcome == votes.gold_side)[gold].mean() < 0.08


def test_lazy_voters_press_any_button_or_always_the_tie() -> None:
    votes = of_kind(Kind.LAZY)
    ties = votes.outcome >= Outcome.TIE

    share = np.bincount(votes.voter, ties) / np.maximum(np.bincount(votes.voter), 1)
    always = share[np.unique(votes.voter)] == 1
    assert always.mean() == pytest.approx(0.5, abs=0.02)
    assert too_fast(votes).mean() > 0.1


def test_position_biased_voters_prefer_the_first_answer() -> None:
    votes = of_kind(Kind.POSITION_BIASED)
    decided = votes.outcome < Outcome.TIE

    assert (votes.outcome == Outcome.A_WINS)[decided].mean() > 0.75


def test_sybils_are_many_with_few_votes_each() -> None:
    votes = of_kind(Kind.SYBIL)

    assert len(votes) / len(np.unique(votes.voter)) < 4


def test_bots_are_faster_than_anybody_reads_and_honest_voters_are_not() -> None:
    assert too_fast(of_kind(Kind.BURST)).mean() > 0.95
    assert too_fast(simulate(WORLD, seed=5).votes).mean() < 0.002


def test_a_bot_casts_all_its_votes_on_one_day() -> None:
    votes = of_kind(Kind.BURST)

    for voter in np.unique(votes.voter):
        assert len(np.unique(votes.day[votes.voter == voter])) == 1


def test_spammers_send_the_same_prompt_always() -> None:
    votes = of_kind(Kind.DUPLICATE_PROMPT)

    assert len(np.unique(votes.prompt)) == len(np.unique(votes.voter)) == 45


def test_an_attack_is_named_with_or_without_its_share() -> None:
    assert attack_parsed("sybil") == Attack(Kind.SYBIL, 0.05)
    assert attack_parsed("target-only=0.2") == Attack(Kind.TARGET_ONLY, 0.2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spy", "no kind of voter 'spy': give one of lazy, position-biased, "),
        ("honest=0.1", "no kind of voter 'honest'"),
        ("lazy=much", "share of lazy is 'much': give a number, as 0.05"),
        ("lazy=1", "share of lazy is 1.0: give a number between 0 and 1"),
        ("lazy=nan", "share of lazy is nan: give a number between 0 and 1"),
    ],
)
def test_an_attack_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(SimulationError) as refused:
        attack_parsed(text)

    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("attacks", "seed", "message"),
    [
        ([Attack(Kind.LAZY, 0.6), Attack(Kind.BURST, 0.4)], 0, "the shares add up to 1"),
        ([Attack(Kind.LAZY, 0.1)] * 2, 0, "a kind of voter is named twice"),
        ([], -1, "seed is -1"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    attacks: list[Attack], seed: int, message: str
) -> None:
    with pytest.raises(SimulationError, match=message):
        simulate(WORLD, attacks, seed=seed)
