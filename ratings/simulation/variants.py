"""A provider that submits many copies of one model and keeps the one that rates best.

Nobody rigs a vote here: the best of many noisy ratings is too high. The arena's answer is fresh
votes: those that chose a copy do not rate it.

Source: The Leaderboard Illusion (arXiv 2504.20879); LMArena's reply to it puts the gain of 50
copies with 3,000 votes each at about 11 points.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ratings.core.outcomes import FloatArray
from ratings.simulation.effects import ranks_of, ratings_of
from ratings.simulation.votes import simulate
from ratings.simulation.worlds import World


@dataclass(frozen=True, slots=True)
class Selection:
    """What keeping the best copy gained over an average one, in points and in ranks.

    Ranks are among the other models, against the true one. `fresh` gains are by votes cast after
    the other copies were withdrawn.
    """

    points_gained: float
    ranks_gained: float
    fresh_points_gained: float
    fresh_ranks_gained: float


def selection(world: World, *, seed: int) -> Selection:
    """Let voters rate all copies, keep the best, and let others vote on it afresh.

    The world's `votes` are cast each time. Raises SimulationError as `simulate` does.
    """
    alone = replace(world, variants=1)
    copies, others = _rated(world, seed=2 * seed)
    best = float(copies.max())
    (again,), others_again = _rated(alone, seed=2 * seed + 1)
    true_rank = int(ranks_of(alone.skill)[world.pushed])
    return Selection(
        points_gained=best - float(copies.mean()),
        ranks_gained=float(true_rank - 1 - (others > best).sum()),
        # Copies are equally good, so that their mean is what any of them should get.
        fresh_points_gained=float(again - copies.mean()),
        fresh_ranks_gained=float(true_rank - 1 - (others_again > again).sum()),
    )


def _rated(world: World, *, seed: int) -> tuple[FloatArray, FloatArray]:
    """Ratings of the copies and of the other models, in points over the mean of the latter."""
    votes = simulate(world, seed=seed).votes
    rating = ratings_of(votes.selected(votes.gold_side < 0), models=world.contestants)
    others = rating[~world.submitted]
    return rating[world.submitted] - others.mean(), others - others.mean()
