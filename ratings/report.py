"""Ratings of a vote file for programs (one JSON object) and for people (a table). No Django.

Numbers that do not exist are null here and blank there, and the notes say why; how any of them
come about is not known here.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from arena.vote_files.errors import named, visible
from ratings.core.outcomes import FloatArray
from ratings.core.standings import Effect, Standings

_OWN_EFFECTS = ("tie", "position")


@dataclass(frozen=True, slots=True)
class Report:
    """Standings with names and with what was read.

    `names` in the order of the standings' models; `votes` were used and `dropped` left out;
    `style` are the names of the style features among the effects. `title` and `interval` say in
    words what was fitted and what the intervals are. `win_rate`, shape (models,), is there for the
    method of that name.
    """

    standings: Standings
    names: tuple[str, ...]
    votes: int
    dropped: int
    style: tuple[str, ...]
    notes: tuple[str, ...]
    title: str
    interval: str
    win_rate: FloatArray | None = None

    def as_object(self) -> dict[str, Any]:
        """What `--json` prints; every number in it is finite or None."""
        table = self.standings
        effects = {effect.name: _effect_object(effect) for effect in table.effects}
        return {
            "method": table.method,
            "models": [self._row(model) for model in self._order()],
            "components": table.groups,
            "votes": self.votes,
            "dropped": self.dropped,
            "parameters": {
                **{
                    name: None if name in self.style else effects.get(name) for name in _OWN_EFFECTS
                },
                "style": {name: effects.get(name) for name in self.style},
            },
            "notes": [*self.notes, *self._missing_numbers()],
        }

    def as_table(self) -> str:
        """The same for people, one line a model."""
        lines = [self.title, self.interval, "", *self._model_lines()]
        if self.standings.effects:
            header = ("effect", "log-odds", "lower", "upper")
            rows = [header, *map(_effect_cells, self.standings.effects)]
            lines += ["", *aligned(rows, left=(0,))]
        if self.notes:
            lines += ["", *(f"- {visible(note)}" for note in self.notes)]
        return "\n".join(lines) + "\n"

    def _order(self) -> list[int]:
        """By group, then rank, then the unrated ones, those with most battles first."""
        table = self.standings

        def place(model: int) -> tuple[float, float, int, str]:
            group = table.group[model] if table.group[model] >= 0 else math.inf
            rank = table.rank[model] or math.inf
            return group, rank, -int(table.votes[model]), self.names[model]

        return sorted(range(len(self.names)), key=place)

    def _row(self, model: int) -> dict[str, Any]:
        table = self.standings
        row = {
            "model": self.names[model],
            "rating": number(table.rating[model]),
            "lower": number(table.lower[model]),
            "upper": number(table.upper[model]),
            "se": number(table.se[model]),
            "rank": int(table.rank[model]) or None,
            "rank_low": int(table.rank_low[model]) or None,
            "rank_high": int(table.rank_high[model]) or None,
            "battles": int(table.votes[model]),
            "component": int(table.group[model]) if table.group[model] >= 0 else None,
        }
        if self.win_rate is not None:
            row["win_rate"] = number(self.win_rate[model])
        return row

    def _missing_numbers(self) -> list[str]:
        """One note for each reason why numbers are missing, with the models that it holds for."""
        models: dict[str, list[str]] = {}
        for model in self._order():
            if reason := self.standings.reasons[model]:
                models.setdefault(reason, []).append(_shown(self.names[model]))
        return [
            f"{'Model' if len(names) == 1 else 'Models'} {', '.join(names)}: {reason}."
            for reason, names in models.items()
        ]

    def _model_lines(self) -> list[str]:
        """A line for each model; rows of different groups stand apart."""
        rows = [self._row(model) for model in self._order()]
        reasons = dict(zip(self.names, self.standings.reasons, strict=True))
        won = ("won",) if self.win_rate is not None else ()
        header = ("rank", "range", "model", "rating", "lower", "upper", "battles", *won)
        lines = aligned([header, *map(_cells, rows)], left=(2,))
        found = lines[:1]
        for number_of_row, (row, line) in enumerate(zip(rows, lines[1:], strict=True)):
            before = rows[number_of_row - 1]["component"] if number_of_row else -1
            if self.standings.groups > 1 and row["component"] != before:
                is_met = row["component"] is not None
                found += ["", f"component {row['component']}" if is_met else "without votes"]
            reason = reasons[row["model"]]
            found.append(f"{line}  {reason}" if reason else line)
        return found


def number(value: float) -> float | None:
    """A number of JSON, None where there is none."""
    return float(value) if np.isfinite(value) else None


def _shown(name: str) -> str:
    """A name on one line; in quotes where blanks around it would not be seen."""
    return named(name) if name != name.strip() else visible(name)


def _effect_object(effect: Effect) -> dict[str, float | None]:
    return {name: number(getattr(effect, name)) for name in ("value", "se", "lower", "upper")}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    ranks = (row["rank"], row["rank_low"], row["rank_high"])
    rank, low, high = ("" if rank is None else str(rank) for rank in ranks)
    points = (row["rating"], row["lower"], row["upper"])
    ends = ("" if value is None else f"{value:.1f}" for value in points)
    battles = f"{row['battles']:,}"
    share = row.get("win_rate")
    won = (("" if share is None else f"{share:.1%}"),) if "win_rate" in row else ()
    return (rank, f"{low}-{high}" if low else "", _shown(row["model"]), *ends, battles, *won)


def _effect_cells(effect: Effect) -> tuple[str, ...]:
    ends = (number(end) for end in (effect.value, effect.lower, effect.upper))
    return (visible(effect.name), *("" if end is None else f"{end:+.4f}" for end in ends))


def aligned(rows: Sequence[Sequence[str]], *, left: Sequence[int]) -> list[str]:
    """Lines of a table whose columns `left` begin, and whose others end, at one place."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]

    def padded(place: int, text: str) -> str:
        blank = " " * (widths[place] - _width(text))
        return text + blank if place in left else blank + text

    return ["  ".join(padded(*cell) for cell in enumerate(row)).rstrip() for row in rows]


def _width(text: str) -> int:
    """Columns of a terminal that the text takes: two for a wide character, none for an accent."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )
