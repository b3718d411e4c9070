"""The options of `python -m ratings`: what can be asked for, and what goes together.

Reads no files and rates nothing.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

# More would not make an interval any better, and would fill the memory.
_MOST_ROUNDS = 100_000

METHODS = ("bradley-terry", "davidson", "rao-kupper", "elo", "win-rate")
# Options that only a fitted model knows.
_OF_A_FIT = ("cluster", "style", "position", "prior", "ridge", "balanced", "pointwise_ranks")

EXAMPLE = """\
example:
  python -m ratings votes.parquet --cluster judge --anchor gpt-4-0314=1186 --json --out ratings.json

Shapes and formats of vote files: docs/vote-files.md. What the numbers mean: docs/ratings.md.
"""


class InputError(ValueError):
    """Options or votes that cannot be used; the message is one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; python -m ratings --help tells all options")


def options_parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; raises InputError for those that are unknown or do not go together."""
    options = _parser().parse_args(arguments)
    _refuse_what_does_not_go_together(options)
    return options


def _refuse_what_does_not_go_together(options: argparse.Namespace) -> None:
    if len(options.cluster) > 2:
        raise InputError("--cluster can be given twice, for voters and for prompts, not more often")
    if len(set(options.cluster)) < len(options.cluster):
        raise InputError(f"--cluster {options.cluster[0]} is given twice")
    if options.ci == "bootstrap" and len(options.cluster) == 2:
        raise InputError("--ci bootstrap draws one kind of cluster: give --cluster once")
    if options.method in ("elo", "win-rate"):
        for name in _OF_A_FIT:
            if getattr(options, name):
                option = name.replace("_", "-")
                raise InputError(f"--{option} does not go with --method {options.method}")
        if options.ci == "bootstrap":
            raise InputError(f"--ci bootstrap does not go with --method {options.method}")
    if options.ci == "none" and options.pointwise_ranks:
        raise InputError("--pointwise-ranks does not go with --ci none: there are no rank ranges")
    if options.ci == "bootstrap" and options.rounds < (fewest := _fewest_rounds(options.level)):
        raise InputError(
            f"--rounds {options.rounds} has no {options.level:g} quantiles: give at least {fewest}"
        )


def _fewest_rounds(level: float) -> int:
    """So many draws have one, on the average, beyond either end of an interval of this level."""
    return math.ceil(2 / (1 - level) - 1e-6) - 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m ratings",
        description="Rate the votes of a file (CSV, JSON lines, JSON list or Parquet).",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the votes")

    fit = parser.add_argument_group("what is fitted")
    fit.add_argument(
        "--method", choices=METHODS, default="bradley-terry", help="default: bradley-terry"
    )
    fit.add_argument(
        "--both-bad",
        choices=("tie", "drop"),
        default="tie",
        help="a vote that both are bad is half a win for either (default), or left out",
    )
    fit.add_argument("--style", action="store_true", help="adjust for length, headers, bold, lists")
    fit.add_argument("--position", action="store_true", help="estimate the effect of being first")
    fit.add_argument(
        "--balanced",
        action="store_true",
        help="weigh votes by 1/max(n, 50) for n votes of the pair, so that no pair dominates",
    )
    fit.add_argument(
        "--prior",
        type=_not_negative,
        default=0.0,
        metavar="VOTES",
        help="virtual votes of each model against an average player, half won (default: none)",
    )
    fit.add_argument(
        "--ridge", type=_not_negative, default=0.0, metavar="WEIGHT", help="default: none"
    )
    fit.add_argument(
        "--anchor",
        type=_anchor,
        metavar="MODEL=RATING",
        help="shift the ratings so; intervals are then of the difference to this model",
    )

    error = parser.add_argument_group("intervals and ranks")
    error.add_argument(
        "--ci",
        choices=("sandwich", "bootstrap", "none"),
        default="sandwich",
        help="default: sandwich",
    )
    error.add_argument(
        "--cluster",
        action="append",
        default=[],
        metavar="COLUMN",
        help="votes with the same value here are not independent (voter); twice: voter and prompt",
    )
    error.add_argument("--level", type=_level, default=0.95, help="default: 0.95")
    error.add_argument(
        "--rounds", type=_rounds, default=1000, help="of the bootstrap (default: 1000)"
    )
    error.add_argument("--seed", type=_seed, default=0, help="of all random draws (default: 0)")
    error.add_argument(
        "--pointwise-ranks",
        action="store_true",
        help="rank ranges for one pair of models at a time: narrower, and wrong more often",
    )

    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    output.add_argument(
        "--out", type=Path, metavar="FILE", help="write to this file, all of it or nothing"
    )
    return parser


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return number


def _not_negative(text: str) -> float:
    number = _number(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def _level(text: str) -> float:
    number = _number(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1, as 0.95 is")
    return number


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from error


def _rounds(text: str) -> int:
    number = _whole_number(text)
    if not 2 <= number <= _MOST_ROUNDS:
        raise argparse.ArgumentTypeError(f"{text} is not between 2 and {_MOST_ROUNDS:,}")
    return number


def _seed(text: str) -> int:
    number = _whole_number(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def _anchor(text: str) -> tuple[str, float]:
    # Names hold equals signs more often than numbers do.
    name, equals, rating = text.rpartition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not MODEL=RATING, as gpt-4-0314=1186 is")
    return name, _number(rating)
