"""What voters of each kind choose when they see a battle.

Knows no files and no defences. A choice is 0 (the first answer), 1 (the second), 2 (a tie) or -1
where the voter leaves without a vote; which ties are both bad is drawn where votes are made.

Sources of the attacks: target-only and omnipresent are those of arXiv 2501.17858 (ICML 2025).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from ratings.core.outcomes import FloatArray, IntArray
from ratings.simulation.kinds import CONDUCT, Kind
from ratings.simulation.worlds import World

A, B, TIE = range(3)
NO_VOTE = -1

# Of a gold battle's votes by somebody who looks: for the spoilt side, and ties.
GOLD_SLIP, GOLD_TIE = 0.03, 0.05
# Log-odds by which a position-biased voter prefers the first answer: 88 % of equal pairs.
POSITION_BIAS = 2.0
# Beta distribution of the lapse rates: as certain as after so many votes.
_CARE_CERTAINTY = 100.0


@dataclass(frozen=True, slots=True)
class Battles:
    """Battles before the vote; arrays of shape (battles,).

    `voter` counts from 0 within the kind. `gold_side` is 0 or 1 where that answer was spoilt, -1
    elsewhere.
    """

    voter: IntArray
    model_a: IntArray
    model_b: IntArray
    gold_side: IntArray

    def __len__(self) -> int:
        return len(self.voter)

    def selected(self, rows: IntArray) -> Battles:
        """The battles of these rows."""
        return Battles(
            self.voter[rows], self.model_a[rows], self.model_b[rows], self.gold_side[rows]
        )


@dataclass(frozen=True, slots=True)
class Person:
    """What voters are like when they judge: `taste` and `readiness` to vote at all have shape
    (voters, contestants), in log-odds, `lapse` (voters,) is the share of careless clicks."""

    taste: FloatArray
    lapse: FloatArray
    readiness: FloatArray


def people(world: World, voters: int, random: np.random.Generator) -> Person:
    """Draw voters of mixed care, each with tastes of its own."""
    taste = world.taste_sd * random.standard_normal((voters, world.contestants))
    lapses = world.care_lapses * _CARE_CERTAINTY
    careful = _CARE_CERTAINTY - lapses
    lapse = random.beta(lapses, careful, voters) if lapses else np.zeros(voters)
    readiness = np.zeros_like(taste)
    if world.vote_share < 1:
        readiness = world.readiness_sd * random.standard_normal(taste.shape)
    return Person(taste, lapse, readiness)


def chosen(
    kind: Kind, battles: Battles, world: World, person: Person, random: np.random.Generator
) -> IntArray:
    """What voters of one kind choose, shape (battles,).

    Who does not rig leaves battles when they are not in the mood; riggers have a plan.
    """
    choice = _POLICIES[kind](battles, world, person, random)
    if not kind.rigs and world.vote_share < 1:
        choice[random.random(len(battles)) >= _voting(battles, world, person)] = NO_VOTE
    return choice


def _voting(battles: Battles, world: World, person: Person) -> FloatArray:
    """Probability that somebody who does not rig votes, shape (battles,)."""
    voter = battles.voter
    ready = person.readiness[voter, battles.model_a] + person.readiness[voter, battles.model_b]
    return np.asarray(expit(logit(world.vote_share) + ready), dtype=np.float64)


def _honest(
    battles: Battles, world: World, person: Person, random: np.random.Generator, bias: float = 0.0
) -> IntArray:
    voter, a, b = battles.voter, battles.model_a, battles.model_b
    gap = world.skill[a] - world.skill[b] + person.taste[voter, a] - person.taste[voter, b] + bias
    choice = world.judged(gap, random.random(len(battles)))
    gold = np.flatnonzero(battles.gold_side >= 0)
    spoilt, chance = battles.gold_side[gold], random.random(len(gold))
    choice[gold] = np.select(
        [chance < GOLD_SLIP, chance < GOLD_SLIP + GOLD_TIE], [spoilt, TIE], default=1 - spoilt
    )
    careless = random.random(len(battles)) < person.lapse[voter]
    choice[careless] = _clicks(int(careless.sum()), world.tie_share, random)
    return choice


def _clicks(count: int, ties: float, random: np.random.Generator) -> IntArray:
    """Random buttons, so many of them a tie."""
    chance = random.random(count)
    return np.where(chance < ties, TIE, np.where(chance < (1 + ties) / 2, A, B)).astype(np.int64)


def _lazy(
    battles: Battles,
    world: World,  # noqa: ARG001
    person: Person,  # noqa: ARG001
    random: np.random.Generator,
) -> IntArray:
    """Half of them press any of the three buttons, the others always the tie."""
    clicks = _clicks(len(battles), 1 / 3, random)
    return np.where(battles.voter % 2 == 0, clicks, TIE)


def _position_biased(
    battles: Battles, world: World, person: Person, random: np.random.Generator
) -> IntArray:
    return _honest(battles, world, person, random, bias=POSITION_BIAS)


def _for_the_target(
    kind: Kind, battles: Battles, world: World, person: Person, random: np.random.Generator
) -> IntArray:
    """For the answer taken for the target's; where none is, as an honest voter would or not."""
    conduct = CONDUCT[kind]
    on_a, on_b = (
        random.random(len(battles))
        < np.where(model == world.pushed, conduct.recognises, conduct.mistakes)
        for model in (battles.model_a, battles.model_b)
    )
    choice = _honest(battles, world, person, random)
    if kind is Kind.TARGET_ONLY_ABSTAINING:
        choice[:] = NO_VOTE
    choice[on_a & ~on_b] = A
    choice[on_b & ~on_a] = B
    return choice


def _omnipresent(
    battles: Battles, world: World, person: Person, random: np.random.Generator
) -> IntArray:
    """Against whichever is the nearer rival of the target: better ones before worse ones."""
    rivalry = rivalry_of(world)
    recognises = CONDUCT[Kind.OMNIPRESENT].recognises
    believed = []
    for model in (battles.model_a, battles.model_b):
        known = random.random(len(battles)) < recognises
        believed.append(np.where(known, model, random.integers(0, world.contestants, len(battles))))
    choice = _honest(battles, world, person, random)
    a, b = rivalry[believed[0]], rivalry[believed[1]]
    choice[a < b] = A
    choice[b < a] = B
    return choice


def rivalry_of(world: World) -> IntArray:
    """How much each model stands in the target's way, shape (contestants,); the target is 0.

    The nearest better model most, then the farther better ones, then the worse ones from the
    nearest on.
    """
    gap = world.skill - world.skill[world.pushed]
    others = np.flatnonzero(np.arange(world.contestants) != world.pushed)
    in_order = others[np.lexsort((np.abs(gap[others]), gap[others] < 0))]
    rivalry = np.zeros(world.contestants, dtype=np.int64)
    rivalry[in_order] = np.arange(len(others), 0, -1)
    return rivalry


def _mirrored(
    battles: Battles, world: World, person: Person, random: np.random.Generator
) -> IntArray:
    choice = _honest(battles, world, person, random)
    return np.where(choice == TIE, TIE, 1 - choice)


Policy = Callable[[Battles, World, Person, np.random.Generator], IntArray]


def _pushing(kind: Kind) -> Policy:
    return lambda battles, world, person, random: _for_the_target(
        kind, battles, world, person, random
    )


_POLICIES: dict[Kind, Policy] = {
    Kind.HONEST: _honest,
    Kind.LAZY: _lazy,
    Kind.POSITION_BIASED: _position_biased,
    Kind.OMNIPRESENT: _omnipresent,
    Kind.MIRRORED: _mirrored,
    **{
        kind: _pushing(kind)
        for kind in (
            Kind.TARGET_ONLY,
            Kind.TARGET_ONLY_ABSTAINING,
            Kind.SYBIL,
            Kind.BURST,
            Kind.DUPLICATE_PROMPT,
        )
    },
}
