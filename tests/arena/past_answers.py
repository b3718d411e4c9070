"""Answers of the past, or in the making, for tests of what they add up to."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from arena.models import Answer, Battle, Turn, Voter
from inference.models import Endpoint, LanguageModel, Organization


def language_model(slug: str, *hosts: str, **fields: Any) -> LanguageModel:
    """A model with an endpoint at each of these hosts; "" is the own inference service."""
    organization, _ = Organization.objects.get_or_create(slug="acme", name="Acme")
    model = LanguageModel.objects.create(slug=slug, name=slug, organization=organization, **fields)
    for host in hosts:
        base_url = f"https://{host}/v1" if host else ""
        Endpoint.objects.create(language_model=model, base_url=base_url, name=slug)
    return model


def answer(
    model: LanguageModel,
    *,
    voter_id: uuid.UUID | None = None,
    network: str = "",
    seconds_ago: float = 0,
    prompt: str = "Hi?",
    battle: Battle | None = None,
    **fields: Any,
) -> Answer:
    """One answer of `model`, in a direct chat of its own or as the next turn of `battle`."""
    if battle is None:
        voter, _ = Voter.objects.get_or_create(pk=voter_id or uuid.uuid4())
        battle = Battle.objects.create(
            voter=voter, mode="direct", model_a=model, network=network, consent_version="1"
        )
    turn = Turn.objects.create(battle=battle, index=battle.turns.count(), prompt=prompt)
    fields = {"state": "complete", "text": "Hello.", **fields}
    made = Answer.objects.create(turn=turn, side="a", **fields)
    made.created_at = timezone.now() - timedelta(seconds=seconds_ago)
    made.save(update_fields=["created_at"])
    return made
