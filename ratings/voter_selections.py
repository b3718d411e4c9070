"""Which voters vote where one model is and leave other battles, and whether their votes lean to it.

Both together are enough to leave votes out, each by itself is not. Knows nothing of the database.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ratings.core.outcomes import BoolArray, IntArray
from ratings.core.voter_lean import LEVEL as LEAN_LEVEL
from ratings.core.voter_lean import model_leans
from ratings.core.voter_selection import selective_voters
from ratings.core.voter_tests import VoterVotes
from ratings.selectors.meetings import MetModels

TEST = "selective"
NOTABLE = 0.05
"""Up to this p-value something is left of what spoke against a voter; see `Selection.speaks`."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the test of selection says of one voter, of the model (an id) that it is about.

    Of `battles` in the model's time, `met` were with it; `voted` and `voted_met` of each were voted
    on. `lean` and `lean_p` are of `ratings.core.voter_lean`, 0 and 1 where it was not looked at.
    """

    model: int
    battles: int
    met: int
    voted: int
    voted_met: int
    p_value: float
    adjusted_p: float
    flagged: bool
    lean: float = 0.0
    lean_p: float = 1.0

    @property
    def leans(self) -> bool:
        """Flagged, and the votes on the model agree: they are left out."""
        return self.flagged and self.lean_p <= LEAN_LEVEL

    @property
    def speaks(self) -> bool:
        """Something is left of both."""
        return self.p_value <= NOTABLE and self.lean_p <= NOTABLE

    def details(self, slug: str) -> dict[str, Any]:
        """For the admin."""
        return {
            "model": slug,
            "battles": self.battles,
            "battles_with_model": self.met,
            "voted": self.voted,
            "voted_with_model": self.voted_met,
            "adjusted_p": self.adjusted_p,
            "lean": self.lean,
            "lean_p": self.lean_p,
        }


def selections(met: MetModels) -> dict[uuid.UUID, Selection]:
    """Test who left battles without a vote; those with too few battles are missing."""
    meetings, tests = met.meetings, selective_voters(met.meetings, voters=len(met.voters))
    return {
        met.voters[voter]: Selection(
            model=int(meetings.model[row]),
            battles=int(meetings.battles[row]),
            met=int(meetings.met[row]),
            voted=int(meetings.voted[row]),
            voted_met=int(meetings.voted_met[row]),
            p_value=float(tests.p_value[voter]),
            adjusted_p=float(tests.adjusted_p[voter]),
            flagged=bool(tests.flagged[voter]),
        )
        for voter, row in enumerate(tests.row.tolist())
        if row >= 0
    }


def with_leans(
    selected: Mapping[uuid.UUID, Selection],
    rows: Mapping[uuid.UUID, int],
    votes: VoterVotes,
    *,
    models: IntArray,
    trusted: BoolArray,
    taste_sd: float,
    seed: int,
) -> dict[uuid.UUID, Selection]:
    """Look at the votes of those whose selection is notable, too.

    `rows` says which voter of `votes` is whose, `models` are the ids that `votes` numbers,
    ascending; whoever is in neither keeps a lean of 0.
    """
    chosen = [
        voter
        for voter, one in selected.items()
        if one.p_value <= NOTABLE and voter in rows and one.model in models
    ]
    if not chosen:
        return dict(selected)
    leans = model_leans(
        votes,
        models=len(models),
        voter=np.array([rows[voter] for voter in chosen]),
        model=np.searchsorted(models, [selected[voter].model for voter in chosen]),
        trusted=trusted,
        taste_sd=taste_sd,
        seed=seed,
    )
    looked = {
        voter: replace(selected[voter], lean=lean, lean_p=p_value)
        for voter, lean, p_value in zip(
            chosen, leans.lean.tolist(), leans.p_value.tolist(), strict=True
        )
    }
    return {**selected, **looked}
