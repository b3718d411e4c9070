"""Every likelihood is maximized, whatever stands beside the models, and its errors are right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from ratings.core.bradley_terry import POINTS_PER_LOG_ODDS
from ratings.core.comparisons import PairComparisons, VoteComparisons
from ratings.core.fitting import NoFiniteFitError, PairedFit, Shrinkage, fit, sandwich
from ratings.core.likelihoods import LIKELIHOODS
from ratings.core.outcomes import FloatArray, Outcome, VoteDataError, Votes
from ratings.core.standings import standings
from tests.ratings.core.votes import drawn, votes

METHODS = tuple(LIKELIHOODS)
MODELS = 5


def sample(seed: int = 5, count: int = 600) -> Votes:
    return Votes(*drawn(MODELS, count, seed), MODELS)


def written_out(method: str) -> Callable[[FloatArray, float], FloatArray]:
    """Log-probabilities of win, loss and tie as the papers print them, shape (3, rows)."""

    def bradley_terry(gap: FloatArray, _tie: float) -> FloatArray:
        strength = np.exp(gap)
        win, loss = strength / (strength + 1), 1 / (strength + 1)
        return np.log([win, loss, np.sqrt(win * loss)])

    def davidson(gap: FloatArray, tie: float) -> FloatArray:
        strength = np.exp(gap)
        total = strength + 1 + np.exp(tie) * np.sqrt(strength)
        return np.log([strength / total, 1 / total, np.exp(tie) * np.sqrt(strength) / total])

    def rao_kupper(gap: FloatArray, tie: float) -> FloatArray:
        strength, kappa = np.exp(gap), np.exp(tie)
        win, loss = strength / (strength + kappa), 1 / (1 + kappa * strength)
        return np.log([win, loss, 1 - win - loss])

    return {"bradley-terry": bradley_terry, "davidson": davidson, "rao-kupper": rao_kupper}[method]


def negative_log_likelihood(
    method: str, data: Votes, design: FloatArray
) -> Callable[[FloatArray], float]:
    row = np.arange(len(data))
    outcome = np.minimum(data.outcome, Outcome.TIE)

    def value(parameters: FloatArray) -> float:
        log_odds = np.append(parameters[: MODELS - 1], -parameters[: MODELS - 1].sum())
        effects = parameters[MODELS - 1 : MODELS - 1 + design.shape[1]]
        gap = log_odds[data.model_a] - log_odds[data.model_b] + design @ effects
        return -float(written_out(method)(gap, parameters[-1])[outcome, row].sum())

    return value


def maximum_by_search(method: str, data: Votes, design: FloatArray) -> FloatArray:
    """Log-odds and effects from a general optimizer that knows no derivatives of ours."""
    has_tie = LIKELIHOODS[method].has_tie
    start = np.zeros(MODELS - 1 + design.shape[1] + 1)
    start[-1] = 0.3
    value = negative_log_likelihood(method, data, design)
    found = minimize(value, start, method="BFGS", options={"gtol": 1e-6, "maxiter": 2000}).x
    log_odds = np.append(found[: MODELS - 1], -found[: MODELS - 1].sum())
    effects = found[MODELS - 1 :] if has_tie else found[MODELS - 1 : -1]
    return np.concatenate([log_odds, effects])


def values(found: PairedFit) -> FloatArray:
    return np.concatenate([found.log_odds, found.effects])


@pytest.mark.parametrize("method", METHODS)
def test_the_maximum_is_that_of_a_general_optimizer(method: str) -> None:
    data = sample()
    pairs = PairComparisons(data.cells().pairs(), MODELS)

    found = fit(pairs, likelihood=LIKELIHOODS[method])

    expected = maximum_by_search(method, data, np.zeros((len(data), 0)))
    assert values(found) == pytest.approx(expected, abs=2e-5)
    assert found.gradient <= 1e-10


@pytest.mark.parametrize("method", METHODS)
def test_effects_of_position_and_features_are_fitted_with_the_models(method: str) -> None:
    data = sample()
    features = np.random.default_rng(2).normal(size=(len(data), 2))

    found = fit(VoteComparisons(data, features, position=True), likelihood=LIKELIHOODS[method])

    design = np.column_stack([features, np.ones(len(data))])
    assert values(found) == pytest.approx(maximum_by_search(method, data, design), abs=2e-5)


@pytest.mark.parametrize("method", METHODS)
def test_pairs_and_single_votes_give_the_same_fit_and_the_same_errors(method: str) -> None:
    data = sample()
    pairs = PairComparisons(data.cells().ordered_pairs(), MODELS, position=True)
    single = VoteComparisons(data, position=True)

    by_pair, by_vote = (fit(rows, likelihood=LIKELIHOODS[method]) for rows in (pairs, single))

    assert values(by_pair) == pytest.approx(values(by_vote), abs=1e-9)
    assert sandwich(pairs, by_pair) == pytest.approx(sandwich(single, by_vote), abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_the_sandwich_is_that_of_scores_and_curvature_taken_numerically(method: str) -> None:
    data = sample(count=200)
    has_tie = LIKELIHOODS[method].has_tie
    pairs = PairComparisons(data.cells().pairs(), MODELS)
    found = fit(pairs, likelihood=LIKELIHOODS[method])

    size = MODELS - 1 + has_tie
    at = np.append(found.log_odds[:-1], found.effects if has_tie else 0.0)
    none = np.zeros((len(data), 0))

    def gradient(rows: Votes) -> FloatArray:
        value = negative_log_likelihood(method, rows, none[: len(rows)])
        return np.asarray(approx_fprime(at, value, 1e-6))[:size]

    def gradient_at(parameters: FloatArray) -> FloatArray:
        value = negative_log_likelihood(method, data, none)
        return np.asarray(approx_fprime(parameters, value, 1e-6))[:size]

    step = 1e-4
    curvature = np.array(
        [
            (gradient_at(at + step * unit) - gradient_at(at - step * unit)) / (2 * step)
            for unit in np.eye(len(at))[:size]
        ]
    )
    scores = np.array([gradient(data.selected(np.array([row]))) for row in range(len(data))])
    bread = np.linalg.inv(curvature)
    expected = bread @ (scores.T @ scores) @ bread
    free = [*range(MODELS - 1), *([MODELS] if has_tie else [])]
    assert sandwich(pairs, found)[np.ix_(free, free)] == pytest.approx(expected, rel=2e-2, abs=1e-5)


def test_a_feature_that_drives_the_votes_is_found_and_taken_off_the_ratings() -> None:
    random = np.random.default_rng(8)
    a, b, _ = drawn(MODELS, 20_000, seed=8)
    # Model 0 writes long answers, and length is all that voters look at.
    length = random.normal(size=len(a)) + (a == 0) - (b == 0)
    outcome = np.where(random.random(len(a)) < 1 / (1 + np.exp(-length)), 0, 1)
    data = Votes(a, b, outcome, MODELS)

    plain = fit(VoteComparisons(data), likelihood=LIKELIHOODS["bradley-terry"])
    adjusted = fit(VoteComparisons(data, length[:, None]), likelihood=LIKELIHOODS["bradley-terry"])

    assert plain.log_odds[0] > 0.6
    assert abs(adjusted.log_odds[0]) < 0.1
    assert adjusted.effects[0] == pytest.approx(1, abs=0.05)


def test_a_prior_is_virtual_votes_against_an_average_player() -> None:
    data = votes((0, 1, 0), (1, 2, 0), (0, 2, 0), models=3)

    found = fit(
        PairComparisons(data.pairs(), 3),
        likelihood=LIKELIHOODS["bradley-terry"],
        shrinkage=Shrinkage(prior=2.0),
    )

    # The same with the average player in the data, tied with twice by each.
    with_player = votes(
        (0, 1, 0), (1, 2, 0), (0, 2, 0), *[(model, 3, 2) for model in (0, 1, 2)] * 2, models=4
    )
    explicit = fit(PairComparisons(with_player.pairs(), 4), likelihood=LIKELIHOODS["bradley-terry"])
    expected = explicit.log_odds[:3] - explicit.log_odds[:3].mean()
    assert found.log_odds == pytest.approx(expected, abs=1e-9)


def test_a_prior_widens_intervals_to_those_of_the_posterior_and_fades_with_votes() -> None:
    def error(times: int, prior: float) -> float:
        # As many wins as losses, so that the votes vary just as the model says.
        cells = votes(*[(0, 1, 0), (1, 0, 0)] * times, models=2)
        return float(standings(cells, prior=prior).se[0])

    one_vote_of_each = 1 / 4
    information = 2 * one_vote_of_each * 10 * 2 + 3 * one_vote_of_each
    assert error(10, 3.0) == pytest.approx(POINTS_PER_LOG_ODDS / np.sqrt(2 * information))
    assert error(1000, 3.0) == pytest.approx(error(1000, 0.0), rel=0.01)


def test_one_vote_and_a_prior_tell_nobody_apart() -> None:
    result = standings(votes((0, 1, 0), models=2), prior=1.0)

    assert result.rank.tolist() == [1, 2]
    assert result.rank_low.tolist() == [1, 1]


def test_a_ridge_makes_finite_what_was_not_and_fades_with_votes() -> None:
    def spread(times: int) -> float:
        cells = votes(*[(0, 1, 0)] * times, models=2)
        found = fit(
            PairComparisons(cells.pairs(), 2),
            likelihood=LIKELIHOODS["bradley-terry"],
            shrinkage=Shrinkage(ridge=1.0),
        )
        # At the maximum the last derivative is zero: times * P(loss) = ridge * log-odds.
        gap = found.log_odds[0] - found.log_odds[1]
        assert times / (1 + np.exp(gap)) == pytest.approx(found.log_odds[0], abs=1e-9)
        return float(gap)

    assert 0 < spread(1) < spread(10) < spread(1000)


def test_weights_multiply_votes_in_the_fit_and_twice_in_the_variance() -> None:
    data = sample()
    weights = np.full((MODELS, MODELS), 3.0)
    plain = PairComparisons(data.cells().pairs(), MODELS)
    tripled = PairComparisons(data.cells().pairs(), MODELS, weights)

    light, heavy = (fit(rows, likelihood=LIKELIHOODS["bradley-terry"]) for rows in (plain, tripled))

    assert heavy.log_odds == pytest.approx(light.log_odds, abs=1e-9)
    # A vote that weighs three is still one vote.
    assert sandwich(tripled, heavy) == pytest.approx(sandwich(plain, light), abs=1e-10)


def test_a_weight_of_two_rates_as_two_votes_would() -> None:
    data = sample()
    weights = np.ones((MODELS, MODELS))
    weights[0, 1] = weights[1, 0] = 2.0
    doubled = data.cells().counts.copy()
    doubled[0, 1] *= 2
    doubled[1, 0] *= 2

    weighted = fit(
        PairComparisons(data.cells().pairs(), MODELS, weights),
        likelihood=LIKELIHOODS["davidson"],
    )

    repeated = fit(
        PairComparisons(type(data.cells())(doubled).pairs(), MODELS),
        likelihood=LIKELIHOODS["davidson"],
    )
    assert values(weighted) == pytest.approx(values(repeated), abs=1e-9)


@pytest.mark.parametrize("method", ["davidson", "rao-kupper"])
@pytest.mark.parametrize(
    "rows",
    [
        [(0, 1, 0), (1, 0, 0)],
        [(0, 1, 2)],
        # One win and one tie: the likelihood climbs for ever while the chance of a loss recedes.
        [(0, 1, 0), (0, 1, 2)],
        # As many ties as wins on the way round.
        [(0, 1, 0), (1, 2, 0), (2, 3, 2), (3, 0, 2)],
    ],
)
def test_a_tie_parameter_that_the_votes_leave_open_is_refused(
    method: str, rows: list[tuple[int, int, int]]
) -> None:
    with pytest.raises(NoFiniteFitError):
        fit(PairComparisons(votes(*rows, models=4).pairs(), 4), likelihood=LIKELIHOODS[method])


@pytest.mark.parametrize("method", ["davidson", "rao-kupper"])
def test_more_wins_than_ties_on_the_way_round_are_enough_for_a_tie_parameter(method: str) -> None:
    pairs = votes((0, 1, 0), (1, 2, 0), (2, 0, 2), models=3).pairs()

    found = fit(PairComparisons(pairs, 3), likelihood=LIKELIHOODS[method])

    assert found.gradient <= 1e-10
    assert np.abs(values(found)).max() < 10


def test_a_feature_that_foretells_every_vote_is_refused() -> None:
    data = sample()
    features = np.where(data.outcome == Outcome.A_WINS, 1.0, -1.0)[:, None]
    decided = np.flatnonzero(data.outcome < Outcome.TIE)

    with pytest.raises(NoFiniteFitError):
        fit(
            VoteComparisons(data.selected(decided), features[decided]),
            likelihood=LIKELIHOODS["bradley-terry"],
        )


def test_a_feature_that_is_the_same_for_every_vote_of_a_model_cannot_be_told_from_it() -> None:
    data = sample()
    features = ((data.model_a == 0) * 1.0 - (data.model_b == 0))[:, None]

    with pytest.raises(NoFiniteFitError):
        fit(VoteComparisons(data, features), likelihood=LIKELIHOODS["bradley-terry"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_feature_that_is_no_number_is_named_by_row_and_column(bad: float) -> None:
    data = sample()
    features = np.zeros((len(data), 2))
    features[17, 1] = bad

    with pytest.raises(VoteDataError, match="row 17: feature 1"):
        VoteComparisons(data, features)
