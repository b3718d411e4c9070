"""Simulated votes: who met, who voted, when, how fast, and what kind of voter it was.

Knows no defences. Honest votes are drawn from a stream of their own: with the same seed they are
the same whatever attacks are added, so that the effect of an attack is a difference of two fits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratings.core.outcomes import BoolArray, FloatArray, IntArray, Outcome, Votes
from ratings.simulation.choices import NO_VOTE, TIE, Battles, chosen, people
from ratings.simulation.kinds import CONDUCT, Attack, Kind
from ratings.simulation.worlds import SimulationError, World

# Words of one answer: log-normal, median and standard deviation of the logarithm.
_WORDS, _WORDS_SD = 150.0, 0.8
# Words a second: a side's stream, and people who skim both answers (median, sd of the logarithm).
_STREAM = 40.0
_SKIM, _SKIM_SD = 10.0, 0.6
# Everybody asks these now and then; all other prompts are asked once.
_POPULAR_PROMPTS, _POPULAR_SHARE = 50, 0.05
# Prompts that are asked once are numbered at random, far above the popular ones.
_OWN_PROMPTS = 1 << 40
# Voters who leave battles without a vote are given more of them, in rounds.
_FEWEST_BATTLES, _LEAST_RATE, _MOST_ROUNDS = 64, 1e-3, 1_000


@dataclass(frozen=True, slots=True)
class SimulatedVotes:
    """Votes in the order in which they were cast; all arrays have shape (votes,).

    `voter` counts from 0 over all kinds, `outcome` is a `ratings.core.outcomes.Outcome`, `prompt`
    numbers the prompts, `words` is of both answers, `seconds` passed from the start of the answers
    to the vote, `day` counts from 0, `gold_side` is 0 or 1 where that answer was spoilt on purpose,
    -1 elsewhere, and `kind` is the truth about the voter, a `Kind`.
    """

    voter: IntArray
    model_a: IntArray
    model_b: IntArray
    outcome: IntArray
    prompt: IntArray
    words: IntArray
    seconds: FloatArray
    day: IntArray
    gold_side: IntArray
    kind: IntArray

    def __len__(self) -> int:
        return len(self.voter)

    @property
    def voters(self) -> int:
        """How many voters the votes are numbered for."""
        return int(self.voter.max(initial=-1)) + 1

    @property
    def rigged(self) -> BoolArray:
        """Which votes are of those who mean to mislead, shape (votes,)."""
        rigged: BoolArray = self.kind >= Kind.TARGET_ONLY
        return rigged

    def voted(self) -> BoolArray:
        """Which of the numbered voters voted at all, shape (voters,)."""
        return np.bincount(self.voter, minlength=self.voters) > 0

    def kind_of_voter(self) -> IntArray:
        """The kind of each voter, shape (voters,)."""
        kind = np.zeros(self.voters, dtype=np.int64)
        kind[self.voter] = self.kind
        return kind

    def selected(self, rows: BoolArray | IntArray) -> SimulatedVotes:
        """The votes of these rows."""
        return SimulatedVotes(*(getattr(self, field.name)[rows] for field in fields(self)))

    def for_rating(self, *, models: int) -> Votes:
        """The votes as `ratings.core` takes them."""
        return Votes(self.model_a, self.model_b, self.outcome, models)


@dataclass(frozen=True, slots=True)
class BegunBattles:
    """Battles that were begun, voted on or left, in the order in which they came; gold battles are
    not among them. Arrays of shape (battles,), voters and models numbered as in SimulatedVotes.
    """

    voter: IntArray
    model_a: IntArray
    model_b: IntArray
    is_voted: BoolArray


@dataclass(frozen=True, slots=True)
class Simulation:
    """A world, what was added to it, and the votes that came of it.

    `begun` are the battles that somebody could have voted on. `battles` says for each kind how many
    battles it took, those left without a vote and gold battles included.
    """

    world: World
    attacks: tuple[Attack, ...]
    seed: int
    votes: SimulatedVotes
    begun: BegunBattles
    battles: dict[Kind, int]


def simulate(world: World, attacks: Sequence[Attack] = (), *, seed: int = 0) -> Simulation:
    """Let honest people vote, and besides them those of each attack.

    Attackers come on top of the honest `world.votes`, so that they make up the share of all votes
    that was asked for. Raises SimulationError where the shares leave no room for honest votes, a
    kind comes twice, or the seed is negative.
    """
    if seed < 0:
        raise SimulationError(f"seed is {seed}: give a whole number of at least 0")
    kinds = [attack.kind for attack in attacks]
    if len(set(kinds)) < len(kinds):
        raise SimulationError("a kind of voter is named twice: give each one share")
    shares = math.fsum(attack.share for attack in attacks)
    if shares >= 1:
        raise SimulationError(f"the shares add up to {shares:g}: leave room for honest votes")
    parts, left_parts, battles, voters = [], [], {}, 0
    for kind, count in [
        (Kind.HONEST, world.votes),
        *((attack.kind, _votes_of(attack, shares, world)) for attack in attacks),
    ]:
        random = np.random.default_rng((seed, kind))
        part, left, battles[kind] = _cast(kind, count, world, random)
        for columns in (part, left):
            columns["voter"] += voters
        voters = int(max(columns["voter"].max(initial=-1) for columns in (part, left))) + 1
        parts.append(part)
        left_parts.append(left)
    joined, left = _joined(parts), _joined(left_parts)
    begun = _begun(joined, left)
    order = np.argsort(joined.pop("moment"), kind="stable")
    votes = SimulatedVotes(**{name: column[order] for name, column in joined.items()})
    return Simulation(world, tuple(attacks), seed, votes, begun, battles)


def _votes_of(attack: Attack, shares: float, world: World) -> int:
    return max(1, round(world.votes / (1 - shares) * attack.share))


Columns = dict[str, NDArray[Any]]


def _joined(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _begun(votes: Columns, left: Columns) -> BegunBattles:
    both = {name: np.concatenate([votes[name], column]) for name, column in left.items()}
    is_voted = np.arange(len(both["voter"])) < len(votes["voter"])
    rows = np.flatnonzero(both["gold_side"] < 0)
    rows = rows[np.argsort(both["moment"][rows], kind="stable")]
    return BegunBattles(
        both["voter"][rows], both["model_a"][rows], both["model_b"][rows], is_voted[rows]
    )


def _cast(
    kind: Kind, count: int, world: World, random: np.random.Generator
) -> tuple[Columns, Columns, int]:
    """The columns of `count` votes of one kind, those of the battles left without a vote, and how
    many battles there were in all."""
    activity = _activity(kind, count, world, random)
    person = people(world, len(activity), random)
    kept: list[tuple[Battles, IntArray]] = []
    left: list[Battles] = []
    needed, fought, rate = count, 0, 1.0
    for _ in range(_MOST_ROUNDS):
        battles = _battles(max(_FEWEST_BATTLES, math.ceil(needed / rate)), activity, world, random)
        choice = chosen(kind, battles, world, person, random)
        voted = np.flatnonzero(choice != NO_VOTE)
        rate = max(len(voted) / len(choice), _LEAST_RATE)
        # What would have come after the last vote that was needed was never fought.
        size = len(choice) if len(voted) < needed else int(voted[needed - 1]) + 1
        fought += size
        voted = voted[:needed]
        kept.append((battles.selected(voted), choice[voted]))
        left.append(battles.selected(np.flatnonzero(choice[:size] == NO_VOTE)))
        needed -= len(voted)
        if not needed:
            columns = _columns(kind, kept, len(activity), world, random)
            return columns, _columns_left(left, world, random), fought
    raise SimulationError(f"{kind.label} voters find nothing to vote on: take fewer models")


def _activity(kind: Kind, count: int, world: World, random: np.random.Generator) -> FloatArray:
    """What share of the votes each voter casts, added up, shape (voters,), rising to 1."""
    if kind is not Kind.HONEST:
        voters = math.ceil(count / CONDUCT[kind].votes_per_voter)
        return np.arange(1, voters + 1) / voters
    activity = np.exp(world.activity_sd * random.standard_normal(world.voters)).cumsum()
    shares: FloatArray = activity / activity[-1]
    return shares


def _battles(
    count: int, activity: FloatArray, world: World, random: np.random.Generator
) -> Battles:
    """Battles of these voters: every pair alike, sides half and half."""
    models = world.contestants
    voter = np.searchsorted(activity, random.random(count), side="right")
    model_a = random.integers(0, models, count)
    model_b = (model_a + random.integers(1, models, count)) % models
    gold = random.random(count) < world.gold_rate
    return Battles(voter, model_a, model_b, np.where(gold, random.integers(0, 2, count), -1))


def _columns_left(left: Sequence[Battles], world: World, random: np.random.Generator) -> Columns:
    """The columns of Battles, and `moment` in days."""
    columns = {
        name: np.concatenate([getattr(battles, name) for battles in left])
        for name in ("voter", "model_a", "model_b", "gold_side")
    }
    return {**columns, "moment": world.days * random.random(len(columns["voter"]))}


def _columns(
    kind: Kind,
    kept: Sequence[tuple[Battles, IntArray]],
    voters: int,
    world: World,
    random: np.random.Generator,
) -> Columns:
    """The columns of SimulatedVotes for one kind, and `moment` in days."""
    columns: Columns = {
        name: np.concatenate([getattr(battles, name) for battles, _ in kept])
        for name in ("voter", "model_a", "model_b", "gold_side")
    }
    choice = np.concatenate([choice for _, choice in kept])
    count = len(choice)
    both_bad = (choice == TIE) & (random.random(count) < world.both_bad_share)
    words = np.exp(np.log(_WORDS) + _WORDS_SD * random.standard_normal((2, count))).sum(axis=0)
    moment = world.days * random.random(count)
    prompt = _OWN_PROMPTS + random.integers(0, _OWN_PROMPTS, count)
    popular = random.random(count) < _POPULAR_SHARE
    prompt[popular] = random.integers(0, _POPULAR_PROMPTS, int(popular.sum()))
    skim = _SKIM * np.exp(_SKIM_SD * random.standard_normal(count))
    seconds = words / 2 / _STREAM + words / skim
    if kind is not Kind.HONEST:
        conduct = CONDUCT[kind]
        voter = columns["voter"]
        if conduct.one_day:
            day = random.integers(0, world.days, voters)[voter]
            moment = day + random.random(count)
        if conduct.hurried is not None:
            seconds = random.uniform(*conduct.hurried, count)
        if conduct.one_prompt:
            prompt = random.integers(_OWN_PROMPTS, 2 * _OWN_PROMPTS, voters)[voter]
    return {
        **columns,
        "outcome": np.where(both_bad, int(Outcome.BOTH_BAD), choice),
        "prompt": prompt,
        "words": words.astype(np.int64),
        "seconds": seconds,
        "day": moment.astype(np.int64),
        "kind": np.full(count, int(kind)),
        "moment": moment,
    }
