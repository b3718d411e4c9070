"""Battles as rows, for tests of what is read from them: nothing is generated, drawn or judged."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from django.utils import timezone

from arena.models import Answer, Battle, LedgerEntry, Turn, Vote, Voter

_serial = count(10_000)


def met(
    model_a: int,
    model_b: int,
    *,
    prompt: str = "Why?",
    voter_id: uuid.UUID | None = None,
    at: datetime | None = None,
    vote: str = "",
    voted_at: datetime | None = None,
    exclusion: str = "",
    answers: Iterable[str] = ("complete", "complete"),
    pool: Sequence[int] = (),
    excluded_pairs: Sequence[Sequence[int]] = (),
    **values: Any,
) -> Battle:
    """A battle of two models, by id; `vote` is the choice that its first turn got, if any."""
    at = at or timezone.now()
    voter, _ = Voter.objects.get_or_create(pk=voter_id or uuid.uuid4())
    battle = Battle.objects.create(
        voter=voter,
        model_a_id=model_a,
        model_b_id=model_b,
        pool=sorted(pool or (model_a, model_b)),
        excluded_pairs=[list(pair) for pair in excluded_pairs],
        consent_version="test",
        **{"sampler": "uniform/1", "probability": 1.0, **values},
    )
    Battle.objects.filter(pk=battle.pk).update(created_at=at)
    turn = Turn.objects.create(battle=battle, index=0, prompt=prompt)
    for side, state in zip("ab", answers, strict=True):
        Answer.objects.create(
            turn=turn,
            side=side,
            state=state,
            text="" if state in {"failed", "pending"} else "Because.",
            error="model_timeout" if state == "failed" else "",
        )
    if vote:
        serial = next(_serial)
        entry = LedgerEntry.objects.create(
            sequence=serial, kind="vote", payload="{}", previous_hash="", hash=str(serial)
        )
        cast = Vote.objects.create(
            turn=turn, voter=voter, choice=vote, exclusion=exclusion, ledger_entry=entry
        )
        Vote.objects.filter(pk=cast.pk).update(cast_at=voted_at or at)
    return battle
