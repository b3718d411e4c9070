"""The kinds of voter there are: honest, careless, and those who rig.

What each does with a battle stands in `ratings.simulation.choices`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ratings.simulation.worlds import SimulationError


class Kind(IntEnum):
    """What a voter is; `label` is its name in files and on the command line."""

    HONEST = 0
    LAZY = 1
    POSITION_BIASED = 2
    TARGET_ONLY = 3
    TARGET_ONLY_ABSTAINING = 4
    OMNIPRESENT = 5
    SYBIL = 6
    MIRRORED = 7
    BURST = 8
    DUPLICATE_PROMPT = 9

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", "-")

    @property
    def rigs(self) -> bool:
        """Whether it means to mislead; lazy and position-biased voters do not."""
        return self >= Kind.TARGET_ONLY


@dataclass(frozen=True, slots=True)
class Conduct:
    """How voters of a kind go about it, apart from what they choose.

    `votes_per_voter`: how many accounts they need. `recognises`: the share of the target's answers
    that they know for it (omnipresent riggers: of any model's), `mistakes`: of the others' that
    they take for the target's. `one_day`: all votes of an account fall on one day. `hurried`:
    seconds from the start of the answers to the vote, from and to, where the voter does not read;
    None reads. `one_prompt`: the same prompt always.
    """

    votes_per_voter: int
    recognises: float = 0.0
    mistakes: float = 0.0
    one_day: bool = False
    hurried: tuple[float, float] | None = None
    one_prompt: bool = False


# 95 % is the order of what published classifiers reach on answers to chosen prompts
# (arXiv 2501.07493); whoever votes on what is recognised sets the threshold high.
CONDUCT = {
    Kind.LAZY: Conduct(votes_per_voter=40, hurried=(3.0, 12.0)),
    Kind.POSITION_BIASED: Conduct(votes_per_voter=40),
    Kind.TARGET_ONLY: Conduct(votes_per_voter=100, recognises=0.95, mistakes=0.01),
    Kind.TARGET_ONLY_ABSTAINING: Conduct(votes_per_voter=40, recognises=0.95, mistakes=0.01),
    Kind.OMNIPRESENT: Conduct(votes_per_voter=100, recognises=0.95),
    Kind.SYBIL: Conduct(votes_per_voter=3, recognises=0.95, mistakes=0.01),
    Kind.MIRRORED: Conduct(votes_per_voter=60),
    Kind.BURST: Conduct(
        votes_per_voter=500, recognises=0.95, mistakes=0.01, one_day=True, hurried=(0.5, 2.0)
    ),
    # The answer to a prompt asked a hundred times before is known by heart.
    Kind.DUPLICATE_PROMPT: Conduct(votes_per_voter=200, recognises=0.99, one_prompt=True),
}


@dataclass(frozen=True, slots=True)
class Attack:
    """Voters of one kind who cast `share` of all votes, in (0, 1)."""

    kind: Kind
    share: float

    def __post_init__(self) -> None:
        if self.kind not in CONDUCT:
            raise SimulationError(f"{self.kind.label} voters are there anyway: name another kind")
        if not 0 < self.share < 1:
            raise SimulationError(
                f"share of {self.kind.label} is {self.share}: give a number between 0 and 1"
            )


def attack_parsed(text: str) -> Attack:
    """An attack from "KIND" or "KIND=SHARE"; the share is 0.05 where none is given.

    Raises SimulationError that lists the kinds.
    """
    name, _, share = text.partition("=")
    known = {kind.label: kind for kind in CONDUCT}
    if name not in known:
        raise SimulationError(f"no kind of voter {name!r}: give one of {', '.join(known)}")
    try:
        number = float(share or 0.05)
    except ValueError as error:
        raise SimulationError(f"share of {name} is {share!r}: give a number, as 0.05") from error
    return Attack(known[name], number)
