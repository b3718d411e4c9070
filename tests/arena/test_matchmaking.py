"""The pair and its probability."""

from __future__ import annotations

from collections import Counter

import pytest

from arena.matchmaking import pair_draw, uniform


@pytest.mark.parametrize("size", [2, 3, 7])
def test_the_probabilities_of_all_pairs_add_up_to_one(size):
    draws = [uniform(pool=range(size)) for _ in range(2000)]

    pairs = {draw.pair: draw.probability for draw in draws}
    assert len(pairs) == size * (size - 1) // 2
    assert sum(pairs.values()) == pytest.approx(1)


def test_each_model_is_shown_first_as_often_as_second():
    draws = [pair_draw(pool=[4, 9]) for _ in range(4000)]

    # 4000 fair coins: 2000 ± 5 standard deviations of 31.6.
    assert abs(Counter(draw.model_a for draw in draws)[4] - 2000) < 158
    assert {frozenset((draw.model_a, draw.model_b)) for draw in draws} == {frozenset((4, 9))}
