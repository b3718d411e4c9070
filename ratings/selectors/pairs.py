"""Pairs of models that met, as counted and as predicted; knows not how they look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ratings.models import RatingSnapshot

Counts = tuple[int, int, int, int]
"""Wins of the first, wins of the second, ties, both bad."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """Counted votes between two models, whichever side either was shown on.

    `observed` and `predicted` are the share of wins of `model_a`, ties (and both bad) as half a
    win; `predicted` is None unless both are rated.
    """

    model_a: str
    model_b: str
    wins_a: int
    wins_b: int
    ties: int
    both_bad: int
    votes: int
    observed: float
    predicted: float | None


def pairs(*, snapshot: RatingSnapshot) -> list[PairRow]:
    """Every pair that met, by slug, with what was observed and what the ratings predict."""
    entries = {entry.model_id: entry for entry in snapshot.entries.select_related("model")}
    in_order = sorted(entries.values(), key=lambda entry: entry.model.slug)
    order = {entry.model_id: place for place, entry in enumerate(in_order)}
    rows = []
    for (first, second), counts in pair_counts(snapshot.cells, order=order).items():
        wins_a, wins_b, ties, both_bad = counts
        rows.append(
            PairRow(
                model_a=entries[first].model.slug,
                model_b=entries[second].model.slug,
                wins_a=wins_a,
                wins_b=wins_b,
                ties=ties,
                both_bad=both_bad,
                votes=sum(counts),
                observed=observed_share(counts) or 0.0,
                predicted=_predicted(entries[first].rating, entries[second].rating),
            )
        )
    return sorted(rows, key=lambda row: (row.model_a, row.model_b))


def pair_counts(
    cells: Iterable[Sequence[int]], *, order: Mapping[int, int]
) -> dict[tuple[int, int], Counts]:
    """A snapshot's cells with both orders of a pair together, the pair as `order` has it."""
    met: dict[tuple[int, int], Counts] = {}
    for first, second, wins_first, wins_second, ties, both_bad in cells:
        in_order = order[first] < order[second]
        pair = (first, second) if in_order else (second, first)
        wins = (wins_first, wins_second) if in_order else (wins_second, wins_first)
        before = met.get(pair, (0, 0, 0, 0))
        met[pair] = (
            before[0] + wins[0],
            before[1] + wins[1],
            before[2] + ties,
            before[3] + both_bad,
        )
    return met


def observed_share(counts: Counts) -> float | None:
    """The share of wins of the first, ties and both bad as half a win; None without votes."""
    votes = sum(counts)
    return (counts[0] + (counts[2] + counts[3]) / 2) / votes if votes else None


def _predicted(rating_a: float | None, rating_b: float | None) -> float | None:
    if rating_a is None or rating_b is None:
        return None
    return float(1 / (1 + 10 ** ((rating_b - rating_a) / 400)))
