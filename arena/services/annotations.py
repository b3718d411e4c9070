"""Writes to annotations: what each voted turn is about and how its answers are written.

Derived from what is stored, in the worker or by `manage.py tag_votes`, never while a voter waits.
No vote, ledger entry or text is changed here. Nothing of a conversation reaches the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from arena.blinding import answers_current
from arena.models import TurnAnnotation, Vote
from arena.style_counts import StyleCounts, style_counts
from arena.tagging.interface import UNKNOWN_LANGUAGE, Conversation, Tagger, Tags

logger = logging.getLogger(__name__)

# Votes whose conversations are in memory at once.
BATCH = 200
_FIELDS = ["language", "categories", "style", "tagger", "problem", "created_at"]


def annotations_make(*, limit: int | None = None) -> int:
    """Annotate the votes cast since the newest annotated one; return how many were annotated.

    Goes along the ledger and commits batch by batch, so what is done is a beginning of the ledger
    and the cost does not grow with the votes before it. Safe to run twice at once: annotations that
    somebody else has made meanwhile stay. At most `limit` votes, the oldest first.
    """
    newest = (
        Vote.objects.filter(turn__annotation__isnull=False)
        .order_by("-ledger_entry_id")
        .values_list("ledger_entry_id", flat=True)
        .first()
    )
    since = Vote.objects.filter(ledger_entry_id__gt=newest or 0)
    return sum(_annotate(since, limit=limit, replace=False))


def votes_to_annotate(*, again: bool) -> QuerySet[Vote]:
    """All votes without annotation; `again` adds those of another tagger, and the failed ones."""
    missing = Q(turn__annotation__isnull=True)
    if again:
        missing |= ~Q(turn__annotation__tagger=_version(_tagger())) | ~Q(
            turn__annotation__problem=""
        )
    return Vote.objects.filter(missing)


def annotations_remake(*, again: bool) -> Iterator[int]:
    """Annotate all of `votes_to_annotate`, in the order of the ledger; yields batch sizes."""
    yield from _annotate(votes_to_annotate(again=again), limit=None, replace=again)


def _annotate(votes: QuerySet[Vote], *, limit: int | None, replace: bool) -> Iterator[int]:
    """Walk `votes` along the ledger, each once, even where its annotation stays wanting."""
    rows = (
        votes.order_by("ledger_entry_id")
        .select_related("turn__battle")
        .prefetch_related("turn__battle__turns__answers")
    )
    tagger = _tagger()
    after, done = 0, 0
    while limit is None or done < limit:
        size = BATCH if limit is None else min(BATCH, limit - done)
        batch = list(rows.filter(ledger_entry_id__gt=after)[:size])
        if not batch:
            return
        annotations = [_annotation(vote, tagger) for vote in batch]
        if replace:
            TurnAnnotation.objects.bulk_create(
                annotations,
                update_conflicts=True,
                unique_fields=["turn"],
                update_fields=_FIELDS,
            )
        else:
            TurnAnnotation.objects.bulk_create(annotations, ignore_conflicts=True)
        after = batch[-1].ledger_entry_id
        done += len(batch)
        yield len(batch)


def _annotation(vote: Vote, tagger: Tagger) -> TurnAnnotation:
    """Of the conversation up to the voted turn; a tagger that fails is named in `problem`."""
    voted = vote.turn
    turns = [turn for turn in voted.battle.turns.all() if turn.index <= voted.index]
    turns.sort(key=lambda turn: turn.index)
    answers: dict[str, list[str]] = {"a": [], "b": []}
    for turn in turns:
        for side, answer in answers_current(turn).items():
            answers[side].append(answer.text)
    conversation = Conversation(
        prompts=tuple(turn.prompt for turn in turns),
        answers=(*answers["a"], *answers["b"]),
    )
    problem = ""
    try:
        found = tagger(conversation)
        # Checked once more: a tagger of the operator's may return what only looks like tags.
        tags = Tags(found.language, frozenset(found.categories))
    except Exception as error:  # noqa: BLE001 - it may be anybody's code
        # The error's words may quote the prompt, which neither log nor table may hold.
        problem = type(error).__name__[:100]
        logger.error("tagger %s failed on turn %s: %s", tagger.version, voted.pk, problem)
        tags = Tags(UNKNOWN_LANGUAGE, frozenset())
    own = settings.ARENA_TAG_RULES
    categories = tags.categories | (own.categories_of(conversation) if own else frozenset())
    return TurnAnnotation(
        turn=voted,
        language=tags.language,
        categories=sorted(categories),
        style={
            side: asdict(sum((style_counts(text) for text in texts), StyleCounts()))
            for side, texts in answers.items()
        },
        tagger=_version(tagger),
        problem=problem,
    )


def _tagger() -> Tagger:
    tagger: Tagger = import_string(settings.ARENA_TAGGER)
    return tagger


def _version(tagger: Tagger) -> str:
    own = settings.ARENA_TAG_RULES
    return f"{tagger.version}+{own.version}" if own else tagger.version
