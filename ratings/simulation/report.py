"""What one simulation shows, as text: true against estimated ranks, who was found, what it gained.

Knows nothing of terminals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ratings.simulation.defences import ALL, DEFENCES, Ruling
from ratings.simulation.effects import Effect, effects_of, found_by_kind, ranks_of, ratings_of
from ratings.simulation.variants import selection
from ratings.simulation.votes import Simulation

_NOTE = """\
Gains are the target's, over the ratings by the honest votes alone. Found are voters whom a test
names, at a chance of {level} that any honest one is. Found and stopped are shares of those who are
not honest."""
_COPIES = """\
The best of {count} copies of {name} rates {found.points_gained:.1f} points over their mean
({found.ranks_gained:+.0f} ranks); by fresh votes, with the other copies withdrawn, \
{found.fresh_points_gained:+.1f}
({found.fresh_ranks_gained:+.0f} ranks). Nobody rigs in this."""


def report(simulation: Simulation, *, level: float = 0.05) -> str:
    """Tables of models, defences and kinds of voter. Takes the time of two outlier tests."""
    votes, world = simulation.votes, simulation.world
    effects = effects_of(simulation, DEFENCES, level=level)
    ruled = effects[DEFENCES.index(ALL)][1]
    gold = int((votes.gold_side >= 0).sum())
    paragraphs = [
        [
            (
                f"{len(votes):,} votes of {int(votes.voted().sum()):,} voters on "
                f"{world.contestants} models; {gold:,} of them on gold battles, which never count."
            )
        ],
        _models(simulation, ruled),
        _table(
            ("defence", "ranks gained", "points gained", "voters found", "votes stopped",
             "honest votes lost"),
            [
                (defence.name, *_cells(effect))
                for defence, (effect, _) in zip(DEFENCES, effects, strict=True)
            ],
        ),
        _kinds(simulation, ruled),
        _NOTE.format(level=f"{100 * level:g} %").splitlines(),
    ]  # fmt: skip
    if world.variants > 1:
        paragraphs.append(_variants(simulation))
    return "\n\n".join("\n".join(lines) for lines in paragraphs) + "\n"


def _models(simulation: Simulation, ruled: Ruling) -> list[str]:
    votes, world = simulation.votes, simulation.world
    plain = ratings_of(votes.selected(votes.gold_side < 0), models=world.contestants)
    defended = ratings_of(votes.selected(~ruled.out), models=world.contestants)
    ranks = [ranks_of(rating) for rating in (world.skill, plain, defended)]
    return _table(
        ("model", "true rank", "by all votes", "by all rules", "rating", "by all rules"),
        [
            (
                f"{name}{' (target)' if model == world.pushed else ''}",
                *(f"{rank[model]}" for rank in ranks),
                *(_number(rating[model]) for rating in (plain, defended)),
            )
            for model, name in enumerate(world.names)
        ],
    )


def _kinds(simulation: Simulation, ruled: Ruling) -> list[str]:
    return _table(
        ("kind", "battles", "voters", "flagged", "failed gold", "votes", "left out by all rules"),
        [
            (
                found.kind.label, f"{found.battles:,}", f"{found.voters:,}", f"{found.flagged:,}",
                f"{found.failed_gold:,}", f"{found.votes:,}", f"{found.excluded:,}",
            )
            for found in found_by_kind(simulation, ruled)
        ],
    )  # fmt: skip


def _variants(simulation: Simulation) -> list[str]:
    world = simulation.world
    found = selection(world, seed=simulation.seed)
    return _COPIES.format(
        count=world.variants, name=world.names[world.pushed], found=found
    ).splitlines()


def _cells(effect: Effect) -> tuple[str, ...]:
    return (
        f"{effect.rank_gained:+.0f}",
        f"{effect.points_gained:+.1f}",
        *(
            _share(share)
            for share in (effect.voters_found, effect.votes_stopped, effect.honest_lost)
        ),
    )


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def _number(rating: float) -> str:
    return "-" if math.isnan(rating) else f"{rating:.1f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they must be; the first stands left, the others right."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
