"""All reads of the arena, by what they are about."""

from arena.selectors.battles import battle_get_for_voter, battle_rows, models_offered
from arena.selectors.oversight import turn_is_moderated, vote_reasons
from arena.selectors.pairing import models_with_votes, pairs_met
from arena.selectors.vote_log import (
    OUTCOMES,
    Select,
    exclusion_log,
    vote_log,
    votes_with_conversations,
)

__all__ = [
    "OUTCOMES",
    "Select",
    "battle_get_for_voter",
    "battle_rows",
    "exclusion_log",
    "models_offered",
    "models_with_votes",
    "pairs_met",
    "turn_is_moderated",
    "vote_log",
    "vote_reasons",
    "votes_with_conversations",
]
