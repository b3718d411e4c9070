"""Each rule excludes what it is for, and honest voters lose nearly nothing by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ratings.core.voter_tests import VoterVotes
from ratings.simulation.defences import ALL, DEFENCES, FLAGGED_OUT, NONE, Ruling, rulings
from ratings.simulation.effects import Effect, effects_of, found_by_kind, ranks_of
from ratings.simulation.kinds import Attack, Kind
from ratings.simulation.report import report
from ratings.simulation.rules import (
    DUPLICATE,
    GOLD,
    RATE_CAP,
    REASONS,
    TOO_FAST,
    reasons_when_cast,
)
from ratings.simulation.signs import behavioural_signs, gold_failures, one_sided, retests
from ratings.simulation.variants import selection
from ratings.simulation.votes import SimulatedVotes, simulate
from ratings.simulation.worlds import World

WORLD = World(models=6, voters=60, votes=3_000, gold_rate=0.1)
BY_NAME = {defence.name: defence for defence in DEFENCES}


def votes_of(count: int, **columns: Any) -> SimulatedVotes:
    """Unhurried votes of one voter on two models, each on a prompt of its own."""
    given: dict[str, Any] = {
        "voter": 0, "model_a": 0, "model_b": 1, "outcome": 0, "prompt": np.arange(count),
        "words": 100, "seconds": 60.0, "day": 0, "gold_side": -1, "kind": 0,
    } | columns  # fmt: skip
    return SimulatedVotes(
        **{name: np.broadcast_to(column, count).copy() for name, column in given.items()}
    )


def reasons(votes: SimulatedVotes, *rules: str) -> list[str]:
    return [REASONS[number] for number in reasons_when_cast(votes, rules)]


def test_a_vote_faster_than_fifty_words_a_second_was_not_read() -> None:
    votes = votes_of(4, words=[100, 100, 29, 30], seconds=[1.99, 2.0, 0.1, 0.1])

    assert reasons(votes, "too_fast") == ["too_fast", "", "", "too_fast"]
    assert reasons(votes) == [""] * 4


def test_the_same_voter_pair_and_prompt_count_once_on_either_side() -> None:
    votes = votes_of(
        5, prompt=7, model_a=[0, 1, 0, 0, 0], model_b=[1, 0, 2, 1, 1], voter=[0, 0, 0, 1, 0]
    )

    assert reasons(votes, "duplicate") == ["", "duplicate", "", "", "duplicate"]


def test_a_prompt_that_everybody_votes_on_counts_a_hundred_times() -> None:
    votes = votes_of(120, prompt=7, voter=np.arange(120))

    assert reasons(votes, "duplicate") == [""] * 100 + ["duplicate"] * 20


def test_two_hundred_votes_of_a_voter_and_day_count_and_excluded_ones_are_not_among_them() -> None:
    seconds = np.where(np.arange(210) < 5, 0.1, 60.0)
    one_day = votes_of(210, seconds=seconds)

    assert reasons(one_day, "too_fast", "rate_cap") == (
        ["too_fast"] * 5 + [""] * 200 + ["rate_cap"] * 5
    )
    assert reasons(one_day, "rate_cap") == [""] * 200 + ["rate_cap"] * 10
    two_days = votes_of(210, day=np.arange(210) // 105)
    assert reasons(two_days, "rate_cap") == [""] * 210


def test_votes_on_gold_battles_never_count() -> None:
    assert reasons(votes_of(3, gold_side=[0, -1, 1])) == ["gold", "", "gold"]


def test_who_fails_gold_battles_more_than_people_slip_is_found() -> None:
    # 4 of 8 spoilt answers preferred, against 1 of 8, and 1 of 1: that happens to anybody.
    votes = votes_of(
        17,
        voter=[0] * 8 + [1] * 8 + [2],
        gold_side=0,
        outcome=[0] * 4 + [1] * 4 + [0] + [1] * 7 + [0],
    )

    assert gold_failures(votes, level=0.05).tolist() == [True, False, False]


def test_gold_failures_of_honest_voters_stay_below_the_level() -> None:
    world = World(models=4, voters=100, votes=4_000, gold_rate=0.2)

    found = [
        gold_failures(simulate(world, seed=seed).votes, level=0.05).any() for seed in range(60)
    ]

    assert sum(found) <= 6


def test_haste_gold_battles_and_changed_minds_are_signs_and_a_slip_is_none() -> None:
    votes = votes_of(
        50,
        voter=np.repeat(np.arange(5), 10),
        seconds=[0.1] * 4 + [60.0] * 6 + [0.1] + [60.0] * 39,
        gold_side=[-1] * 20 + [0] * 2 + [-1] * 28,
        prompt=[*range(30), *([30] * 10), *range(40, 50)],
        # The fourth voter, asked the same ten times, prefers another model each time.
        outcome=[0] * 30 + [0, 1] * 5 + [0] * 10,
    )

    assert behavioural_signs(votes).tolist() == [True, False, True, True, False]


def test_the_same_again_is_told_by_model_and_not_by_side() -> None:
    votes = votes_of(
        5, prompt=7, model_a=[0, 1, 1, 0, 0], model_b=[1, 0, 0, 1, 2], outcome=[0, 1, 0, 2, 0]
    )

    again, reversed_ = retests(votes)

    assert again.tolist() == [False, True, True, True, False]
    assert reversed_.tolist() == [False, False, True, False, False]


def test_who_always_takes_the_first_answer_prefers_a_side() -> None:
    votes = simulate(WORLD, [Attack(Kind.POSITION_BIASED, 0.2)], seed=1).votes
    votes = votes.selected(votes.gold_side < 0)
    kind = votes.kind_of_voter()

    found = one_sided(
        VoterVotes(votes.model_a, votes.model_b, votes.outcome, votes.voter),
        models=6,
        trusted=np.ones(votes.voters, dtype=np.bool_),
    )

    assert found[kind == Kind.POSITION_BIASED].mean() > 0.4
    assert not found[kind == Kind.HONEST].any()


@pytest.mark.parametrize(
    ("kind", "rule", "reason", "stopped"),
    [
        (Kind.BURST, "too_fast", TOO_FAST, 0.9),
        (Kind.BURST, "rate_cap", RATE_CAP, 0.3),
        (Kind.DUPLICATE_PROMPT, "duplicate", DUPLICATE, 0.6),
    ],
)
def test_a_rule_stops_the_attack_that_it_is_for_and_costs_nobody_else_a_vote(
    kind: Kind, rule: str, reason: int, stopped: float
) -> None:
    simulation = simulate(WORLD, [Attack(kind, 0.2)], seed=2)

    ((effect, ruled),) = effects_of(simulation, [BY_NAME[rule]])

    votes = simulation.votes
    assert effect.votes_stopped > stopped
    assert effect.honest_lost < 0.005
    assert set(np.unique(ruled.reason)) == {0, GOLD, reason}
    assert (votes.kind[ruled.reason == reason] == kind).mean() > 0.95


def test_bots_are_stopped_altogether_and_the_target_gains_nothing() -> None:
    simulation = simulate(WORLD, [Attack(Kind.BURST, 0.1)], seed=2)

    (alone, _), (defended, _) = effects_of(simulation, [NONE, ALL])

    assert alone.points_gained > 10
    assert abs(defended.points_gained) < 3
    assert defended.rank_gained == 0


def test_a_flag_alone_excludes_nobody_but_is_left_out_beside_the_ratings() -> None:
    simulation = simulate(
        World(models=10, voters=100, votes=8_000),
        [Attack(Kind.TARGET_ONLY_ABSTAINING, 0.03)],
        seed=1,
    )

    # Without the test of selection, which corroborates what is wanted here uncorroborated.
    all_but = ALL.reasons - {"selective"}
    (excluded, ruled), (left_out, _) = effects_of(
        simulation, [replace(ALL, reasons=all_but), replace(FLAGGED_OUT, reasons=all_but)]
    )

    rows = {found.kind: found for found in found_by_kind(simulation, ruled)}
    assert rows[Kind.TARGET_ONLY_ABSTAINING].flagged >= 4
    assert excluded.votes_stopped < 0.1
    assert left_out.votes_stopped > 0.5
    assert left_out.points_gained < excluded.points_gained - 10


def test_riggers_who_vote_only_where_they_know_the_target_are_left_out_and_gain_nothing() -> None:
    simulation = simulate(
        World(models=10, voters=100, votes=8_000),
        [Attack(Kind.TARGET_ONLY_ABSTAINING, 0.1)],
        seed=1,
    )

    # So many of them make the consensus that the outlier test knows nobody any more.
    (undefended, _), (unusual, _), (selective, _) = effects_of(
        simulation, [NONE, BY_NAME["outlier"], BY_NAME["selective"]]
    )

    assert undefended.points_gained > 60
    assert unusual.points_gained > 40
    assert selective.votes_stopped > 0.9
    assert selective.points_gained < 15
    assert selective.honest_lost == 0


def test_selection_by_itself_excludes_nobody() -> None:
    world = World(models=10, voters=100, votes=8_000, vote_share=1, activity_sd=0)
    simulation = simulate(world, seed=3)
    votes, begun = simulation.votes, simulation.begun
    # Three people do not care to vote where model 4 is not; what they say is as honest as ever.
    picky = begun.voter < 3
    met = (begun.model_a == 4) | (begun.model_b == 4)
    voted = ~picky | met
    kept = (votes.voter >= 3) | (votes.model_a == 4) | (votes.model_b == 4)

    chosen = [BY_NAME["selective"], FLAGGED_OUT]
    ruled, left_out = rulings(
        votes.selected(kept), chosen, models=10, begun=replace(begun, is_voted=voted)
    )

    assert np.flatnonzero(ruled.flagged).tolist() == [0, 1, 2]
    assert not ruled.out.any()
    assert set(votes.selected(kept).voter[left_out.out]) == {0, 1, 2}


def test_an_honest_arena_keeps_its_votes() -> None:
    simulation = simulate(WORLD, seed=6)

    for effect, ruled in effects_of(simulation, DEFENCES):
        assert effect.rank_gained == 0
        assert effect.honest_lost < 0.005
        assert np.isnan(effect.voters_found)
        assert (ruled.out >= (simulation.votes.gold_side >= 0)).all()


def test_all_riggers_of_an_arena_without_a_counted_vote_are_ruled_on() -> None:
    votes = votes_of(3, seconds=0.1)

    (ruled,) = rulings(votes, [ALL], models=2)

    assert isinstance(ruled, Ruling)
    assert ruled.out.all()
    assert not ruled.found.any()


def test_ranks_share_a_place_where_ratings_are_equal_and_the_unrated_come_last() -> None:
    assert ranks_of(np.array([5.0, 7.0, np.nan, 5.0])).tolist() == [2, 1, 4, 2]


def test_the_best_of_many_copies_rates_too_high_until_fresh_votes_are_in() -> None:
    world = World(models=10, voters=300, votes=9_000, variants=20, taste_sd=0.0)

    found = [selection(world, seed=seed) for seed in range(8)]

    assert np.mean([one.points_gained for one in found]) > 15
    assert abs(np.mean([one.fresh_points_gained for one in found])) < 8


def test_fifty_copies_gain_what_was_published() -> None:
    """LMArena's reply to The Leaderboard Illusion: about 11 points by 50 copies of 3,000 votes."""
    world = World(models=20, voters=2_000, votes=3_000 * 69 // 2, variants=50, taste_sd=0.0)

    gained = np.mean([selection(world, seed=seed).points_gained for seed in range(4)])

    assert gained == pytest.approx(11, abs=3)


def test_the_report_names_ranks_defences_and_kinds() -> None:
    simulation = simulate(replace(WORLD, variants=2), [Attack(Kind.BURST, 0.1)], seed=2)

    text = report(simulation)

    assert "model-4 (target)           4" in text
    assert "model-4-variant-2" in text
    assert "The best of 2 copies of model-4 rates " in text
    for defence in DEFENCES:
        assert f"\n{defence.name} " in text
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line}
    assert lines["burst"][1] == "333"
    assert lines["burst"][-1] == lines["burst"][-2] or int(lines["burst"][-1]) > 280


def test_every_effect_is_told_by_defence() -> None:
    simulation = simulate(WORLD, [Attack(Kind.MIRRORED, 0.2)], seed=3)

    ((effect, ruled),) = effects_of(simulation, [BY_NAME["gold_failed"]])

    assert isinstance(effect, Effect)
    kind = simulation.votes.kind_of_voter()
    assert effect.voters_found == pytest.approx(ruled.failed[kind == Kind.MIRRORED].mean())
    assert effect.voters_found > 0.5
    assert not ruled.failed[kind == Kind.HONEST].any()
