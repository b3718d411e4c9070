"""Which two models meet, with what probability, and which is shown first."""

from arena.matchmaking.draw import (
    Draw,
    FloatArray,
    IntArray,
    Pair,
    PairOdds,
    PairSampler,
    pair_draw,
    pair_odds,
)
from arena.matchmaking.remembered import Remembered
from arena.matchmaking.samplers import newcomers, targeted, uniform, version_of, weighted

__all__ = [
    "Draw",
    "FloatArray",
    "IntArray",
    "Pair",
    "PairOdds",
    "PairSampler",
    "Remembered",
    "newcomers",
    "pair_draw",
    "pair_odds",
    "targeted",
    "uniform",
    "version_of",
    "weighted",
]
