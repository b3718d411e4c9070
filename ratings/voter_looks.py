"""What a review finds of each voter: tests, numbers, signs, and where they vote at all.

Writes nothing, and decides nothing: what follows from it stands in `ratings.services.voters`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ratings.core.outcomes import IntArray
from ratings.core.voter_quality import VoterQualities, voter_qualities
from ratings.core.voter_tests import DISTRUSTED, VoterTests, VoterVotes, outlier_voters
from ratings.selectors.meetings import MetModels
from ratings.selectors.voters import Behaviour, ReviewedVotes
from ratings.voter_selections import Selection, selections, with_leans
from ratings.voter_signs import signs


@dataclass(frozen=True, slots=True)
class VotersLooked:
    """What is known of the voters; lists and arrays of shape (voters,), but for `models`, the ids
    that the tests number, and `selected`, which holds those who were tested for selection."""

    ids: list[uuid.UUID]
    rows: IntArray
    tests: VoterTests
    quality: VoterQualities
    behaviour: list[Behaviour]
    signs: list[list[str]]
    models: IntArray
    selected: dict[uuid.UUID, Selection]

    def is_selective(self, voter: uuid.UUID) -> bool:
        """Whether the voter is flagged for voting where one model is."""
        return voter in self.selected and self.selected[voter].flagged


def voters_looked(
    votes: ReviewedVotes,
    known: Mapping[int, uuid.UUID],
    acted: Mapping[uuid.UUID, Behaviour],
    met: MetModels,
    *,
    level: float,
    seed: int,
) -> VotersLooked:
    """Test and describe the voters of `votes`; `known` are those who are not erased, by a ledger
    sequence of theirs. Whoever votes where one model is has no part in the consensus."""
    models, numbers = np.unique(np.concatenate([votes.model_a, votes.model_b]), return_inverse=True)
    arrays = VoterVotes(
        numbers[: len(votes.voter)], numbers[len(votes.voter) :], votes.outcome, votes.voter
    )
    count = max(len(models), 1)
    # Whoever was erased meanwhile is not spoken of.
    rows = np.array(
        [row for row, sequence in enumerate(votes.of.tolist()) if sequence in known], dtype=np.int64
    )
    ids = [known[int(votes.of[row])] for row in rows]
    selected = selections(met)
    suspects = np.zeros(len(votes.of), dtype=np.bool_)
    suspects[rows] = [voter in selected and selected[voter].flagged for voter in ids]
    tests = outlier_voters(arrays, models=count, level=level, seed=seed, suspects=suspects)
    trusted = (tests.p_value > DISTRUSTED) & ~suspects
    quality = voter_qualities(arrays, models=count, trusted=trusted)
    selected = with_leans(
        selected,
        dict(zip(ids, rows.tolist(), strict=True)),
        arrays,
        models=models,
        trusted=trusted,
        taste_sd=tests.taste_sd,
        seed=seed,
    )
    behaviour = [acted.get(voter, Behaviour()) for voter in ids]
    found = [
        signs(
            one,
            first_excess=float(quality.first_excess[row]),
            first_p=float(quality.first_p[row]),
        )
        for row, one in zip(rows, behaviour, strict=True)
    ]
    return VotersLooked(ids, rows, tests, quality, behaviour, found, models, selected)
