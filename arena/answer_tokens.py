"""How many tokens answers took: what providers reported, and an estimate where they did not.

A provider reports its counts at the end of an answer, so an answer that was stopped has none, and
one in the making has none yet. Knows nothing of prices and limits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db.models import (
    Case,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from arena.models import Answer, Turn

# Sent where the model card names no limit: an answer has to end.
DEFAULT_MAX_TOKENS = 1024
# Of UTF-8. English has about 4 bytes a token and Chinese about 3: rather too many tokens than
# too few.
BYTES_A_TOKEN = 3


def max_tokens(sampling: Mapping[str, Any]) -> int:
    """The most tokens that an answer with these sampling options may have."""
    asked = sampling.get("max_completion_tokens", sampling.get("max_tokens"))
    return asked if isinstance(asked, int) and asked > 0 else DEFAULT_MAX_TOKENS


def answers_with_tokens(answers: QuerySet[Answer]) -> QuerySet[Answer]:
    """The answers with `tokens_in` and `tokens_out`, both integers.

    As reported. Where nothing was: by the bytes of the conversation and of the answer so far; 0
    for one that failed without a word, since it was most likely never begun.
    """
    never_begun = Q(state=Answer.State.FAILED, text="")
    return answers.annotate(
        tokens_in=Case(
            When(prompt_tokens__isnull=False, then=F("prompt_tokens")),
            When(never_begun, then=Value(0)),
            default=_tokens(_prompt_bytes() + _earlier_answer_bytes()),
            output_field=IntegerField(),
        ),
        tokens_out=Case(
            When(completion_tokens__isnull=False, then=F("completion_tokens")),
            default=_tokens(_bytes("text")),
            output_field=IntegerField(),
        ),
    )


def tokens_to_come(answers: QuerySet[Answer]) -> dict[int, int]:
    """How many more tokens the answers in the making may have, by model id: those to their limit.

    A few rows at any time, so they are added up here and not in the database.
    """
    generating = answers_with_tokens(answers.filter(state__in=Answer.GENERATING))
    to_come: dict[int, int] = defaultdict(int)
    for side in ("a", "b"):
        model = f"turn__battle__model_{side}"
        rows = generating.filter(side=side).values_list(model, f"{model}__sampling", "tokens_out")
        for model_id, sampling, tokens_out in rows:
            to_come[model_id] += max(0, max_tokens(sampling) - tokens_out)
    return dict(to_come)


def _bytes(name: str) -> Func:
    return Func(F(name), function="octet_length", output_field=IntegerField())


def _tokens(size: Any) -> ExpressionWrapper[Any]:
    return ExpressionWrapper(
        (size + (BYTES_A_TOKEN - 1)) / BYTES_A_TOKEN, output_field=IntegerField()
    )


def _prompt_bytes() -> Coalesce:
    """Of the prompts of the conversation, up to the answer's own turn."""
    turns = Turn.objects.filter(
        battle=OuterRef("turn__battle"), index__lte=OuterRef("turn__index")
    ).order_by()
    sums = turns.values("battle").annotate(total=Sum(_bytes("prompt"))).values("total")
    return Coalesce(Subquery(sums, output_field=IntegerField()), 0)


def _earlier_answer_bytes() -> Coalesce:
    """Of what this side said before; with answers that were made anew, rather too many."""
    answers = Answer.objects.filter(
        turn__battle=OuterRef("turn__battle"),
        turn__index__lt=OuterRef("turn__index"),
        side=OuterRef("side"),
    ).order_by()
    sums = answers.values("turn__battle").annotate(total=Sum(_bytes("text"))).values("total")
    return Coalesce(Subquery(sums, output_field=IntegerField()), 0)
