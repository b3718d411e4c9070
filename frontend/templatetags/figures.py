"""Numbers as people read them. Knows nothing of what they count."""

from __future__ import annotations

from django import template

register = template.Library()

_STEPS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))


@register.filter
def parameters(count: int | None) -> str:
    """A number of parameters as model cards write it: 134_515_008 is "135M"."""
    if count is None:
        return ""
    for size, letter in _STEPS:
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return str(count)


@register.filter
def percent(share: float | None) -> str:
    """A share from 0 to 1 in whole percent."""
    return "" if share is None else f"{share:.0%}"


@register.filter
def points(rating: float | None) -> str:
    """A rating in whole points."""
    return "" if rating is None else f"{rating:.0f}"


@register.filter
def ranks(row: object) -> str:
    """A range of ranks that is left open, or the one rank: "2-4" with an en dash."""
    low, high = getattr(row, "rank_low", None), getattr(row, "rank_high", None)
    return str(low) if low == high else f"{low}\N{EN DASH}{high}"
