"""The grammar of ARENA_PAIR_WEIGHTS."""

from __future__ import annotations

import pytest

from arena.pair_weights import pair_weights_parse


def test_weights_are_read_by_slug():
    assert pair_weights_parse(" alpha-7b=5  Beta_9b=0.5 old=0 ") == {
        "alpha-7b": 5.0,
        "Beta_9b": 0.5,
        "old": 0.0,
    }
    assert pair_weights_parse("") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alpha", "'alpha' is not SLUG=WEIGHT"),
        ("alpha=much", "'alpha=much' is not"),
        ("beta=1 alpha=-1", "'alpha=-1' is not"),
        ("alpha=nan", "is not SLUG=WEIGHT"),
        ("alpha=1e9", "is not SLUG=WEIGHT"),
        ("alpha=1001", "0 or from 0.001 to 1000"),
        ("alpha=0.0001", "0 or from 0.001 to 1000"),
        ("alpha=1 alpha=2", "'alpha' is named twice"),
    ],
)
def test_what_cannot_be_read_is_named(text, says):
    with pytest.raises(ValueError, match=rf"^ARENA_PAIR_WEIGHTS: .*{says}"):
        pair_weights_parse(text)
