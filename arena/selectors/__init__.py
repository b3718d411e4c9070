"""All reads of the arena, by what they are about."""

from arena.selectors.battles import battle_get_for_voter, battle_rows
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
    "vote_log",
    "votes_with_conversations",
]
