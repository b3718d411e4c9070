"""The arena's tables, by what they are about."""

from arena.models.battles import Answer, Battle, Turn, Voter, ballot_token
from arena.models.oversight import AnswerReport, ModerationFinding, ModerationPolicy, SpentChallenge
from arena.models.votes import LedgerEntry, TurnAnnotation, Vote, VoteReason, VoteSecret

__all__ = [
    "Answer",
    "AnswerReport",
    "Battle",
    "LedgerEntry",
    "ModerationFinding",
    "ModerationPolicy",
    "SpentChallenge",
    "Turn",
    "TurnAnnotation",
    "Vote",
    "VoteReason",
    "VoteSecret",
    "Voter",
    "ballot_token",
]
