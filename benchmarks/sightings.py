"""What can be counted in a battle as it was seen: rows of numbers for a classifier.

Knows neither the models nor the classifiers.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from arena.style_counts import style_counts
from benchmarks.onlooker import SeenBattle, SeenSide


@dataclass(frozen=True)
class Sighting:
    """One answer of one battle, and which model gave it; rows by the name of a set of features."""

    model: str
    prompt: str
    text: str
    features: Mapping[str, Sequence[float]]


def sightings(battles: Sequence[SeenBattle]) -> list[Sighting]:
    """Both answers of every battle."""
    return [
        Sighting(
            model=battle.models[name],
            prompt=battle.prompt,
            text=side.text,
            features=features(side, battle.sides[other]),
        )
        for battle in battles
        for name, other in (("a", "b"), ("b", "a"))
        for side in [battle.sides[name]]
    ]


def features(side: SeenSide, other: SeenSide) -> dict[str, list[float]]:
    """Length, formatting and timing of an answer, the last beside the other answer's."""
    sets = {
        "length": _length(side.text),
        "formatting": _formatting(side.text),
        "timing": _timing(side, other),
    }
    return {**sets, "all": [value for values in sets.values() for value in values]}


def _length(text: str) -> list[float]:
    words = text.split()
    sentences = [part for part in re.split("[.!?\u3002\uff01\uff1f]+", text) if part.strip()]
    return [
        len(text),
        len(words),
        text.count("\n") + 1,
        len(sentences),
        len(words) / max(1, len(sentences)),
    ]


def _formatting(text: str) -> list[float]:
    """Markdown, and the shares of kinds of characters; no count that grows with length alone."""
    counts = style_counts(text)
    length = max(1, len(text))
    shares = [
        sum(map(is_kind, text)) / length
        for is_kind in (
            str.isdigit,
            str.isupper,
            str.isspace,
            ",;:".__contains__,
            "()".__contains__,
        )
    ]
    return [
        counts.headers,
        counts.bold,
        counts.ordered,
        counts.unordered,
        text.count("```"),
        text.count("\n\n") / (text.count("\n") + 1),
        float(text[:1] in set("#-*`1")),
        float(text.rstrip()[-1:] in set(".!?")),
        float(any(ord(character) >= 0x1F300 for character in text)),
        *shares,
    ]


def _timing(side: SeenSide, other: SeenSide) -> list[float]:
    """When text came; nothing that follows from how much there was of it.

    Both sides are looked at over as many pieces. What came after the shorter answer's end is one
    number for both sides, so that it does not tell which of them was longer.
    """
    together = min(len(side.pieces), len(other.pieces))
    own, others = _pace(side, together), _pace(other, together)
    # What differs between the sides is theirs; what they share may be the network's.
    differences = [mine - its for mine, its in zip(own, others, strict=True)]
    alone = max(side.pieces[together - 1 :], other.pieces[together - 1 :], key=len)
    return [*own, *differences, _speed(alone)]


def _pace(side: SeenSide, count: int) -> list[float]:
    pieces = side.pieces[:count]
    gaps = [after - before for (before, _), (after, _) in pairwise(pieces)] or [0.0]
    # The last piece is what was left, and tells of the length.
    sizes: list[float] = [size for _, size in pieces[1:-1]] or [0.0]
    return [
        pieces[0][0],
        _speed(pieces),
        side.ended - side.pieces[-1][0],
        *_spread(gaps),
        *_spread(sizes),
        statistics.median(side.frame_bytes[:count]),
    ]


def _speed(pieces: Sequence[tuple[float, int]]) -> float:
    """Characters a second, from the first piece on; 0 for a single one."""
    seconds = pieces[-1][0] - pieces[0][0]
    # Without the last piece, which is what was left.
    return sum(size for _, size in pieces[:-1]) / seconds if seconds > 0 else 0.0


def _spread(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [
        statistics.median(ordered),
        ordered[int(0.9 * (len(ordered) - 1))],
        statistics.pstdev(ordered),
    ]
