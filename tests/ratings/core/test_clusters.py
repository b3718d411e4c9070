"""Clustered intervals are those of leaving each voter out, however many votes the voter cast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ratings.core.clusters import (
    clustered_covariance,
    effective_clusters,
    effective_clusters_by_model,
    multiplier_bootstrap,
)
from ratings.core.comparisons import PairComparisons, VoteComparisons
from ratings.core.fitting import BorderedMatrix, PairedFit, fit, sandwich, score_vector
from ratings.core.leave_one_out import leave_one_out
from ratings.core.likelihoods import LIKELIHOODS
from ratings.core.linear import centred
from ratings.core.outcomes import FloatArray, IntArray, VoteDataError, Votes
from tests.ratings.core.votes import drawn

MODELS = 6


def sample(
    count: int = 1200, voters: int = 60, seed: int = 3, activity: float = 1.0
) -> tuple[Votes, IntArray]:
    random = np.random.default_rng(seed)
    share = np.exp(random.normal(0, activity, voters))
    voter = random.choice(voters, count, p=share / share.sum())
    return Votes(*drawn(MODELS, count, seed), MODELS), voter


def estimates(found: PairedFit) -> FloatArray:
    return np.concatenate([found.log_odds, found.effects])


def moves(
    comparisons: VoteComparisons, found: PairedFit, cluster: IntArray
) -> tuple[FloatArray, FloatArray]:
    """What leaving each voter out moves, in the order of the voters' numbers, and if it exists."""
    numbers, moved, known = map(
        np.concatenate, zip(*leave_one_out(comparisons, found, cluster), strict=True)
    )
    order = np.argsort(numbers)
    assert np.array_equal(numbers[order], np.unique(cluster))
    return moved[order], known[order]


def one_newton_step_without(
    comparisons: VoteComparisons, found: PairedFit, rows: FloatArray
) -> FloatArray:
    """The move written out: the voter's score through the inverse of all other information."""
    block = comparisons.block(np.flatnonzero(rows))
    terms = found.terms(block)
    size = MODELS + len(found.effects)
    score, own = np.zeros(size), np.zeros((size, size))
    for row in range(len(block.first)):
        direction = np.zeros(size)
        direction[block.first[row]] += 1
        direction[block.second[row]] -= 1
        if block.design is not None:
            direction[MODELS : MODELS + block.design.shape[1]] = block.design[row]
        score += terms.score[row] * direction
        own += terms.information[row] * np.outer(direction, direction)
        if (
            terms.tie_score is not None
            and terms.cross_information is not None
            and terms.tie_information is not None
        ):
            score[-1] += terms.tie_score[row]
            own[-1] += terms.cross_information[row] * direction
            own[:, -1] += terms.cross_information[row] * direction
            own[-1, -1] += terms.tie_information[row]
    return np.asarray(np.linalg.pinv(found.information - own, 1e-9, hermitian=True) @ score)


@pytest.mark.parametrize("method", list(LIKELIHOODS))
@pytest.mark.parametrize("with_effects", [False, True])
def test_each_move_is_the_newton_step_without_the_voter(method: str, with_effects: bool) -> None:
    votes, voter = sample(activity=2.0)
    features = np.random.default_rng(1).normal(size=(len(votes), 2)) if with_effects else None
    comparisons = VoteComparisons(votes, features, position=with_effects)
    found = fit(comparisons, likelihood=LIKELIHOODS[method])

    moved, known = moves(comparisons, found, voter)

    assert known.all()
    present = np.unique(voter)
    assert len(moved) == len(present)
    # The busiest voter has too much leverage for the series and is solved by itself.
    assert np.bincount(voter).max() > 0.25 * len(votes)
    for row, number in enumerate(present):
        expected = one_newton_step_without(comparisons, found, voter == number)
        assert moved[row] == pytest.approx(expected, abs=2e-6)


def test_leaving_a_voter_out_is_nearly_a_full_refit_without_the_votes() -> None:
    votes, voter = sample()
    comparisons = VoteComparisons(votes)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])

    moved, _ = moves(comparisons, found, voter)

    for row, number in enumerate(np.unique(voter)):
        rest = votes.selected(voter != number).cells().pairs()
        refit = fit(PairComparisons(rest, MODELS), likelihood=LIKELIHOODS["bradley-terry"])
        move = found.log_odds - refit.log_odds
        assert np.abs(moved[row] - move).max() < 0.05 * np.abs(move).max() + 1e-4


def test_the_covariance_is_the_jackknife_of_full_refits() -> None:
    votes, voter = sample()
    comparisons = VoteComparisons(votes)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])

    ours = clustered_covariance(comparisons, found, [voter]).covariance

    refits = np.array(
        [
            fit(
                PairComparisons(votes.selected(voter != number).cells().pairs(), MODELS),
                likelihood=LIKELIHOODS["bradley-terry"],
            ).log_odds
            for number in np.unique(voter)
        ]
    )
    away = refits - found.log_odds
    expected = (len(refits) - 1) / len(refits) * away.T @ away
    assert np.sqrt(np.diag(ours)) == pytest.approx(np.sqrt(np.diag(expected)), rel=0.03)
    assert ours.sum(axis=0) == pytest.approx(0, abs=1e-12)


def test_voters_of_one_vote_each_are_independent_votes() -> None:
    votes, _ = sample(count=4000)
    comparisons = VoteComparisons(votes)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])

    result = clustered_covariance(comparisons, found, [np.arange(len(votes))])

    assert result.effective_clusters == pytest.approx(4000)
    ratio = np.diag(result.covariance) / np.diag(sandwich(comparisons, found))
    assert ratio == pytest.approx(1, abs=0.01)


def test_a_voter_who_repeats_every_vote_adds_nothing() -> None:
    votes, voter = sample()
    comparisons = VoteComparisons(votes)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])
    twice = np.tile(np.arange(len(votes)), 2)
    repeated = VoteComparisons(votes.selected(twice))
    found_twice = fit(repeated, likelihood=LIKELIHOODS["bradley-terry"])

    once = clustered_covariance(comparisons, found, [voter])
    again = clustered_covariance(repeated, found_twice, [voter[twice]])

    assert again.covariance == pytest.approx(once.covariance, rel=1e-5, abs=1e-9)
    assert again.effective_clusters == pytest.approx(once.effective_clusters)
    # Independent votes would have halved the variance.
    assert np.diag(sandwich(repeated, found_twice)) == pytest.approx(
        np.diag(sandwich(comparisons, found)) / 2, rel=1e-6
    )


def test_the_order_and_the_numbers_of_voters_do_not_matter() -> None:
    votes, voter = sample()
    found = fit(VoteComparisons(votes), likelihood=LIKELIHOODS["bradley-terry"])
    order = np.random.default_rng(0).permutation(len(votes))

    straight = clustered_covariance(VoteComparisons(votes), found, [voter])
    shuffled = clustered_covariance(
        VoteComparisons(votes.selected(order)), found, [1000 - 7 * voter[order]]
    )

    assert shuffled.covariance == pytest.approx(straight.covariance, rel=1e-6, abs=1e-12)


def test_two_ways_are_both_less_the_votes_that_share_voter_and_prompt() -> None:
    votes, voter = sample()
    prompt = np.random.default_rng(9).integers(0, 40, len(votes))
    comparisons = VoteComparisons(votes)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])

    def one_way(cluster: IntArray) -> FloatArray:
        return clustered_covariance(comparisons, found, [cluster]).covariance

    two_way = clustered_covariance(comparisons, found, [voter, prompt])

    expected = one_way(voter) + one_way(prompt) - one_way(voter * 40 + prompt)
    # Where the difference is a covariance, nothing is cut off it.
    assert np.linalg.eigvalsh(expected).min() > -1e-12
    assert two_way.covariance == pytest.approx(expected, abs=1e-9)
    assert two_way.effective_clusters == min(effective_clusters(voter), effective_clusters(prompt))


def test_a_prompt_for_each_vote_is_no_second_way() -> None:
    votes, voter = sample()
    comparisons = VoteComparisons(votes)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])

    one = clustered_covariance(comparisons, found, [voter])
    two = clustered_covariance(comparisons, found, [voter, np.arange(len(votes))])

    assert two.covariance == pytest.approx(one.covariance, abs=1e-9)


@pytest.mark.parametrize("method", list(LIKELIHOODS))
def test_voters_who_met_few_of_many_models_are_left_out_as_exactly(method: str) -> None:
    models, random = 30, np.random.default_rng(1)
    votes = Votes(*drawn(models, 600, seed=2), models)
    voter = random.integers(0, 120, 600)
    comparisons = VoteComparisons(votes, random.normal(size=(600, 2)), position=True)
    found = fit(comparisons, likelihood=LIKELIHOODS[method])

    numbers, moved, known = map(
        np.concatenate, zip(*leave_one_out(comparisons, found, voter), strict=True)
    )

    inverse = found.system.inverse()
    for number, move in zip(numbers[known.all(axis=1)], moved[known.all(axis=1)], strict=True):
        block = comparisons.block(np.flatnonzero(voter == number))
        terms = found.terms(block)
        own = BorderedMatrix(models=models, effects=len(found.effects))
        own.add(block, terms)
        score = score_vector(block, terms, models=models, effects=len(found.effects))
        # What is left of the information takes the move to the score.
        missed = centred((found.information - own.matrix()) @ move - score, models=models)
        assert np.abs(inverse @ missed).max() < 1e-6


def test_the_effective_voters_of_a_model_are_those_of_its_own_votes() -> None:
    votes = Votes(np.array([0, 0, 0, 1, 2]), np.array([1, 1, 1, 2, 3]), np.zeros(5, int), 5)

    effective = effective_clusters_by_model(votes, np.array([8, 8, 9, 9, 9]))

    assert effective.tolist() == pytest.approx([9 / 5, 2, 1, 1, 0])


def test_a_model_that_one_voter_alone_connects_has_no_interval() -> None:
    votes, voter = sample()
    lone = Votes(
        np.append(votes.model_a, [0, 1, 6, 6]),
        np.append(votes.model_b, [6, 6, 2, 0]),
        np.append(votes.outcome, [0, 1, 0, 1]),
        MODELS + 1,
    )
    voter = np.append(voter, [99] * 4)
    comparisons = VoteComparisons(lone)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])

    result = clustered_covariance(comparisons, found, [voter])

    assert result.has_interval.tolist() == [True] * MODELS + [False]
    assert np.isfinite(result.covariance).all()
    without = VoteComparisons(votes)
    before = clustered_covariance(
        without, fit(without, likelihood=LIKELIHOODS["bradley-terry"]), [voter[:-4]]
    )
    # The difference of two other models is as uncertain as it was.
    contrast = np.eye(MODELS + 1)[3] - np.eye(MODELS + 1)[4]
    assert contrast @ result.covariance @ contrast == pytest.approx(
        contrast[:-1] @ before.covariance @ contrast[:-1], rel=0.05
    )


@pytest.mark.parametrize(
    ("sizes", "effective"), [([5] * 20, 20), ([100, 1], 101**2 / 10001), ([7], 1), ([], 0)]
)
def test_unequal_voters_count_for_fewer(sizes: Sequence[int], effective: float) -> None:
    cluster = np.repeat(np.arange(len(sizes)), sizes).astype(np.int64)

    assert effective_clusters(cluster) == pytest.approx(effective)


def test_the_multiplier_bootstrap_spreads_as_full_refits_with_weighted_voters() -> None:
    votes, voter = sample(count=2000, voters=150, activity=0.5)
    comparisons = VoteComparisons(votes)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])
    random = np.random.default_rng(5)

    def refit() -> FloatArray:
        weight = random.standard_exponential(voter.max() + 1)[voter]
        counts = np.zeros((MODELS, MODELS, 4))
        np.add.at(counts, (votes.model_a, votes.model_b, votes.outcome), weight)
        pairs = votes.cells().ordered_pairs()
        weighted = type(pairs)(
            pairs.first,
            pairs.second,
            counts[pairs.first, pairs.second, 0],
            counts[pairs.first, pairs.second, 1],
            counts[pairs.first, pairs.second, 2:].sum(axis=1),
        )
        return fit(
            PairComparisons(weighted, MODELS), likelihood=LIKELIHOODS["bradley-terry"]
        ).log_odds

    refits = np.array([refit() for _ in range(500)])
    draws = multiplier_bootstrap(comparisons, found, voter, rounds=2000, seed=1)

    assert draws.shape == (2000, MODELS)
    assert draws.mean(axis=0) == pytest.approx(found.log_odds, abs=0.02)
    assert draws.std(axis=0) == pytest.approx(refits.std(axis=0), rel=0.15)
    assert estimates(found) == pytest.approx(found.log_odds)


@pytest.mark.parametrize(
    ("cluster", "says"),
    [
        (np.zeros(3, dtype=np.int64), "shape"),
        (np.zeros(1200), "not integers"),
        (np.append(np.zeros(1199, dtype=np.int64), -1), "row 1199: a negative"),
    ],
)
def test_clusters_that_do_not_fit_the_votes_are_refused(cluster: Any, says: str) -> None:
    votes, _ = sample()
    comparisons = VoteComparisons(votes)
    found = fit(comparisons, likelihood=LIKELIHOODS["bradley-terry"])

    with pytest.raises(VoteDataError, match=says):
        clustered_covariance(comparisons, found, [cluster])
