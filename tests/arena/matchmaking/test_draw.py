"""A draw: the stored probability is the one that was drawn by, whatever is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from random import Random
from secrets import SystemRandom

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from scipy.stats import chisquare

from arena.errors import NoLiveModelsError
from arena.matchmaking import draw, pair_draw, pair_odds, uniform


class Given:
    """A sampler with the weights that a test gives."""

    version = "given/1"

    def __init__(self, weights: Sequence[float]) -> None:
        self._weights = np.array(weights)

    def weights(self, *, pool):
        assert list(pool) == sorted(set(pool))
        return self._weights


@pytest.fixture
def sampler(settings, monkeypatch):
    """Makes the weights given the configured sampler."""

    def configure(weights: Sequence[float]) -> None:
        monkeypatch.setattr(f"{__name__}.configured", Given(weights))
        settings.ARENA_PAIR_SAMPLER = f"{__name__}.configured"

    return configure


configured = Given([])

POOL = (11, 3, 7, 5)
# Of (3, 5) (3, 7) (3, 11) (5, 7) (5, 11) (7, 11).
WEIGHTS = (1.0, 2.0, 3.0, 0.0, 4.0, 5.0)


@given(st.data())
@examples(deadline=None)
def test_the_probabilities_of_all_pairs_that_may_be_drawn_add_up_to_one(data):
    pool = data.draw(st.lists(st.integers(1, 2**40), min_size=2, max_size=9, unique=True))
    pairs = list(combinations(sorted(pool), 2))
    weights = data.draw(st.lists(st.floats(0.001, 1e6), min_size=len(pairs), max_size=len(pairs)))
    excluded = data.draw(st.lists(st.sampled_from(pairs), max_size=len(pairs) - 1))

    odds = pair_odds(sampler=Given(weights), pool=pool, excluded=excluded)

    assert odds.probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert [tuple(pair) for pair in odds.pairs] == [p for p in pairs if p not in excluded]
    assert set(odds.excluded) == set(excluded)
    # Leaving pairs out changes no odds between those that stay.
    kept = [weights[pairs.index(tuple(pair))] for pair in odds.pairs.tolist()]
    assert odds.probabilities * sum(kept) == pytest.approx(kept)


def test_pairs_and_sides_are_drawn_as_often_as_is_stored(sampler):
    sampler(WEIGHTS)
    random, draws = Random(1), 6000

    drawn = [pair_draw(pool=POOL, excluded=[(11, 3)], random=random) for _ in range(draws)]

    probability = {(3, 5): 1 / 12, (3, 7): 2 / 12, (5, 11): 4 / 12, (7, 11): 5 / 12}
    stored = {tuple(sorted((d.model_a, d.model_b))): d.probability for d in drawn}
    assert stored == pytest.approx(probability)
    count = Counter((d.model_a, d.model_b) for d in drawn)
    sided = {p: share / 2 for pair, share in probability.items() for p in (pair, pair[::-1])}
    assert set(count) == set(sided)
    assert (
        chisquare(
            [count[pair] for pair in sided], [draws * share for share in sided.values()]
        ).pvalue
        > 0.001
    )


def test_a_draw_tells_its_sampler_and_what_was_really_left_out(sampler):
    sampler(WEIGHTS)

    drawn = pair_draw(pool=POOL, excluded=[(11, 3), (3, 11), (7, 5), (3, 99), (5, 5)])

    assert drawn.sampler == "given/1"
    assert drawn.excluded == ((3, 11), (5, 7))


@pytest.mark.parametrize(
    "excluded",
    [
        pytest.param(list(combinations(POOL, 2)), id="every pair"),
        pytest.param([p for p in combinations(POOL, 2) if p != (7, 5)], id="all of any weight"),
    ],
)
def test_where_no_pair_is_left_the_whole_pool_is_drawn_from(sampler, excluded):
    sampler(WEIGHTS)
    random = Random(2)

    drawn = [pair_draw(pool=POOL, excluded=excluded, random=random) for _ in range(400)]

    assert {d.excluded for d in drawn} == {()}
    probability = {tuple(sorted((d.model_a, d.model_b))): d.probability for d in drawn}
    assert len(probability) == 5
    assert sum(probability.values()) == pytest.approx(1)


def test_a_pool_in_which_nothing_may_be_drawn_has_no_models_to_ask(sampler):
    sampler([0.0])

    with pytest.raises(NoLiveModelsError):
        pair_draw(pool=[1, 2])


@pytest.mark.parametrize(
    "weights", [[1.0], [1.0, 2.0, -1.0], [1.0, float("nan"), 1.0], [1.0, float("inf"), 1.0]]
)
def test_a_sampler_that_makes_no_sense_is_named(weights):
    with pytest.raises(ValueError, match="given/1 must give each of 3 pairs a finite weight"):
        pair_odds(sampler=Given(weights), pool=[1, 2, 3])


@pytest.mark.parametrize("pool", [[], [4], [4, 4]])
def test_one_model_is_no_pair(pool):
    with pytest.raises(ValueError, match="two different models"):
        pair_odds(sampler=uniform, pool=pool)


def test_weights_near_the_ends_of_the_floats_still_add_up():
    odds = pair_odds(sampler=Given([1.7e308, 1.7e308, 5e-324]), pool=[1, 2, 3])

    assert odds.probabilities.tolist() == pytest.approx([0.5, 0.5, 0.0])


class LastNumber(Random):
    """The largest number below one that a generator gives."""

    def random(self) -> float:
        return 1 - 2**-53


def test_the_largest_random_number_draws_the_last_pair(sampler):
    sampler([0.1, 0.7, 0.1])

    drawn = pair_draw(pool=[1, 2, 3], random=LastNumber())

    assert (drawn.model_a, drawn.model_b) == (2, 3)


def test_in_production_the_generator_is_cryptographic():
    assert isinstance(draw._random, SystemRandom)
