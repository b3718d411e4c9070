"""A model's record against each opponent, seen from that model's side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ratings.selectors import LeaderboardRow, PairRow


@dataclass(frozen=True)
class Record:
    """Counted votes against one opponent; shares count a tie as half a win."""

    opponent: str
    name: str
    wins: int
    losses: int
    ties: int
    both_bad: int
    votes: int
    observed: float
    predicted: float | None


def record_of(
    slug: str, pairs: Iterable[PairRow], rows: Mapping[str, LeaderboardRow]
) -> list[Record]:
    """The pairs that `slug` is one of, most votes first."""
    records = [_record(slug, pair, rows) for pair in pairs if slug in (pair.model_a, pair.model_b)]
    return sorted(records, key=lambda record: (-record.votes, record.name))


def _record(slug: str, pair: PairRow, rows: Mapping[str, LeaderboardRow]) -> Record:
    first = pair.model_a == slug
    opponent = pair.model_b if first else pair.model_a
    predicted = pair.predicted
    return Record(
        opponent=opponent,
        name=rows[opponent].name if opponent in rows else opponent,
        wins=pair.wins_a if first else pair.wins_b,
        losses=pair.wins_b if first else pair.wins_a,
        ties=pair.ties,
        both_bad=pair.both_bad,
        votes=pair.votes,
        observed=pair.observed if first else 1 - pair.observed,
        predicted=predicted if first or predicted is None else 1 - predicted,
    )
