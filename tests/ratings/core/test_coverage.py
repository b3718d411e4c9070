"""Intervals cover what they promise: `benchmarks/coverage.py` with few replicates.

The bounds are the promised ones, widened by three Monte-Carlo standard errors of the run.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from benchmarks.coverage import (
    CLUSTERED,
    INDEPENDENT,
    RANKS_COVERED,
    SETTINGS,
    Coverage,
    Setting,
    replicate,
    summed,
)
from benchmarks.simulated_votes import Population, draw, projection
from ratings.core.bradley_terry import MEAN_RATING, POINTS_PER_LOG_ODDS, fit_bradley_terry

REPLICATES = 200
SETTING = {setting.name: setting for setting in SETTINGS}
INDEPENDENT_VOTES = "1,000 independent votes"
EQUAL = "4,000 independent votes on equal models"
TASTES = "200 voters with tastes, equal activity"
HEAVY_TAILED = "200 voters with tastes, log-normal activity"


@cache
def covered(name: str) -> dict[str, Coverage]:
    setting = SETTING[name]
    rows = summed(setting, replicate(setting, range(REPLICATES)))
    return {row.intervals: row for row in rows}


@pytest.mark.parametrize(
    ("name", "intervals"),
    [
        (INDEPENDENT_VOTES, INDEPENDENT),
        (INDEPENDENT_VOTES, CLUSTERED),
        (TASTES, CLUSTERED),
        (HEAVY_TAILED, CLUSTERED),
    ],
)
def test_95_percent_intervals_cover_95_percent(name: str, intervals: str) -> None:
    row = covered(name)[intervals]

    slack = 3 * row.error
    assert slack < 0.03
    assert 0.93 - slack <= row.coverage <= 0.97 + slack


def test_independent_intervals_miss_where_few_voters_cast_most_votes() -> None:
    rows = covered(HEAVY_TAILED)

    assert rows[INDEPENDENT].coverage < 0.90
    assert rows[CLUSTERED].width > 1.3 * rows[INDEPENDENT].width


@pytest.mark.parametrize(("name", "intervals"), [(EQUAL, INDEPENDENT), (HEAVY_TAILED, CLUSTERED)])
def test_rank_ranges_hold_for_all_models_at_once(name: str, intervals: str) -> None:
    row = covered(name)[intervals]

    assert row.ranks >= RANKS_COVERED - 3 * (0.05 * 0.95 / REPLICATES) ** 0.5


def test_no_interval_is_given_below_ten_effective_voters() -> None:
    few = Population(voters=20, votes=400, taste_sd=0.7, activity_sd=1.5)
    given = {True: 0, False: 0}

    for found in replicate(Setting("few voters", few, {}), range(40)):
        coverage, _, _, effective = found[CLUSTERED]
        assert np.isnan(coverage) == (effective < 10)
        given[bool(np.isfinite(coverage))] += 1

    assert min(given.values()) > 0


def test_without_tastes_the_truth_is_the_strength_and_ties_shrink_it() -> None:
    population = Population(voters=10, votes=10, taste_sd=0.0, activity_sd=0.0, ties=0.0)

    assert projection(population) == pytest.approx(
        MEAN_RATING + POINTS_PER_LOG_ODDS * population.strength, abs=1e-6
    )
    with_ties = projection(Population(voters=10, votes=10, taste_sd=0.0, activity_sd=0.0))
    assert np.ptp(with_ties) < 0.95 * np.ptp(projection(population))


def test_the_projection_is_where_ratings_of_ever_more_voters_end() -> None:
    population = Population(voters=200_000, votes=2_000_000, taste_sd=0.7, activity_sd=0.0)
    votes, _ = draw(population, np.random.default_rng(1))

    fit = fit_bradley_terry(votes.cells().pairs(), models=population.models)

    # Four standard errors.
    assert fit.ratings == pytest.approx(projection(population), abs=4 * 0.6)
