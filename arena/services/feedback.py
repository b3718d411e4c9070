"""What a voter says of a vote that is cast: reasons, by one tap each, and a comment.

Kept with the vote and not in the ledger, for it may be changed and erased. Knows nothing of whether
a vote counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from arena.errors import BattleNotFoundError, InvalidInputError, NotVotedError
from arena.models import Battle, Vote, VoteReason
from arena.prompts import remark_clean

MAX_REASONS = 10
MAX_COMMENT_CHARACTERS = 2_000


def vote_feedback(
    *,
    voter_id: uuid.UUID,
    battle_id: uuid.UUID,
    turn_index: object,
    reasons: object = (),
    comment: object = "",
) -> Vote:
    """Say why one voted as one did; what was said before is replaced.

    Raises BattleNotFoundError for anyone else's battle, NotVotedError before the vote, and
    InvalidInputError.
    """
    chosen = reasons_clean(reasons)
    said = remark_clean(comment, field="comment", limit=MAX_COMMENT_CHARACTERS)
    index = turn_index_clean(turn_index)
    with transaction.atomic():
        votes = Vote.objects.select_for_update(of=("self",))
        vote = votes.filter(turn__battle_id=battle_id, turn__index=index, voter_id=voter_id).first()
        if vote is None:
            if not Battle.objects.filter(pk=battle_id, voter_id=voter_id).exists():
                raise BattleNotFoundError
            raise NotVotedError
        vote.reasons, vote.comment = chosen, said
        vote.save(update_fields=["reasons", "comment"])
    return vote


def reasons_clean(reasons: object) -> list[str]:
    """The slugs of reasons that there are, each once; raises InvalidInputError."""
    if not isinstance(reasons, Sequence) or isinstance(reasons, str):
        raise InvalidInputError("The reasons must be a list.", field="reasons")
    if len(reasons) > MAX_REASONS:
        raise InvalidInputError(f"At most {MAX_REASONS} reasons, please.", field="reasons")
    if not reasons:
        return []
    known = list(VoteReason.objects.filter(is_active=True).values_list("slug", flat=True))
    if any(not isinstance(reason, str) or reason not in known for reason in reasons):
        raise InvalidInputError(
            f"Each reason must be one of: {', '.join(known) or '(there are none)'}.",
            field="reasons",
        )
    return list(dict.fromkeys(reasons))


def turn_index_clean(turn_index: object) -> int:
    """A turn's number as a client gave it; raises InvalidInputError for what is none."""
    if not isinstance(turn_index, int) or isinstance(turn_index, bool) or turn_index < 0:
        raise InvalidInputError("The turn must be a number, counted from 0.", field="turn")
    return min(turn_index, 32767)  # the column's largest; no battle gets there
