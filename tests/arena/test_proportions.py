"""Wilson's interval, against another implementation."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from arena.proportions import wilson


@pytest.mark.parametrize(("count", "of"), [(0, 1), (1, 1), (0, 40), (3, 10), (517, 1000), (40, 40)])
def test_it_is_the_interval_of_scipy(count, of):
    theirs = binomtest(count, of).proportion_ci(method="wilson")

    ours = wilson(count, of)

    assert ours is not None
    assert (ours.value, ours.lower, ours.upper) == pytest.approx(
        (count / of, theirs.low, theirs.high), abs=1e-12
    )
    assert 0 <= ours.lower <= ours.value <= ours.upper <= 1


def test_nothing_has_no_share():
    assert wilson(0, 0) is None


@pytest.mark.parametrize(("count", "of"), [(2, 1), (-1, 4)])
def test_more_than_there_are_is_no_share(count, of):
    with pytest.raises(ValueError, match=f"{count} of {of}"):
        wilson(count, of)
