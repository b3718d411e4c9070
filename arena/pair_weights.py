"""The grammar of ARENA_PAIR_WEIGHTS. Knows no Django, and no model but by its slug."""

from __future__ import annotations

import re

# A pair that is a million times rarer than another is weighed up by a million: one such battle
# would be worth all the rest. The weight of a pair is the product of two of these.
SMALLEST, LARGEST = 0.001, 1000.0
_WEIGHT = re.compile(r"(?P<slug>[-\w]+)=(?P<weight>\d+(\.\d+)?)", re.ASCII)


def pair_weights_parse(text: str) -> dict[str, float]:
    """`"alpha-7b=5 beta-9b=0.5"`: alpha-7b is drawn more often, beta-9b less. Others weigh 1.

    0 is for a model that is never drawn; other weights lie in [0.001, 1000]. Raises ValueError,
    naming the part that cannot be read.
    """
    weights: dict[str, float] = {}
    for part in text.split():
        match = _WEIGHT.fullmatch(part)
        if match is None:
            raise ValueError(
                f"ARENA_PAIR_WEIGHTS: {part!r} is not SLUG=WEIGHT, such as alpha-7b=5 or beta=0.5"
            )
        slug, weight = match["slug"], float(match["weight"])
        if weight and not SMALLEST <= weight <= LARGEST:
            raise ValueError(
                f"ARENA_PAIR_WEIGHTS: {part!r} must be 0 or from {SMALLEST:g} to {LARGEST:g}"
            )
        if slug in weights:
            raise ValueError(f"ARENA_PAIR_WEIGHTS: {slug!r} is named twice")
        weights[slug] = weight
    return weights
