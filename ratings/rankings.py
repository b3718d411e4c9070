"""Rankings from the scores of automatic metrics: one metric, an average, or weights of one's own.

Rows have the shape of the arena's leaderboard, with `value` for the rating and `n` for the votes,
so that a page can show either. How a score was measured, and where it is kept, is not known here.

Source: intervals of sums and differences from those of their parts by the method of variance
estimates recovery (Zou and Donner 2008), which keeps them lopsided where the parts are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.stats import norm, rankdata

from ratings.core.outcomes import FloatArray, IntArray
from ratings.core.ranking import DRAWS, rank_ranges
from ratings.metric_scores import Metric, MetricScore, RankingError, normalized_score

# Values that agree to this many digits share a rank: sums of floats are no finer.
_SAME_DIGITS = 12
BEST_OF_SEVERAL = (
    "Of each training only the checkpoint with the best value is ranked; it was chosen by the "
    "same scores, which flatters it."
)
ONE_PAIR_AT_A_TIME = "Rank ranges hold for one pair of models at a time, not for all at once."
INDEPENDENT = "Intervals treat the scores of different models and metrics as independent."


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRow:
    """One model. Numbers that do not exist are None, and `reason` says why.

    `n` counts the items behind the value, over all metrics that it needs; `scores` are the model's
    scores on them, as they were measured.
    """

    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    model: str
    training: str = ""
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int = 0
    scores: Mapping[str, MetricScore] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranked models by rank, then the others by name; `unit` is that of the values."""

    rows: tuple[RankingRow, ...]
    unit: str
    higher_is_better: bool
    simultaneous: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """A weighted sum of scores, with an interval and a standard error where all parts have one."""

    value: float
    lower: float | None
    upper: float | None
    se: float | None


def metric_ranking(
    scores: Iterable[MetricScore],
    metrics: Sequence[Metric],
    *,
    weights: Mapping[str, float] | None = None,
    normalized: bool = False,
    best_checkpoints: bool = False,
    level: float = 0.95,
    seed: int = 0,
) -> Ranking:
    """Rank the models by the weighted mean of their scores.

    `weights` name the metrics that count (one alone gives the ranking by that metric) and are
    scaled to sum to one; without them all `metrics` weigh the same. `normalized` puts each score on
    0 to 100 first, from its random floor to the best possible. A model that lacks a score which is
    needed has no rank and says so; nothing is averaged over fewer metrics. With `best_checkpoints`
    each training is ranked by its best checkpoint.

    Rank ranges hold at `level`, that of the scores' own intervals: for all pairs of models at once
    where every interval comes with a standard error, else pairwise. Models are treated as
    independent, which is cautious where they answered the same items.

    Raises RankingError for unknown or doubled names, weights that are negative, not finite or all
    zero, and an average of metrics that cannot be averaged.
    """
    if not 0 < level < 1:
        raise RankingError(f"the level is {level}: it has to lie between 0 and 1")
    shares = _shares(metrics, weights)
    needed = [metric for metric in metrics if metric.name in shares]
    if not normalized:
        _refuse_mixed(needed)
    higher_is_better = normalized or needed[0].higher_is_better
    rows, values = [], []
    for model, found in _by_model(scores, metrics).items():
        training = next(iter(found.values())).training
        used = {name: found[name] for name in shares if name in found}
        row = RankingRow(
            model=model, training=training, n=sum(score.n for score in used.values()), scores=used
        )
        missing = [metric.name for metric in needed if metric.name not in found]
        if missing:
            rows.append(replace(row, reason=f"no score on {', '.join(missing)}"))
            continue
        parts = [
            (shares[metric.name], _part(found[metric.name], metric, normalized, level))
            for metric in needed
        ]
        values.append((row, _weighted_sum(parts)))
    notes = [INDEPENDENT] if any(value.lower is not None for _, value in values) else []
    if best_checkpoints:
        kept = _best_of_each_training(values, higher_is_better)
        if len(kept) < len(values):
            notes.append(BEST_OF_SEVERAL)
        values = kept
    ranked, simultaneous = _ranked(values, higher_is_better, level=level, seed=seed)
    if not simultaneous:
        notes.append(ONE_PAIR_AT_A_TIME)
    return Ranking(
        rows=(*ranked, *sorted(rows, key=lambda row: row.model)),
        unit="of 100" if normalized else needed[0].unit,
        higher_is_better=higher_is_better,
        simultaneous=simultaneous,
        notes=tuple(notes),
    )


def _shares(metrics: Sequence[Metric], weights: Mapping[str, float] | None) -> dict[str, float]:
    """The weight of each metric that counts, summing to one."""
    names = [metric.name for metric in metrics]
    if len(set(names)) < len(names):
        raise RankingError(f"a metric is named twice among: {', '.join(names)}")
    if weights is None:
        weights = dict.fromkeys(names, 1.0)
    for name, weight in weights.items():
        if name not in names:
            raise RankingError(f"no metric {name!r}; there are: {', '.join(names)}")
        if not (math.isfinite(weight) and weight >= 0):
            raise RankingError(f"the weight of {name} is {weight}: weights are 0 or positive")
    total = math.fsum(weights.values())
    if not 0 < total < math.inf:
        raise RankingError("the weights have no finite positive sum: give some metric a weight")
    return {name: weight / total for name, weight in weights.items() if weight > 0}


def _refuse_mixed(needed: Sequence[Metric]) -> None:
    first = needed[0]
    for metric in needed[1:]:
        if metric.higher_is_better != first.higher_is_better or metric.unit != first.unit:
            raise RankingError(
                f"{first.name} and {metric.name} differ in unit or direction: average them "
                "normalized, or rank by one"
            )


def _by_model(
    scores: Iterable[MetricScore], metrics: Sequence[Metric]
) -> dict[str, dict[str, MetricScore]]:
    known = {metric.name for metric in metrics}
    by_model: dict[str, dict[str, MetricScore]] = {}
    for score in scores:
        if score.metric not in known:
            raise RankingError(f"{score.model} has a score on an unknown metric: {score.metric!r}")
        found = by_model.setdefault(score.model, {})
        if score.metric in found:
            raise RankingError(f"{score.model} has two scores on {score.metric}: choose one")
        if any(other.training != score.training for other in found.values()):
            raise RankingError(f"{score.model} is said to be of two trainings: choose one")
        found[score.metric] = score
    return by_model


def _part(score: MetricScore, metric: Metric, normalized: bool, level: float) -> _Value:
    lower, upper = score.lower, score.upper
    if lower is None and score.se is not None:
        half_width = float(norm.ppf((1 + level) / 2)) * score.se
        lower, upper = score.value - half_width, score.value + half_width
    part = replace(score, lower=lower, upper=upper)
    if normalized:
        part = normalized_score(part, metric)
    return _Value(part.value, part.lower, part.upper, part.se)


def _weighted_sum(parts: Sequence[tuple[float, _Value]]) -> _Value:
    """The sum of weight times value; an interval or an error that one part lacks, the sum lacks."""
    value = math.fsum(weight * part.value for weight, part in parts)
    lower = upper = se = None
    if all(part.lower is not None for _, part in parts):
        lower = value - math.hypot(
            *(w * (p.value - p.lower) for w, p in parts if p.lower is not None)
        )
        upper = value + math.hypot(
            *(w * (p.upper - p.value) for w, p in parts if p.upper is not None)
        )
    if all(part.se is not None for _, part in parts):
        se = math.hypot(*(w * p.se for w, p in parts if p.se is not None))
    return _Value(value, lower, upper, se)


def _best_of_each_training(
    values: Sequence[tuple[RankingRow, _Value]], higher_is_better: bool
) -> list[tuple[RankingRow, _Value]]:
    """A model without a training stands for itself."""
    sign = -1 if higher_is_better else 1
    best: dict[tuple[str, str], tuple[RankingRow, _Value]] = {}
    for row, value in sorted(values, key=lambda pair: (sign * pair[1].value, pair[0].model)):
        best.setdefault((row.training, "" if row.training else row.model), (row, value))
    return list(best.values())


def _ranked(
    values: Sequence[tuple[RankingRow, _Value]],
    higher_is_better: bool,
    *,
    level: float,
    seed: int,
) -> tuple[list[RankingRow], bool]:
    """The rows by rank, and whether their rank ranges hold for all at once."""
    if not values:
        return [], True
    sign = 1 if higher_is_better else -1
    goodness = sign * np.array([value.value for _, value in values])
    rank = rankdata([-float(f"{good:.{_SAME_DIGITS}g}") for good in goodness], method="min")
    has_interval = np.array([value.lower is not None for _, value in values])
    simultaneous = all(value.se for _, value in values if value.lower is not None)
    if simultaneous:
        variance = np.array([(value.se or 0.0) ** 2 for _, value in values])
        ranges = rank_ranges(
            goodness, np.diag(variance), has_interval, level=level, draws=DRAWS, seed=seed
        )
        low, high = ranges.low, ranges.high
    else:
        low, high = _pairwise(values, goodness, higher_is_better)
    rows = [
        replace(
            row,
            value=value.value,
            lower=value.lower,
            upper=value.upper,
            rank=int(rank[place]),
            rank_low=int(low[place]),
            rank_high=int(high[place]),
            reason="" if has_interval[place] else "no interval: a score comes without one",
        )
        for place, (row, value) in enumerate(values)
    ]
    return sorted(rows, key=lambda row: (row.rank, row.model)), simultaneous


def _pairwise(
    values: Sequence[tuple[RankingRow, _Value]], goodness: FloatArray, higher_is_better: bool
) -> tuple[IntArray, IntArray]:
    """Best and worst ranks; a model without an interval is told apart from nobody."""
    below, above = (
        np.array([np.inf if end is None else abs(end - value.value) for end, value in ends])
        for ends in (
            [(value.lower, value) for _, value in values],
            [(value.upper, value) for _, value in values],
        )
    )
    if not higher_is_better:
        below, above = above, below
    surely_better = goodness[:, None] - goodness > np.hypot(below[:, None], above)
    low: IntArray = 1 + surely_better.sum(axis=0)
    high: IntArray = len(values) - surely_better.sum(axis=1)
    return low, high
