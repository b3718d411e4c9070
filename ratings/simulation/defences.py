"""Which simulated votes the arena would not count: its rules and its tests of voters.

Knows nothing of who rigs. What the tests look at is the votes that the rules let through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratings.core.outcomes import BoolArray, IntArray
from ratings.core.voter_lean import LEVEL as LEAN_LEVEL
from ratings.core.voter_lean import model_leans
from ratings.core.voter_selection import Meetings, SelectionTests, meetings_of, selective_voters
from ratings.core.voter_tests import DISTRUSTED, VoterVotes, outlier_voters
from ratings.simulation.rules import GOLD_FAILED, OUTLIER, reasons_when_cast
from ratings.simulation.signs import behavioural_signs, gold_failures, one_sided
from ratings.simulation.votes import BegunBattles, SimulatedVotes


@dataclass(frozen=True, slots=True)
class Defence:
    """The rules in force, by the reasons that they give; `selective` votes are outliers, too.

    `flagged_too` leaves out all voters whom either test of voters flags, corroborated or not, as
    the board that is published beside the ratings does.
    """

    name: str
    reasons: frozenset[str]
    flagged_too: bool = False


RULES = ("too_fast", "duplicate", "rate_cap", "gold_failed", "outlier", "selective")
NONE = Defence("none", frozenset())
ALL = Defence("all rules", frozenset(RULES))
FLAGGED_OUT = Defence("all rules, flagged left out", frozenset(RULES), flagged_too=True)
DEFENCES = (NONE, *(Defence(rule, frozenset({rule})) for rule in RULES), ALL, FLAGGED_OUT)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a defence makes of votes.

    `reason` has shape (votes,), an index into REASONS, 0 where the vote counts; `out` says which
    votes the ratings leave out, those of merely flagged voters included where the defence does so.
    `flagged` (by the test of outliers or of selection) and `failed` (gold battles) have shape
    (voters,).
    """

    reason: IntArray
    out: BoolArray
    flagged: BoolArray
    failed: BoolArray

    @property
    def found(self) -> BoolArray:
        """Voters found by either test, shape (voters,)."""
        return self.flagged | self.failed


def rulings(
    votes: SimulatedVotes,
    defences: Sequence[Defence],
    *,
    models: int,
    begun: BegunBattles | None = None,
    level: float = 0.05,
    seed: int = 0,
) -> list[Ruling]:
    """Apply each defence. Votes on gold battles never count, whatever is in force.

    `begun` are the battles that the votes are of, those left without one included: without them
    nobody is selective. `level` is the chance that any honest voter at all is found by gold battles
    or as an outlier (that of selection is lower and fixed); `seed` is that of the outlier test,
    which looks at the votes that count until then.
    """
    failures, signs = gold_failures(votes, level=level), behavioural_signs(votes)
    nobody = np.zeros(votes.voters, dtype=np.bool_)
    selection = _selection(votes, begun) if begun else None
    reviewed: dict[tuple[bytes, bool], _Review] = {}
    found = []
    for defence in defences:
        reason = reasons_when_cast(votes, defence.reasons)
        failed = flagged = nobody
        if "gold_failed" in defence.reasons:
            failed = failures
            reason[failed[votes.voter] & (reason == 0)] = GOLD_FAILED
        if {"outlier", "selective"} & defence.reasons:
            counted = reason == 0
            looks_at = selection if "selective" in defence.reasons else None
            # Several defences leave the same votes to be tested, and the test is slow.
            if (key := (counted.tobytes(), looks_at is None)) not in reviewed:
                reviewed[key] = _review(
                    votes, counted, looks_at, models=models, level=level, seed=seed
                )
            review = reviewed[key]
            corroborated, flagged = review.leaning, review.selective
            if "outlier" in defence.reasons:
                others = signs | review.one_sided | review.selective
                corroborated = corroborated | (review.unusual & others)
                flagged = flagged | review.unusual
            reason[corroborated[votes.voter] & counted] = OUTLIER
        out = reason > 0
        if defence.flagged_too:
            out = out | flagged[votes.voter]
        found.append(Ruling(reason, out, flagged, failed))
    return found


@dataclass(frozen=True, slots=True)
class _Review:
    """Voters whom a review finds, shape (voters,) each: `unusual` in what they vote for,
    `one_sided`, `selective`, and `leaning` those of the latter who favour or slight the model.
    """

    unusual: BoolArray
    one_sided: BoolArray
    selective: BoolArray
    leaning: BoolArray


def _selection(votes: SimulatedVotes, begun: BegunBattles) -> tuple[Meetings, SelectionTests]:
    meetings = meetings_of(begun.voter, begun.model_a, begun.model_b, begun.is_voted)
    voters = max(votes.voters, int(begun.voter.max(initial=-1)) + 1)
    return meetings, selective_voters(meetings, voters=voters)


def _review(
    votes: SimulatedVotes,
    counted: BoolArray,
    selection: tuple[Meetings, SelectionTests] | None,
    *,
    models: int,
    level: float,
    seed: int,
) -> _Review:
    """Test the voters by the votes that count, as `ratings.services.voters` does."""
    found = _Review(*(np.zeros(votes.voters, dtype=np.bool_) for _ in range(4)))
    present, number = np.unique(votes.voter[counted], return_inverse=True)
    if not len(present):
        return found
    tested = VoterVotes(
        votes.model_a[counted], votes.model_b[counted], votes.outcome[counted], number
    )
    suspects = np.zeros(len(present), dtype=np.bool_)
    if selection:
        found.selective[:] = selection[1].flagged[: votes.voters]
        suspects = found.selective[present]
    tests = outlier_voters(tested, models=models, level=level, seed=seed, suspects=suspects)
    trusted = (tests.p_value > DISTRUSTED) & ~suspects
    found.unusual[present] = tests.flagged
    found.one_sided[present] = one_sided(tested, models=models, trusted=trusted)
    if selection and suspects.any():
        meetings, selective = selection
        rows = np.flatnonzero(suspects)
        leans = model_leans(
            tested,
            models=models,
            voter=rows,
            model=meetings.model[selective.row[present[rows]]],
            trusted=trusted,
            taste_sd=tests.taste_sd,
            seed=seed,
        )
        found.leaning[present[rows]] = leans.p_value <= LEAN_LEVEL
    return found
