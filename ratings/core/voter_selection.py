"""Selective voters: who votes where one model is, and leaves the other battles without a vote.

The pair of a battle is drawn after the prompt was sent, and every battle is kept, voted on or not:
whoever votes only where they recognise a model cannot hide it. What the votes say is not looked at,
so that taste cannot be mistaken for it. Who the voters are is not known here, nor what follows.

Of a voter's `battles`, `met` were with the model and `voted` were voted on, `voted_met` of them
with it. Given the first three, somebody for whom the odds of voting are e^theta times as high where
the model is has a `voted_met` of Fisher's noncentral hypergeometric law. Honest people, too, vote
more readily on some answers: their theta is taken for normal about 0, and the p-value is that of
so many or more under the mixture.

Sources: Fisher 1935 (the law); Tarone 1990 (tests that can say nothing are not made); Holm 1979;
docs/voter-quality.md (how the null was chosen).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln
from scipy.stats import norm

from ratings.core.outcomes import BoolArray, FloatArray, IntArray
from ratings.core.voter_tests import holm

READINESS_SD = 0.8
"""Of an honest voter's log-odds of voting where a model is, against where it is not. Three times
the odds are 1.4 of these, ten times 2.9; one pair of voter and model in 500 has ten times."""
LEVEL = 0.01
"""Of flagging anybody honest. Below that of the outlier test, as who selects is far beyond it."""
FEWEST_BATTLES = 10
"""With fewer no p-value could be small enough, and they need not be counted."""

# A model is tested where a voter could be so unusual at all, which depends on how many battles were
# met and voted on, not on which: other tests would only weaken those by Holm's method.
_ATTAINABLE = 1e-4
# Where the mixture is summed, in standard deviations. What lies beyond the last weighs 4e-11.
_PLACES = np.linspace(-4.0, 6.5, 31)
_WEIGHTS = norm.pdf(_PLACES) / norm.pdf(_PLACES).sum()
# Numbers of one table at most.
_BLOCK = 1 << 21


@dataclass(frozen=True, slots=True)
class Meetings:
    """What a voter did where a model was; integers of shape (rows,), a row for each voter and model
    that met. `voter` and `model` are numbered from 0; the counts are those of the module.

    `battles` and `voted` are counted from the voter's first battle with the model to the last, so
    that a model which came late or left early is compared with its own time.
    """

    voter: IntArray
    model: IntArray
    battles: IntArray
    met: IntArray
    voted: IntArray
    voted_met: IntArray


@dataclass(frozen=True, slots=True)
class SelectionTests:
    """What the test says of each voter; arrays of shape (voters,).

    `p_value` is the smallest of the voter's models' times their number, `adjusted_p` Holm's over
    the voters `tested`, `flagged` where that is at most the level. `row` is the row of Meetings
    with the smallest, -1 for who is not tested; they have p-values of 1.
    """

    p_value: FloatArray
    adjusted_p: FloatArray
    flagged: BoolArray
    row: IntArray
    tested: BoolArray


def meetings_of(
    voter: IntArray, model_a: IntArray, model_b: IntArray, is_voted: BoolArray
) -> Meetings:
    """Count battles given in the order in which they came; all arrays have shape (battles,)."""
    order = np.argsort(voter, kind="stable")
    voted = is_voted[order].astype(np.int64)
    until = np.append(0, voted.cumsum())
    place = np.tile(np.arange(len(order)), 2)
    who = np.tile(voter[order], 2)
    which = np.concatenate([model_a[order], model_b[order]])
    by_pair = np.lexsort((place, which, who))
    who, which, place = who[by_pair], which[by_pair], place[by_pair]
    is_first = np.append(True, (np.diff(who) != 0) | (np.diff(which) != 0))[: len(who)]
    start = np.flatnonzero(is_first)
    end = np.append(start, len(who))[1:]
    first, last = place[start], place[end - 1]
    voted_until = np.append(0, voted[place].cumsum())
    return Meetings(
        voter=who[start],
        model=which[start],
        battles=last - first + 1,
        met=end - start,
        voted=until[last + 1] - until[first],
        voted_met=voted_until[end] - voted_until[start],
    )


def selective_voters(meetings: Meetings, *, voters: int, level: float = LEVEL) -> SelectionTests:
    """Test every voter; any honest one is flagged with a probability of at most `level`."""
    rows = np.flatnonzero(_attainable(meetings) <= _ATTAINABLE)
    p_value, row = np.ones(voters), np.full(voters, -1)
    of = meetings.voter[rows]
    plain = _p_values(meetings, rows)
    # The last one written is the smallest.
    order = np.argsort(-plain, kind="stable")
    row[of[order]], p_value[of[order]] = rows[order], plain[order]
    p_value = np.minimum(p_value * np.bincount(of, minlength=voters), 1.0)
    tested = row >= 0
    p_value[~tested] = 1.0
    adjusted = np.ones(voters)
    adjusted[tested] = holm(p_value[tested])
    return SelectionTests(p_value, adjusted, adjusted <= level, row, tested)


def _attainable(meetings: Meetings) -> FloatArray:
    """A bound from below of the smallest p-value that there could be, shape (rows,).

    That of theta one standard deviation above 0, times the probability of more than that.
    """
    rows = np.arange(len(meetings.voter))
    most = np.minimum(meetings.met, meetings.voted)
    (tail,) = _tails(meetings, rows, most, np.array([READINESS_SD])).T
    return np.asarray(tail * norm.sf(1), dtype=np.float64)


def _p_values(meetings: Meetings, rows: IntArray) -> FloatArray:
    """Of so many votes with the model or more, shape (rows,)."""
    tails = _tails(meetings, rows, meetings.voted_met[rows], READINESS_SD * _PLACES)
    return np.asarray(np.minimum(tails @ _WEIGHTS, 1.0), dtype=np.float64)


def _tails(meetings: Meetings, rows: IntArray, at_least: IntArray, theta: FloatArray) -> FloatArray:
    """Probability of `at_least`, shape (rows,), or more at each theta, shape (rows, thetas)."""
    battles, met, voted = (
        column[rows] for column in (meetings.battles, meetings.met, meetings.voted)
    )
    fewest = np.maximum(0, voted - (battles - met))
    width = np.minimum(met, voted) - fewest + 1
    tails = np.ones((len(rows), len(theta)))
    order = np.argsort(width, kind="stable")
    begin = 0
    while begin < len(order):
        # As many rows as fit, were they all as wide as the last.
        sizes = width[order[begin:]] * np.arange(1, len(order) - begin + 1) * len(theta)
        part = order[begin : begin + max(1, int(np.searchsorted(sizes, _BLOCK, side="right")))]
        begin += len(part)
        count = fewest[part][:, None] + np.arange(width[part].max())
        inside = count < (fewest + width)[part][:, None]
        with_it, without, left = (
            column[part][:, None] for column in (met, voted, battles - met - voted)
        )
        logarithm = -sum(
            gammaln(np.where(inside, number, 0) + 1)
            for number in (count, with_it - count, without - count, left + count)
        )
        logarithm = np.where(inside, logarithm, -np.inf)[:, :, None] + (count[:, :, None] * theta)
        weight = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
        beyond = (count >= at_least[part][:, None])[:, :, None]
        tails[part] = (weight * beyond).sum(axis=1) / weight.sum(axis=1)
    return tails
