"""Metrics, the scores of models on them, and scores put on a common scale of 0 to 100.

Knows nothing of rankings, nor of how a score was measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


class RankingError(ValueError):
    """Scores, metrics or weights that nothing can be ranked by; the message is one line."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured.

    `floor` is what guessing gets, for scores that are shares between 0 and 1: by default the worst
    share, 0 where higher is better and 1 where lower is. `unit` is shown beside values.
    """

    name: str
    higher_is_better: bool = True
    floor: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            raise RankingError("a metric needs a name")
        if self.floor is None:
            return
        if self.higher_is_better and not 0 <= self.floor < 1:
            raise RankingError(
                f"the floor of {self.name} is {self.floor}: it is at least 0, below 1"
            )
        if not self.higher_is_better and not 0 < self.floor <= 1:
            raise RankingError(
                f"the floor of {self.name}, where lower is better, is {self.floor}: it is above 0, "
                "at most 1"
            )

    @property
    def best(self) -> float:
        """The best share that there is."""
        return 1.0 if self.higher_is_better else 0.0

    @property
    def worst(self) -> float:
        """What guessing gets."""
        return 1 - self.best if self.floor is None else self.floor


@dataclass(frozen=True, slots=True)
class MetricScore:
    """A model's score on a metric, in the metric's own unit, from `n` items.

    `lower` and `upper` are its interval, both or neither; `se` its standard error, where known.
    `training` is what the model is a checkpoint of, "" where it is of none.
    """

    model: str
    metric: str
    value: float
    lower: float | None = None
    upper: float | None = None
    n: int = 0
    training: str = ""
    se: float | None = None

    def __post_init__(self) -> None:
        where = f"the score of {self.model} on {self.metric}"
        numbers = [x for x in (self.value, self.lower, self.upper, self.se) if x is not None]
        if not all(math.isfinite(number) for number in numbers):
            raise RankingError(f"{where} is not finite: leave a score out that does not exist")
        if (self.lower is None) != (self.upper is None):
            raise RankingError(f"{where} has one end of an interval: give both or none")
        if self.lower is not None and self.lower > self.value:
            raise RankingError(f"{where}, {self.value}, is below its interval's end {self.lower}")
        if self.upper is not None and self.upper < self.value:
            raise RankingError(f"{where}, {self.value}, is above its interval's end {self.upper}")
        if self.n < 0 or (self.se is not None and self.se < 0):
            raise RankingError(f"{where} has a negative count or standard error")


def normalized_score(score: MetricScore, metric: Metric) -> MetricScore:
    """The score from 0 (what guessing gets, or less) to 100 (the best there is).

    100 max(0, v - floor) / (1 - floor), and turned round where lower is better, as the Open LLM
    Leaderboard 2 does for each subtask. Cutting off at 0 only brings scores nearer to each other,
    so the standard error is at most the scaled one, which is what is given. Raises RankingError for
    a value that is not a share between 0 and 1.
    """
    if not 0 <= score.value <= 1:
        raise RankingError(
            f"the score of {score.model} on {metric.name} is {score.value}: only shares between "
            "0 and 1 can be normalized"
        )
    span = metric.best - metric.worst

    def scaled(value: float) -> float:
        return 100 * max(0.0, (value - metric.worst) / span)

    ends = sorted(scaled(end) for end in (score.lower, score.upper) if end is not None)
    return replace(
        score,
        value=scaled(score.value),
        lower=ends[0] if ends else None,
        upper=ends[1] if ends else None,
        se=None if score.se is None else score.se * 100 / abs(span),
    )
