"""The rate of both bad is the maximum of the likelihood, standardized, and its intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from scipy.special import expit, log_expit, logit
from scipy.stats import t as student

from ratings.core.both_bad import (
    ALWAYS,
    NEVER,
    ONE_VOTER,
    UNDETERMINED,
    BothBadFit,
    both_bad_rates,
)
from ratings.core.connectivity import NO_VOTES
from ratings.core.estimates import TOO_FEW_VOTERS
from ratings.core.outcomes import FloatArray, IntArray, OutcomeCells, VoteDataError, Votes
from tests.ratings.core.votes import chatbot_arena, votes

TENDENCY = np.array([0.9, 0.3, 0.0, -0.2, -0.4, -0.6])
INTERCEPT = -0.8


def simulated(
    count: int, random: np.random.Generator, *, taste: FloatArray | None = None
) -> tuple[Votes, IntArray]:
    """Votes with the tendencies above; with `taste` a shift of each voter, of heavy activity."""
    models = len(TENDENCY)
    a = random.integers(0, models, count)
    b = (a + random.integers(1, models, count)) % models
    voter, shift = np.arange(count), np.zeros(count)
    if taste is not None:
        activity = random.lognormal(0, 1, len(taste))
        voter = random.choice(len(taste), count, p=activity / activity.sum())
        shift = taste[voter]
    bad = random.random(count) < expit(INTERCEPT + TENDENCY[a] + TENDENCY[b] + shift)
    return Votes(a, b, np.where(bad, 3, random.integers(0, 3, count)), models), voter


def standardized(intercept: float, tendency: FloatArray) -> FloatArray:
    probability = expit(intercept + tendency[:, None] + tendency[None, :])
    return np.array([np.delete(row, model).mean() for model, row in enumerate(probability)])


def coverage(found: list[BothBadFit], truth: FloatArray) -> float:
    return float(np.mean([(fit.lower <= truth) & (truth <= fit.upper) for fit in found]))


@st.composite
def some_cells(draw: st.DrawFn) -> OutcomeCells:
    models = draw(st.integers(2, 5))
    few = st.sampled_from([0, 0, 0, 1, 2])
    counts = np.zeros((models, models, 4), dtype=np.int64)
    for i in range(models):
        for j in range(models):
            if i != j:
                counts[i, j, [0, 3]] = draw(few), draw(few)
    return OutcomeCells(counts)


def test_many_votes_recover_what_they_were_drawn_from() -> None:
    sample, _ = simulated(400_000, np.random.default_rng(1))

    fit = both_bad_rates(sample)

    assert fit.tendency == pytest.approx(TENDENCY, abs=0.02)
    assert fit.intercept == pytest.approx([INTERCEPT], abs=0.02)
    assert fit.rate == pytest.approx(standardized(INTERCEPT, TENDENCY), abs=0.004)
    assert fit.reasons == ("",) * 6


def test_a_direct_maximization_over_single_votes_agrees() -> None:
    sample, _ = simulated(800, np.random.default_rng(2))
    rows, models = np.arange(800), sample.models
    # Intercept, then q of all models but the last, which is minus their sum.
    design = np.zeros((800, models))
    design[rows, sample.model_a] += 1
    design[rows, sample.model_b] += 1
    design = np.column_stack([np.ones(800), design[:, :-1] - design[:, -1:]])
    sign = np.where(sample.outcome == 3, 1, -1)

    def loss(b: FloatArray) -> float:
        return -float(log_expit(sign * (design @ b)).sum())

    def slope(b: FloatArray) -> FloatArray:
        return np.asarray(-design.T @ (sign * expit(-sign * (design @ b))))

    best = minimize(loss, np.zeros(models), jac=slope, method="BFGS", options={"gtol": 1e-8}).x

    fit = both_bad_rates(sample)

    assert fit.intercept[0] == pytest.approx(best[0], abs=1e-6)
    assert fit.tendency == pytest.approx(np.append(best[1:], -best[1:].sum()), abs=1e-6)
    assert fit.rate == pytest.approx(standardized(fit.intercept[0], fit.tendency), abs=1e-12)


def test_the_interval_is_that_of_the_delta_method_on_the_logit() -> None:
    sample, _ = simulated(1200, np.random.default_rng(3))
    rows = np.arange(1200)
    design = np.zeros((1200, sample.models))
    design[rows, sample.model_a] = design[rows, sample.model_b] = 1

    fit = both_bad_rates(sample, level=0.9)

    sides = fit.intercept[0] / 2 + fit.tendency
    probability = expit(design @ sides)
    residual = (sample.outcome == 3) - probability
    bread = np.linalg.inv(design.T * (probability * (1 - probability)) @ design)
    covariance = bread @ (design.T * residual**2 @ design) @ bread
    step = 1e-6
    slope = [
        (standardized(0, sides + step * unit) - standardized(0, sides - step * unit)) / (2 * step)
        for unit in np.eye(sample.models)
    ]
    error = np.sqrt(np.einsum("ki,kl,li->i", slope, covariance, slope))
    error /= fit.rate * (1 - fit.rate)
    assert logit(fit.upper) - logit(fit.rate) == pytest.approx(1.6448536 * error, rel=1e-5)
    assert logit(fit.rate) - logit(fit.lower) == pytest.approx(1.6448536 * error, rel=1e-5)


def test_voters_are_left_out_by_one_step_which_is_near_a_refit() -> None:
    random = np.random.default_rng(4)
    sample, voter = simulated(3000, random, taste=random.normal(0, 0.7, 60))
    rows = np.arange(3000)
    design = np.zeros((3000, sample.models))
    design[rows, sample.model_a] = design[rows, sample.model_b] = 1

    fit = both_bad_rates(sample, voter=voter)

    sides = fit.intercept[0] / 2 + fit.tendency
    probability = expit(design @ sides)
    information = design.T * (probability * (1 - probability))
    steps, refits = [], []
    for one in np.unique(voter):
        left = voter != one
        score = design[left].T @ ((sample.outcome == 3) - probability)[left]
        steps.append(np.linalg.solve(information[:, left] @ design[left], score))
        without = both_bad_rates(sample.selected(left))
        refits.append(without.intercept[0] / 2 + without.tendency - sides)
    slope = [
        (standardized(0, sides + 1e-6 * unit) - standardized(0, sides - 1e-6 * unit)) / 2e-6
        for unit in np.eye(sample.models)
    ]
    width = logit(fit.upper) - logit(fit.lower)
    quantile = student.ppf(0.975, fit.degrees_of_freedom[0])
    for moves, tolerance in ((steps, 1e-6), (refits, 0.02)):
        covariance = np.array(moves).T @ np.array(moves) * (len(moves) - 1) / len(moves)
        error = np.sqrt(np.einsum("ki,kl,li->i", slope, covariance, slope))
        expected = 2 * quantile * error / (fit.rate * (1 - fit.rate))
        assert width == pytest.approx(expected, rel=tolerance)
    sizes = np.bincount(voter)
    assert fit.degrees_of_freedom[0] == pytest.approx(3000**2 / (sizes**2).sum() - 1)


def test_intervals_cover_when_votes_are_independent() -> None:
    random = np.random.default_rng(5)

    found = [both_bad_rates(simulated(700, random)[0]) for _ in range(250)]

    assert 0.93 < coverage(found, standardized(INTERCEPT, TENDENCY)) < 0.97


def test_intervals_cover_when_voters_differ_and_only_clustered_ones() -> None:
    random = np.random.default_rng(6)
    # The population's rates: a voter's shift averaged out, and the maximum that this leads to.
    shifts = np.random.default_rng(0).normal(0, 0.8, 4000)
    mean = expit(INTERCEPT + TENDENCY[:, None, None] + TENDENCY[None, :, None] + shifts).mean(2)
    counts = np.zeros((6, 6, 4), dtype=np.int64)
    counts[:, :, 3] = np.round(1e7 * mean)
    counts[:, :, 0] = 10**7 - counts[:, :, 3]
    counts[np.arange(6), np.arange(6)] = 0
    truth = both_bad_rates(OutcomeCells(counts)).rate

    clustered, independent = [], []
    for _ in range(150):
        sample, voter = simulated(1200, random, taste=random.normal(0, 0.8, 80))
        clustered.append(both_bad_rates(sample, voter=voter))
        independent.append(both_bad_rates(sample))

    assert 0.92 < coverage(clustered, truth) < 0.98
    assert coverage(independent, truth) < 0.85


@given(some_cells(), st.data())
@settings(max_examples=60, deadline=None)
def test_names_and_sides_do_not_matter(cells: OutcomeCells, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(cells.models))))
    turned = OutcomeCells(cells.restricted_to(order).counts.transpose(1, 0, 2))

    straight, other = both_bad_rates(cells), both_bad_rates(turned)

    for name in ("share", "rate", "lower", "upper", "tendency"):
        expected = getattr(straight, name)[order]
        assert getattr(other, name) == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert other.reasons == tuple(straight.reasons[model] for model in order)


@given(some_cells())
@settings(max_examples=150, deadline=None)
def test_an_estimate_is_given_exactly_where_it_is_finite_and_the_only_one(
    cells: OutcomeCells,
) -> None:
    # Albert and Anderson: look for a direction in which the likelihood never falls, by linear
    # programming, as far out as it goes for each model.
    counts = cells.counts + cells.counts.transpose(1, 0, 2)
    first, second = np.nonzero(np.triu(counts.sum(axis=2)))
    sums = np.zeros((len(first), cells.models))
    sums[np.arange(len(first)), first] = sums[np.arange(len(first)), second] = 1
    seen, not_seen = counts[first, second, 3] > 0, counts[first, second, 0] > 0
    bounds = np.concatenate([-sums[seen], sums[not_seen]])

    fit = both_bad_rates(cells)

    for model in range(cells.models):
        reach = max(
            -linprog(
                sign * np.eye(cells.models)[model],
                A_ub=bounds if len(bounds) else None,
                b_ub=np.zeros(len(bounds)) if len(bounds) else None,
                bounds=(-1, 1),
            ).fun
            for sign in (1, -1)
        )
        assert np.isfinite(fit.rate[model]) == (reach < 1e-9)
        assert (fit.reasons[model] == "") == bool(np.isfinite(fit.rate[model]))


def test_why_there_is_no_estimate() -> None:
    triangle = [(0, 1, 3), (0, 1, 0), (1, 2, 3), (1, 2, 1), (0, 2, 3), (2, 0, 2)]
    cells = votes(*triangle, (3, 0, 0), (3, 1, 2), (4, 0, 3), (5, 6, 3), (5, 6, 0), models=8)

    fit = both_bad_rates(cells)

    assert fit.reasons == ("", "", "", NEVER, ALWAYS, UNDETERMINED, UNDETERMINED, NO_VOTES)
    assert fit.group.tolist() == [0, 0, 0, -1, -1, -1, -1, -1]
    assert np.isnan(fit.rate[3:]).all()
    assert np.isnan(fit.upper[3:]).all()
    assert fit.share == pytest.approx([0.5, 0.4, 0.5, 0, 1, 0.5, 0.5, np.nan], nan_ok=True)
    assert fit.votes.tolist() == [6, 5, 4, 2, 1, 2, 2, 0]
    # What is said of the triangle does not hang on battles with models that have no estimate.
    assert fit.rate[:3] == pytest.approx([0.5, 0.5, 0.5])


def test_each_group_is_standardized_within_itself() -> None:
    def triangle(start: int, both_bad: int) -> list[tuple[int, int, int]]:
        pairs = [(start, start + 1), (start + 1, start + 2), (start, start + 2)]
        return [(a, b, o) for a, b in pairs for o in [3] * both_bad + [0] * (4 - both_bad)]

    fit = both_bad_rates(votes(*triangle(0, 1), *triangle(3, 3), models=6))

    assert fit.group.tolist() == [0, 0, 0, 1, 1, 1]
    assert fit.rate == pytest.approx([0.25] * 3 + [0.75] * 3)
    assert fit.intercept == pytest.approx([logit(0.25), logit(0.75)])


def test_few_voters_leave_rates_without_intervals() -> None:
    sample, _ = simulated(500, np.random.default_rng(7))
    voter = np.arange(500) % 9

    fit = both_bad_rates(sample, voter=voter)

    assert np.isfinite(fit.rate).all()
    assert np.isnan(fit.lower).all()
    assert fit.reasons == (TOO_FEW_VOTERS,) * 6


def test_a_model_that_one_voter_alone_connects_has_no_interval() -> None:
    sample, voter = simulated(600, np.random.default_rng(8))
    only = [(6, 0, 3), (6, 0, 0), (6, 1, 3), (6, 1, 0)]
    a, b, outcome = np.array(only).T
    joined = Votes(
        np.append(sample.model_a, a),
        np.append(sample.model_b, b),
        np.append(sample.outcome, outcome),
        7,
    )

    fit = both_bad_rates(joined, voter=np.append(voter % 40, [1000] * 4))

    assert fit.reasons == ("",) * 6 + (ONE_VOTER,)
    assert np.isfinite(fit.rate).all()
    assert np.isfinite(fit.lower[:6]).all()
    assert np.isnan(fit.lower[6])


def test_real_arena_votes() -> None:
    cells, names = chatbot_arena()

    fit = both_bad_rates(cells)

    assert fit.reasons == ("",) * len(names)
    assert ((fit.lower < fit.rate) & (fit.rate < fit.upper)).all()
    # At the maximum each model has as many battles ended both bad as it was expected to have.
    met = cells.counts.sum(axis=2) + cells.counts.sum(axis=2).T
    expected = met * expit(fit.intercept[0] + fit.tendency[:, None] + fit.tendency[None, :])
    assert expected.sum(axis=1) == pytest.approx(fit.share * fit.votes, abs=1e-4)


def test_wrong_input_is_refused() -> None:
    sample = Votes(np.array([0, 0]), np.array([1, 1]), np.array([0, 3]), 2)

    with pytest.raises(VoteDataError, match="voters need single votes, not counts of them"):
        both_bad_rates(sample.cells(), voter=np.array([1, 2]))
    with pytest.raises(VoteDataError, match=r"^voter has shape \(1,\), not \(2,\)$"):
        both_bad_rates(sample, voter=np.array([1]))
    with pytest.raises(VoteDataError, match=r"^voter holds float64, not integers$"):
        both_bad_rates(sample, voter=np.array([1.0, 2.0]))
    with pytest.raises(VoteDataError, match="level 95 is not between 0 and 1"):
        both_bad_rates(sample, level=95)


def test_no_votes_at_all() -> None:
    fit = both_bad_rates(OutcomeCells(np.zeros((2, 2, 4), dtype=np.int64)))

    assert fit.reasons == (NO_VOTES, NO_VOTES)
    assert len(fit.intercept) == 0
