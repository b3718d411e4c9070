"""What an attack gains under a defence, who is found, and what honest voters lose by it.

The effect is held against the fit of the honest votes alone, of the same seed: attackers come on
top of them. Ranks are those of the ratings themselves, without intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratings.core.outcomes import BoolArray, FloatArray, IntArray
from ratings.core.standings import standings
from ratings.simulation.defences import Defence, Ruling, rulings
from ratings.simulation.kinds import Kind
from ratings.simulation.votes import SimulatedVotes, Simulation


@dataclass(frozen=True, slots=True)
class Effect:
    """Of one simulation under one defence; NaN where there is nothing to take a share of.

    `rank_gained` and `points_gained` are the target's, `largest_shift` is the largest change of
    rank of any model. `voters_found` is the share of attacking voters who are flagged or fail the
    gold battles, `votes_stopped` that of their votes that are left out; `honest_lost` and
    `honest_found` are the same of honest voters. Votes on gold battles are not among them: they
    never count.
    """

    rank_gained: float
    points_gained: float
    largest_shift: float
    voters_found: float
    votes_stopped: float
    honest_lost: float
    honest_found: float


def ratings_of(votes: SimulatedVotes, *, models: int) -> FloatArray:
    """Bradley-Terry ratings in points, shape (models,); NaN where there is none."""
    return standings(votes.for_rating(models=models).cells(), interval="none").rating


def ranks_of(rating: FloatArray) -> IntArray:
    """Ranks from 1, equal ratings share one; a model without a rating comes last."""
    known = np.nan_to_num(rating, nan=-np.inf)
    ranks: IntArray = 1 + (known > known[:, None]).sum(axis=1)
    return ranks


def effects_of(
    simulation: Simulation, defences: Sequence[Defence], *, level: float = 0.05, seed: int = 0
) -> list[tuple[Effect, Ruling]]:
    """The effect of all attackers of a simulation under each defence, and what that ruled."""
    votes, models = simulation.votes, simulation.world.contestants
    honest, gold = votes.kind == Kind.HONEST, votes.gold_side >= 0
    clean = ratings_of(votes.selected(honest & ~gold), models=models)
    found = rulings(votes, defences, models=models, begun=simulation.begun, level=level, seed=seed)
    return [(_effect(simulation, clean, ruled), ruled) for ruled in found]


def _effect(simulation: Simulation, clean: FloatArray, ruled: Ruling) -> Effect:
    votes, world = simulation.votes, simulation.world
    honest, gold = votes.kind == Kind.HONEST, votes.gold_side >= 0
    rated = ratings_of(votes.selected(~ruled.out), models=world.contestants)
    moved = ranks_of(clean) - ranks_of(rated)
    kind, voted = votes.kind_of_voter(), votes.voted()
    return Effect(
        rank_gained=float(moved[world.pushed]),
        points_gained=float(rated[world.pushed] - clean[world.pushed]),
        largest_shift=float(np.abs(moved).max()),
        voters_found=_share(ruled.found, voted & (kind != Kind.HONEST)),
        votes_stopped=_share(ruled.out, ~honest & ~gold),
        honest_lost=_share(ruled.out, honest & ~gold),
        honest_found=_share(ruled.found, voted & (kind == Kind.HONEST)),
    )


@dataclass(frozen=True, slots=True)
class KindFound:
    """Of one kind that voted: its voters and their votes, and what of each was found.

    `battles` were fought for the votes, those on gold battles included; `excluded` votes are those
    that do not count for another reason than that they were on gold battles.
    """

    kind: Kind
    battles: int
    voters: int
    flagged: int
    failed_gold: int
    votes: int
    excluded: int


def found_by_kind(simulation: Simulation, ruled: Ruling) -> list[KindFound]:
    """What a defence found of each kind, honest voters first."""
    votes = simulation.votes
    kind, voted, gold = votes.kind_of_voter(), votes.voted(), votes.gold_side >= 0
    return [
        KindFound(
            kind=number,
            battles=battles,
            voters=int((voted & (kind == number)).sum()),
            flagged=int((ruled.flagged & (kind == number)).sum()),
            failed_gold=int((ruled.failed & (kind == number)).sum()),
            votes=int((votes.kind == number).sum()),
            excluded=int((ruled.out & ~gold & (votes.kind == number)).sum()),
        )
        for number, battles in simulation.battles.items()
    ]


def _share(of: BoolArray, among: BoolArray) -> float:
    return float(of[among].mean()) if among.any() else float("nan")
