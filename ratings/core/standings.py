"""Standings: votes in, one row of numbers or one reason a model out.

Puts connectivity, fit, intervals and ranks together; knows neither names nor where votes come from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS
from ratings.core.comparisons import refuse_bad_features
from ratings.core.connectivity import connectivity
from ratings.core.elo import online_elo
from ratings.core.estimates import Estimates, Sample, estimate
from ratings.core.fitting import NoFiniteFitError, Shrinkage
from ratings.core.leave_one_out import numbered
from ratings.core.likelihoods import LIKELIHOODS
from ratings.core.outcomes import (
    BothBad,
    FloatArray,
    IntArray,
    Outcome,
    OutcomeCells,
    VoteDataError,
    Votes,
)
from ratings.core.ranking import DRAWS
from ratings.core.standing_notes import interval_notes, option_notes, unfitted_notes
from ratings.core.standing_table import Effect, Standings, StandingTable
from ratings.core.weights import refuse_bad_weights
from ratings.core.win_rate import win_rates

__all__ = ["Effect", "Interval", "Method", "Standings", "standings"]

Method = Literal["bradley-terry", "davidson", "rao-kupper", "elo", "win-rate"]
Interval = Literal["sandwich", "bootstrap", "none"]

NO_MAXIMUM = "no finite rating"
ONE_WAY_DECIDED = (
    "decided votes do not lead both ways between it and the other models: no finite rating yet"
)


def standings(
    votes: OutcomeCells | Votes,
    *,
    method: Method = "bradley-terry",
    interval: Interval = "sandwich",
    both_bad: BothBad = "tie",
    position: bool = False,
    prior: float = 0.0,
    ridge: float = 0.0,
    weights: FloatArray | None = None,
    clusters: Sequence[IntArray] = (),
    features: FloatArray | None = None,
    feature_names: Sequence[str] = (),
    level: float = 0.95,
    draws: int = DRAWS,
    rounds: int = 1000,
    seed: int = 0,
    simultaneous: bool = True,
    per_component: bool = False,
) -> Standings:
    """Rate and rank what can be, and say of the rest why not.

    Ratings have mean 1000 over the rated models of a group; `se`, `lower` and `upper` belong to the
    mean-centred rating and hold one model at a time, the rank ranges hold for all at once (or with
    `simultaneous=False` a pair at a time).

    - `clusters`: one or two integer arrays of shape (votes,), the voter and the prompt of each
      vote; intervals then hold although votes of one voter belong together. Needs `Votes`.
    - `features`: shape (votes, features), differences of style between the answers shown first and
      second; ratings are adjusted for them, and each has an effect. Needs `Votes`.
    - `position`: the effect of being shown first is estimated.
    - `weights`: shape (models, models), what one vote of a pair weighs; votes of weight 0 are
      dropped.
    - `prior`: virtual votes, half won, of each model against an average player; `ridge`: half of it
      times the squared log-odds is taken from the log-likelihood. Both are noted.
    - `rounds` of the bootstrap; `draws` for simultaneous ranks; `seed` for both.
    - `per_component`: rate every group that no chain of votes connects, each by itself; otherwise
      only the largest is rated.

    Raises VoteDataError for input that cannot be what it says.
    """
    _refuse_bad_options(
        method=method, interval=interval, both_bad=both_bad, prior=prior, ridge=ridge,
        level=level, rounds=rounds, draws=draws,
    )  # fmt: skip
    fitted = method in LIKELIHOODS
    sample, dropped = _sample(
        votes, both_bad, interval, weights if fitted else None, clusters, features
    )
    names = _feature_names(features, feature_names)
    shrinkage = Shrinkage(prior=prior, ridge=ridge)
    if fitted:
        notes = option_notes(sample, shrinkage, simultaneous=simultaneous)
    else:
        asked = {
            "prior": prior, "ridge": ridge, "position": position, "weights": weights is not None,
            "clusters": len(clusters), "features": features is not None,
        }  # fmt: skip
        ignored = [name for name, given in asked.items() if given]
        notes = unfitted_notes(method, interval, ignored=ignored)
    pairs = sample.cells.pairs(both_bad)
    found = connectivity(
        pairs,
        models=sample.cells.models,
        every_group=per_component,
        # These need no maximum to be finite.
        both_ways=fitted and not shrinkage,
    )
    table = StandingTable(
        method=method,
        connectivity=found,
        votes=pairs.votes_by_model(models=sample.cells.models).astype(np.int64),
        dropped=dropped,
        level=level,
        notes=notes,
    )
    for rated in found.sets:
        part = sample.restricted_to(rated)
        if method == "elo":
            table.fill_descriptive(rated, *_elo(part))
            continue
        if method == "win-rate":
            table.fill_descriptive(rated, *_win_rate(part, both_bad, interval))
            continue
        try:
            inside, result = _estimate_largest(
                part,
                method=method,
                interval=interval,
                both_bad=both_bad,
                position=position,
                shrinkage=shrinkage,
                feature_names=names,
                rounds=rounds,
                seed=seed,
            )
        except NoFiniteFitError as error:
            table.refuse(rated, f"{NO_MAXIMUM}: {error}")
            continue
        table.refuse(np.delete(rated, inside), ONE_WAY_DECIDED)
        table.fill(rated[inside], result, simultaneous=simultaneous, draws=draws, seed=seed)
        table.notes.extend(interval_notes(result, interval))
    return table.finished()


def _sample(
    votes: OutcomeCells | Votes,
    both_bad: BothBad,
    interval: Interval,
    weights: FloatArray | None,
    clusters: Sequence[IntArray],
    features: FloatArray | None,
) -> tuple[Sample, int]:
    """The votes that count, and how many do not: a vote of weight 0 connects nothing."""
    if weights is not None:
        refuse_bad_weights(weights, models=votes.models)
    if isinstance(votes, OutcomeCells):
        if clusters or features is not None:
            raise VoteDataError("clusters and features need single votes, not counts of them")
        cells = votes
        if both_bad == "drop" or weights is not None:
            counts = votes.counts.copy()
            if both_bad == "drop":
                counts[:, :, Outcome.BOTH_BAD] = 0
            if weights is not None:
                counts[weights == 0] = 0
            cells = OutcomeCells(counts)
        return Sample(cells=cells, weights=weights), votes.votes - cells.votes
    if len(clusters) > 2:
        raise VoteDataError(f"{len(clusters)} columns to cluster by: give one or two")
    if len(clusters) == 2 and interval == "bootstrap":
        raise VoteDataError("there is no bootstrap of two ways to cluster: take the sandwich")
    clusters = [numbered(cluster, len(votes)) for cluster in clusters]
    if features is not None:
        refuse_bad_features(features, votes=len(votes))
    kept = np.ones(len(votes), dtype=np.bool_)
    if both_bad == "drop":
        kept &= votes.outcome != Outcome.BOTH_BAD
    if weights is not None:
        kept &= weights[votes.model_a, votes.model_b] > 0
    dropped = len(votes) - int(kept.sum())
    if dropped:
        votes = votes.selected(kept)
        clusters = [cluster[kept] for cluster in clusters]
        features = None if features is None else features[kept]
    return Sample(
        cells=votes.cells(),
        votes=votes,
        clusters=tuple(clusters),
        features=features,
        weights=weights,
    ), dropped


def _feature_names(features: FloatArray | None, names: Sequence[str]) -> tuple[str, ...]:
    count = 0 if features is None or features.ndim != 2 else features.shape[1]
    if names and len(names) != count:
        raise VoteDataError(f"there are {count} features and {len(names)} names of them")
    return tuple(names) or tuple(f"feature {number}" for number in range(count))


def _estimate_largest(
    sample: Sample, *, both_bad: BothBad, **options: Any
) -> tuple[IntArray, Estimates]:
    """Estimate for all models, or else for the largest set that decided votes connect both ways.

    Where a tie is an outcome of its own, ties and wins that lead one way only can leave a
    likelihood without a maximum although they connect the models for Bradley-Terry.
    """
    everybody = np.arange(sample.cells.models)
    try:
        return everybody, estimate(sample, both_bad=both_bad, **options)
    except NoFiniteFitError:
        decided = sample.cells.counts.copy()
        decided[:, :, Outcome.TIE :] = 0
        inside = connectivity(OutcomeCells(decided).pairs(), models=len(everybody)).rated
        if not 2 <= len(inside) < len(everybody):
            raise
        return inside, estimate(sample.restricted_to(inside), both_bad=both_bad, **options)


def _elo(sample: Sample) -> tuple[FloatArray, FloatArray]:
    if sample.votes is None:
        raise VoteDataError("elo depends on the order of the votes, which counts do not have")
    log_odds = online_elo(sample.votes) / POINTS_PER_LOG_ODDS
    return log_odds, np.full(len(log_odds), np.nan)


def _win_rate(
    sample: Sample, both_bad: BothBad, interval: Interval
) -> tuple[FloatArray, FloatArray]:
    found = win_rates(sample.cells.pairs(both_bad), models=sample.cells.models)
    se = found.log_odds_se if interval != "none" else np.full(len(found.log_odds), np.nan)
    return found.log_odds, se


def _refuse_bad_options(**options: Any) -> None:
    for name, known in {"method": Method, "interval": Interval, "both_bad": BothBad}.items():
        if options[name] not in get_args(known):
            raise VoteDataError(
                f"{name} is {options[name]!r}: give one of {', '.join(get_args(known))}"
            )
    for name in ("prior", "ridge"):
        if not (math.isfinite(options[name]) and options[name] >= 0):
            raise VoteDataError(f"{name} is {options[name]}: give a number of at least 0")
    if not 0 < options["level"] < 1:
        raise VoteDataError(f"level is {options['level']}: it lies between 0 and 1")
    for name in ("rounds", "draws"):
        if options[name] < 2:
            raise VoteDataError(f"{name} is {options[name]}: give at least 2")
    if options["interval"] == "bootstrap" and options["rounds"] * (1 - options["level"]) < 1:
        raise VoteDataError(
            f"rounds is {options['rounds']}: no quantiles of level {options['level']} with so few"
        )
