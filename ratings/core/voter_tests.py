"""Outlier voters: who votes against the consensus, or for or against some models, beyond what
honest people with tastes, habits and lapses of their own do.

Ties are set aside (see `ratings.core.voter_consensus`), so that no share of them changes what an
honest voter looks like. The null model has each voter's care and preferred side, tastes for
each model whose variance is estimated, and the error of the consensus without this voter; p-values
are drawn from it, and adjusted by Holm's method. Who the voters are is not known here, nor what
follows for them: a flag is no verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from ratings.core.linear import single_threaded_blas
from ratings.core.outcomes import BoolArray, FloatArray, IntArray, Outcome, VoteDataError, Votes
from ratings.core.voter_batch import voter_batches
from ratings.core.voter_consensus import DecidedVotes, consensus_fit
from ratings.core.voter_null import FEW, ROUGHLY, STAGES, HonestVotes, look
from ratings.core.voter_taste import taste_sd

VERSION = "voter-tests/1"

TESTS = ("against", "one_model", "many_models", "together")
"""What a voter is tested for, in the order of `VoterTests.test`."""

# Whoever is this unusual has no part in the consensus that is looked at next.
DISTRUSTED = 1e-3
_ROUNDS = 3
# Voters that the variance of tastes is estimated from.
_TASTERS = 400
_BEYOND = (FEW + 1) / (STAGES[0] + 1)
FEWEST_DECIDED = 10
"""With fewer decided votes a voter is not tested: among many voters, nothing that so few votes
can say is unusual. Who is tested does not depend on what was voted for."""

# A model is tested for many voters favouring it from as many on.
_FEWEST_VOTERS = 10


@dataclass(frozen=True)
class VoterVotes:
    """Single votes; arrays of integers of shape (votes,).

    `model_a` was shown first, `outcome` is a `ratings.core.outcomes.Outcome`, voters are numbered
    from 0.
    """

    model_a: IntArray
    model_b: IntArray
    outcome: IntArray
    voter: IntArray


@dataclass(frozen=True)
class ModelTests:
    """Whether more voters favour (or slight) a model strongly than tastes of their own explain.

    A sign of many accounts with one purpose, each too small to be seen. Arrays of shape (models,)
    but for `adjusted_p`, which is Holm's over both directions of all models; `excess` is voters
    beyond what was expected, positive where they favour the model.
    """

    excess: FloatArray
    adjusted_p: FloatArray
    flagged: BoolArray


@dataclass(frozen=True)
class VoterTests:
    """What the tests say of each voter; arrays of shape (voters,).

    `p_value` is the smallest of the four tests' times four, `test` the index in TESTS of the
    smallest, `adjusted_p` Holm's over the voters `tested`, `flagged` where that is at most the
    level; who is not tested has p-values of 1.
    `statistic` is the p-value as a normal deviate: larger is more unusual. `model` is the one that
    the voter most favours or slights, `lean` by how many standard deviations of an honest voter,
    -1 and 0 where no vote was decided. `taste_sd` is in log-odds.
    """

    statistic: FloatArray
    p_value: FloatArray
    adjusted_p: FloatArray
    flagged: BoolArray
    taste_sd: float
    notes: tuple[str, ...]
    test: IntArray
    model: IntArray
    lean: FloatArray
    models: ModelTests
    tested: BoolArray


def outlier_voters(
    votes: VoterVotes,
    *,
    models: int,
    level: float = 0.05,
    seed: int = 0,
    suspects: BoolArray | None = None,
) -> VoterTests:
    """Test every voter; with nobody rigging, any honest one is flagged with probability `level`.

    Voters found very unusual are taken out of the consensus, and all are looked at anew.
    `suspects`, shape (voters,), are out of it from the start, for something else than what they
    voted for. The result is the same for the same votes and seed. Raises VoteDataError for votes
    that cannot be counted.
    """
    decided = decided_votes(votes, models=models)
    start = np.ones(decided.voters, dtype=np.bool_) if suspects is None else ~suspects
    trusted = start
    with single_threaded_blas():
        for _ in range(_ROUNDS):
            again = start & (_round(decided, trusted, seed, ROUGHLY).p_value > DISTRUSTED)
            if np.array_equal(again, trusted):
                break
            trusted = again
        found = _round(decided, trusted, seed, STAGES)
    return _judged(found, decided, level)


def holm(p_value: FloatArray) -> FloatArray:
    """Holm's adjusted p-values (1979), shape (tests,): rejecting those up to a level keeps the
    probability of any false rejection at that level, however the tests depend."""
    count = len(p_value)
    order = np.argsort(p_value, kind="stable")
    stepped = np.maximum.accumulate(p_value[order] * (count - np.arange(count)))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


@dataclass(frozen=True)
class _Round:
    """One look at all voters; arrays of shape (voters,), `beyond` of shape (models, 3): voters
    who slight a model, neither, and favour it.
    """

    p_value: FloatArray
    test: IntArray
    model: IntArray
    lean: FloatArray
    beyond: IntArray
    taste_sd: float


def decided_votes(votes: VoterVotes, *, models: int) -> DecidedVotes:
    """The votes that one model won, by voter. Raises VoteDataError for what cannot be counted."""
    checked = Votes(votes.model_a, votes.model_b, votes.outcome, models)
    voter = np.asarray(votes.voter)
    if voter.shape != (len(checked),) or not np.issubdtype(voter.dtype, np.integer):
        raise VoteDataError("voter is to be an array of integers, one for each vote")
    if len(voter) and voter.min() < 0:
        row = int(voter.argmin())
        raise VoteDataError(f"row {row}: voter {int(voter[row])} is no number from 0")
    voters = int(voter.max()) + 1 if len(voter) else 0
    decided = np.flatnonzero(votes.outcome < Outcome.TIE)
    order = decided[np.argsort(voter[decided], kind="stable")]
    return DecidedVotes(
        first=np.asarray(votes.model_a)[order].astype(np.int64),
        second=np.asarray(votes.model_b)[order].astype(np.int64),
        won=(votes.outcome[order] == Outcome.A_WINS).astype(np.float64),
        voter=voter[order].astype(np.int64),
        start=np.searchsorted(voter[order], np.arange(voters + 1)),
        models=models,
    )


def _round(votes: DecidedVotes, trusted: BoolArray, seed: int, stages: Sequence[int]) -> _Round:
    consensus = consensus_fit(votes, trusted=trusted)
    sd = taste_sd(
        list(voter_batches(votes, consensus, voters=_tasters(votes, trusted, seed))), seed=seed
    )
    honest = HonestVotes(taste_variance=sd**2, seed=seed + 1)
    result = _Round(
        p_value=np.ones(votes.voters),
        test=np.zeros(votes.voters, dtype=np.int64),
        model=np.full(votes.voters, -1),
        lean=np.zeros(votes.voters),
        beyond=np.zeros((votes.models, 3), dtype=np.int64),
        taste_sd=sd,
    )
    for batch in voter_batches(votes, consensus, voters=np.arange(votes.voters)):
        looked = look(batch, honest, taste_variance=sd**2, stages=stages)
        each = np.stack([getattr(looked, name) for name in TESTS])
        result.p_value[batch.voter] = np.minimum(each.min(axis=0) * len(TESTS), 1.0)
        result.test[batch.voter] = each.argmin(axis=0)
        lean = batch.totals() / batch.scale(sd**2)
        most = np.abs(lean).argmax(axis=1)
        rows = np.arange(len(most))
        result.model[batch.voter] = batch.model[rows, most]
        result.lean[batch.voter] = lean[rows, most]
        met = batch.model >= 0
        np.add.at(result.beyond, (batch.model[met], looked.beyond[met] + 1), 1)
    return result


def _tasters(votes: DecidedVotes, trusted: BoolArray, seed: int) -> IntArray:
    voters = np.flatnonzero(trusted & (np.diff(votes.start) > 0))
    if len(voters) > _TASTERS:
        voters = np.random.default_rng(seed).choice(voters, _TASTERS, replace=False)
    return voters


def _judged(found: _Round, votes: DecidedVotes, level: float) -> VoterTests:
    tested = np.diff(votes.start) >= FEWEST_DECIDED
    p_value = np.where(tested, found.p_value, 1.0)
    adjusted = np.ones(votes.voters)
    adjusted[tested] = holm(p_value[tested])
    notes = []
    if not tested.all():
        notes.append(
            f"{int((~tested).sum())} voters decided fewer than {FEWEST_DECIDED} votes and are "
            "not tested."
        )
    return VoterTests(
        statistic=-ndtri(np.clip(p_value, 1e-300, 1 - 1e-16)),
        p_value=p_value,
        adjusted_p=adjusted,
        flagged=adjusted <= level,
        taste_sd=found.taste_sd,
        notes=tuple(notes),
        test=found.test,
        model=found.model,
        lean=found.lean,
        models=_model_tests(found.beyond, level),
        tested=tested,
    )


def _model_tests(beyond: IntArray, level: float) -> ModelTests:
    voters = beyond.sum(axis=1)
    tails = np.ones((2, len(beyond)))
    for row, column in enumerate((0, 2)):
        tails[row] = binom.sf(beyond[:, column] - 1, voters, _BEYOND)
    tails[:, voters < _FEWEST_VOTERS] = 1.0
    adjusted = holm(tails.ravel()).reshape(tails.shape)
    side = adjusted.argmin(axis=0)
    over = beyond[:, (0, 2)] - voters[:, None] * _BEYOND
    chosen = over[np.arange(len(side)), side] * np.where(side == 1, 1, -1)
    return ModelTests(
        excess=np.where(adjusted.min(axis=0) < 1, chosen, 0.0),
        adjusted_p=adjusted.min(axis=0),
        flagged=adjusted.min(axis=0) <= level,
    )
