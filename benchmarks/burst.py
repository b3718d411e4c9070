"""Several requests sent at once, and how fast their answers came.

Knows no contender. It imports nothing outside the standard library, since it also runs in the
peers' environments.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as text and as the same token ids, for contenders that take one or the other."""

    text: str
    tokens: list[int]


@dataclass(slots=True)
class Answer:
    """One request. Times are seconds of one monotonic clock."""

    sent: float
    ended: float = 0.0
    pieces: list[tuple[float, int]] = field(default_factory=list)
    """When text came, and how many tokens had been written by then."""

    @property
    def tokens(self) -> int:
        """Tokens written."""
        return self.pieces[-1][1] if self.pieces else 0

    def gaps(self) -> list[float]:
        """Seconds between neighbouring tokens; a piece of several tokens shares out its wait."""
        found = []
        for (before, had), (after, has) in zip(self.pieces, self.pieces[1:], strict=False):
            found += [(after - before) / (has - had)] * (has - had) if has > had else []
        return found


class EmptyAnswerError(RuntimeError):
    """A contender answered, but with nothing."""


@dataclass(frozen=True, slots=True)
class Speed:
    """One burst: tokens a second over its whole time; seconds to the first token (median and
    worst of the requests) and between tokens (median); tokens written by all requests."""

    rate: float
    first: float
    first_worst: float
    between: float
    tokens: int


def speed_of(answers: Sequence[Answer]) -> Speed:
    """Raises EmptyAnswerError when a request got no token."""
    empty = sum(not answer.tokens for answer in answers)
    if empty or not answers:
        raise EmptyAnswerError(f"{empty} of {len(answers)} answers were empty")
    begun = min(answer.sent for answer in answers)
    ended = max(answer.ended for answer in answers)
    firsts = [answer.pieces[0][0] - answer.sent for answer in answers]
    gaps = [gap for answer in answers for gap in answer.gaps()]
    tokens = sum(answer.tokens for answer in answers)
    return Speed(
        rate=tokens / (ended - begun),
        first=statistics.median(firsts),
        first_worst=max(firsts),
        between=statistics.median(gaps) if gaps else 0.0,
        tokens=tokens,
    )


@dataclass(frozen=True, slots=True)
class Speeds:
    """The same burst several times."""

    runs: list[Speed]

    def median(self, name: str) -> float:
        """The median over the runs of a field of `Speed`."""
        return statistics.median(float(getattr(run, name)) for run in self.runs)

    @property
    def spread(self) -> float:
        """The fastest run over the slowest, less 1."""
        rates = [run.rate for run in self.runs]
        return max(rates) / min(rates) - 1
