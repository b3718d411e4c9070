"""What each provider has cost today, and which models are beyond their provider's cap.

A provider is the host that a model's endpoints name: whoever is behind it sends the bill. Reads
tokens and prices; knows nothing of voters. See docs/limits.md.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from arena.answer_tokens import answers_with_tokens, tokens_to_come
from arena.errors import SpendCapError
from arena.memo import remembered
from arena.models import Answer
from inference.models import Endpoint, LanguageModel

# How long an answer to "who is over?" is taken to be true. What starts within it is the most by
# which a cap is missed, besides the errors of the estimates.
REMEMBERED_SECONDS = 3
_MILLION = Decimal(1_000_000)


def models_over_cap() -> frozenset[int]:
    """Ids of the models that must not be asked before midnight UTC. Empty without caps.

    A model with several endpoints is over as soon as one of their hosts is, and what it costs
    counts at each of them: which one will answer, or has answered, is not known.
    """
    if not settings.ARENA_SPEND_CAPS:
        return frozenset()
    return remembered("arena.spending.over", _models_over_cap, seconds=REMEMBERED_SECONDS)


def spend_allow(*, model_ids: Iterable[int]) -> None:
    """Raise SpendCapError if one of these models, which the voter knows, is over its cap."""
    if not models_over_cap().isdisjoint(model_ids):
        now = timezone.now()
        midnight = _day_start(now) + timedelta(days=1)
        raise SpendCapError(retry_after=max(1, math.ceil((midnight - now).total_seconds())))


def spend_by_host(*, now: datetime) -> dict[str, Decimal]:
    """US dollars since midnight UTC for each capped host, with what is in the making at its most.

    Of models without a price nothing is known, so they add nothing.
    """
    return _spend_by_host(hosts=hosts_by_model(), now=now)


def _models_over_cap() -> frozenset[int]:
    hosts = hosts_by_model()
    spent = _spend_by_host(hosts=hosts, now=timezone.now())
    over = {host for host, cap in settings.ARENA_SPEND_CAPS.items() if spent[host] >= cap}
    return frozenset(model_id for model_id, theirs in hosts.items() if theirs & over)


def _spend_by_host(*, hosts: Mapping[int, set[str]], now: datetime) -> dict[str, Decimal]:
    spent = {host: Decimal(0) for host in settings.ARENA_SPEND_CAPS}
    for model_id, dollars in _spend_by_model(model_ids=hosts, since=_day_start(now)).items():
        for host in hosts[model_id]:
            spent[host] += dollars
    return spent


def models_without_price() -> list[LanguageModel]:
    """Models at a capped host of which the registry lacks a price: the cap does not see them."""
    unpriced = LanguageModel.objects.filter(Q(price_in=None) | Q(price_out=None))
    return list(unpriced.filter(pk__in=hosts_by_model()))


def hosts_by_model() -> dict[int, set[str]]:
    """The capped hosts of each model that has any."""
    hosts: dict[int, set[str]] = defaultdict(set)
    for model_id, base_url in Endpoint.objects.values_list("language_model", "base_url"):
        host = urlsplit(base_url or settings.INFERENCE_URL).hostname or ""
        if host in settings.ARENA_SPEND_CAPS:
            hosts[model_id].add(host)
    return dict(hosts)


def _spend_by_model(*, model_ids: Iterable[int], since: datetime) -> dict[int, Decimal]:
    ids = list(model_ids)
    prices = {
        model.pk: (model.price_in or Decimal(0), model.price_out or Decimal(0))
        for model in LanguageModel.objects.filter(pk__in=ids)
    }
    spent: dict[int, Decimal] = defaultdict(Decimal)

    def add(model_id: int, tokens_in: int, tokens_out: int) -> None:
        price_in, price_out = prices[model_id]
        spent[model_id] += (tokens_in * price_in + tokens_out * price_out) / _MILLION

    today = Answer.objects.filter(created_at__gte=since).order_by()
    models = ("turn__battle__model_a", "turn__battle__model_b")
    theirs = today.filter(
        Q(side="a", **{f"{models[0]}__in": ids}) | Q(side="b", **{f"{models[1]}__in": ids})
    )
    sums = answers_with_tokens(theirs).values_list("side", *models)
    totals = sums.annotate(total_in=Sum("tokens_in"), total_out=Sum("tokens_out"))
    for side, model_a, model_b, total_in, total_out in totals:
        add(model_a if side == "a" else model_b, total_in, total_out)
    for model_id, tokens in tokens_to_come(today).items():
        if model_id in prices:
            add(model_id, 0, tokens)
    return spent


def _day_start(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
