"""Battles, for those who may see them."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from arena.blinding import BattleView, battle_view
from arena.errors import BattleNotFoundError
from arena.models import Battle
from arena.runner import runner
from arena.spending import models_over_cap
from inference.models import LanguageModel
from inference.selectors import language_models_live

# Polling readers write down that they watch; this often is enough for ARENA_ORPHAN_SECONDS.
WATCH_NOTED_EVERY = timedelta(seconds=3)


def battle_rows() -> QuerySet[Battle]:
    """Battles with all that a view of them needs, in four queries."""
    return Battle.objects.select_related(
        "model_a__organization", "model_b__organization"
    ).prefetch_related("turns__answers", "turns__vote")


def battle_get_for_voter(*, battle_id: uuid.UUID, voter_id: uuid.UUID | None) -> BattleView:
    """The battle now, text in the making included; raises BattleNotFoundError for anyone else's.

    Looking counts as watching: while somebody looks, answers are not abandoned.
    """
    if voter_id is None:
        raise BattleNotFoundError
    battle = battle_rows().filter(pk=battle_id, voter_id=voter_id).first()
    if battle is None:
        raise BattleNotFoundError
    live = runner.live(battle_id)
    view = battle_view(battle=battle, live=live)
    if live is not None:
        live.touch()
    elif view.state == Battle.State.GENERATING:
        now = timezone.now()
        Battle.objects.filter(pk=battle_id, watched_at__lt=now - WATCH_NOTED_EVERY).update(
            watched_at=now
        )
    return view


def models_offered() -> list[LanguageModel]:
    """The models that a voter may choose by name now: live, and their provider's budget not spent.

    By name, with their organizations.
    """
    over_cap = models_over_cap()
    return [model for model in language_models_live() if model.pk not in over_cap]
