"""Which votes count. Each rule is named by the reason it gives, and says nothing of who is right.

A vote that a rule finds is kept, and excluded by a ledger entry that gives the reason; nothing is
filtered silently. `named`, `revealed`, `late` and `gold` follow from what the battle is and always
hold; the setting ARENA_VALIDITY_RULES lists the others in force, in order. Knows nothing of
ratings: rules that look at all votes of a voter (`gold_failed`, `outlier`) are there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.conf import settings

from arena import self_identification
from arena.models import Answer, Battle, Turn
from arena.selectors.ballots import BallotFacts, answers_read, ballot_facts, votes_counted
from arena.selectors.exposure import told_until

VERSION = "2"
BY = f"rules/{VERSION}"
BY_LEAK = f"{BY}, {self_identification.VERSION}"

# Nobody reads that fast: 3,000 words a minute, ten times the usual (Brysbaert 2019, 238 a minute).
WORDS_A_SECOND = 50
# Shorter answers are taken in at a glance.
MIN_WORDS = 30
# A prompt may have this many counted votes, or this share of all that count where that is more.
PROMPT_VOTES, PROMPT_SHARE = 100, 0.001


@dataclass(frozen=True)
class Ballot:
    """A vote that is about to be cast: `turn` with its battle fetched, and when.

    Made under the locks of the turn and its voter, so that no other vote of theirs comes between.
    """

    turn: Turn
    cast_at: datetime

    @property
    def battle(self) -> Battle:
        return self.turn.battle

    @cached_property
    def read(self) -> Sequence[Answer]:
        """Every answer that the voter may have read: all attempts of all turns.

        Later turns too: whoever goes on, asks for the names there, and votes on the first turn
        last, has read them.
        """
        return answers_read(battle_id=self.turn.battle_id)

    @cached_property
    def current(self) -> dict[str, Answer]:
        """The answers that are judged, by side: the latest attempts of this turn."""
        return {answer.side: answer for answer in self.read if answer.turn_id == self.turn.pk}

    @cached_property
    def facts(self) -> BallotFacts:
        return ballot_facts(turn=self.turn, cast_at=self.cast_at)


def named(ballot: Ballot) -> bool:
    """The voter knew the models from the start."""
    return ballot.battle.mode != Battle.Mode.BATTLE


def revealed(ballot: Ballot) -> bool:
    """An earlier vote in this conversation had already shown who answers."""
    return ballot.facts.is_revealed


def late(ballot: Ballot) -> bool:
    """How often each pair met on the battle's day has been published since, so who kept it open may
    know which pair it is."""
    return ballot.battle.created_at < told_until(ballot.cast_at)


def gold(ballot: Ballot) -> bool:
    """One answer was spoilt on purpose, to see how careful votes are."""
    return ballot.battle.gold_side != ""


def leak(ballot: Ballot) -> bool:
    """An assistant named itself, so the voter may have known who answered.

    Every attempt that the voter may have read counts, those that a retry has replaced too.
    """
    return any(answer.leak for answer in ballot.read)


def error(ballot: Ballot) -> bool:
    """The voter saw an answer fail, which tells something of a model besides its answers."""
    return any(
        answer.state == Answer.State.FAILED and answer.error != Answer.Error.MODERATED
        for answer in ballot.read
    )


def moderated(ballot: Ballot) -> bool:
    """The prompt or an answer was warned of, blocked, or reported with good reason."""
    blocked = any(answer.error == Answer.Error.MODERATED for answer in ballot.read)
    return blocked or ballot.facts.is_moderated


def unfinished(ballot: Ballot) -> bool:
    """The voter stopped an answer that is judged."""
    return any(answer.state == Answer.State.STOPPED for answer in ballot.current.values())


def too_fast(ballot: Ballot) -> bool:
    """Nobody could have read both answers between their first words and the vote."""
    answers = ballot.current.values()
    words = sum(len(answer.text.split()) for answer in answers)
    begun = min(answer.first_token_at or answer.created_at for answer in answers)
    seconds = (ballot.cast_at - begun).total_seconds()
    return words >= MIN_WORDS and seconds < words / WORDS_A_SECOND


def duplicate(ballot: Ballot) -> bool:
    """This voter has voted on these two models with this very prompt before; or everybody has
    voted on this prompt so often that it would rule the ratings."""
    if ballot.facts.is_repeated:
        return True
    frequent = ballot.facts.prompt_votes
    return frequent >= PROMPT_VOTES and frequent >= PROMPT_SHARE * votes_counted()


def rate_cap(ballot: Ballot) -> bool:
    """This voter has had as many votes counted today (UTC) as one voter may."""
    return ballot.facts.votes_today >= settings.ARENA_VOTES_PER_DAY


ALWAYS: dict[str, Callable[[Ballot], bool]] = {
    "named": named,
    "revealed": revealed,
    "late": late,
    "gold": gold,
}
RULES: dict[str, Callable[[Ballot], bool]] = {
    "leak": leak,
    "error": error,
    "moderated": moderated,
    "unfinished": unfinished,
    "too_fast": too_fast,
    "duplicate": duplicate,
    "rate_cap": rate_cap,
}


def exclusion_reason(ballot: Ballot) -> str:
    """The first rule that this vote falls under, or "" when it counts."""
    for name, rule in ALWAYS.items():
        if rule(ballot):
            return name
    for name in settings.ARENA_VALIDITY_RULES:
        if RULES[name](ballot):
            return name
    return ""
