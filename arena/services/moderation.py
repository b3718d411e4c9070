"""Moderation of prompts and answers: what moderators find, what follows, and what is kept of it.

Where a moderator fails, texts pass, and the failure is counted: a broken moderator must not close
the arena. Both sides' answers are judged alike. No text reaches the log. Knows nothing of votes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.db import transaction

from arena import metrics
from arena.database import in_database
from arena.errors import ModeratedError
from arena.models import Answer, ModerationFinding, ModerationPolicy, Turn
from arena.moderation.bench import Bench, Judgement
from arena.moderation.endpoint import EndpointModerator
from arena.moderation.interface import Moderator
from arena.moderation.policy import Finding, Policy, findings
from arena.moderation.rules import Rules, RulesModerator
from inference.network_guard import NetworkGuard
from inference.selectors import network_guard

logger = logging.getLogger(__name__)

BLOCK = ModerationPolicy.Action.BLOCK


@dataclass(frozen=True)
class PromptVerdict:
    """What was found in a prompt that may be asked; to be stored with its turn."""

    findings: tuple[Finding, ...] = ()


def prompt_moderate(text: str) -> PromptVerdict:
    """Judge a prompt before its battle or turn is stored; raises ModeratedError for a block.

    May wait for an endpoint: call it outside any transaction. Without moderators it costs nothing.
    """
    bench = _bench()
    if not bench:
        return PromptVerdict()
    found = _decide(bench.judge(text), subject="prompt")
    blocking = next((finding for finding in found if finding.action == BLOCK), None)
    if blocking is not None:
        raise ModeratedError(category=blocking.category)
    return PromptVerdict(found)


def prompt_findings_store(*, turn: Turn, verdict: PromptVerdict) -> None:
    """Keep what was found in a prompt; in the transaction that stores its turn."""
    _store(turn_id=turn.pk, answer_id=None, found=verdict.findings)


def answer_moderate(*, answer_id: int, text: str) -> bool:
    """Judge an answer that has ended; True when it must not stand. Findings are kept, once.

    May wait for an endpoint. From an event loop use `aanswer_moderate`, which holds no thread while
    it waits. Raises DatabaseError.
    """
    bench = _bench()
    if not bench or not text.strip():
        return False
    return _answer_judged(answer_id=answer_id, judgement=bench.judge(text))


async def aanswer_moderate(*, answer_id: int, text: str) -> bool:
    """`answer_moderate` for an event loop."""
    bench = _bench()
    if not bench or not text.strip():
        return False
    judgement = await bench.ajudge(text)
    return await in_database(_answer_judged, answer_id=answer_id, judgement=judgement)


def _answer_judged(*, answer_id: int, judgement: Judgement) -> bool:
    found = _decide(judgement, subject="answer")
    if found:
        with transaction.atomic():
            turn_id = Answer.objects.filter(pk=answer_id).values_list("turn_id", flat=True).first()
            # An answer that was erased meanwhile has nowhere to keep them.
            if turn_id is not None:
                ModerationFinding.objects.filter(answer_id=answer_id).delete()
                _store(turn_id=turn_id, answer_id=answer_id, found=found)
    return any(finding.action == BLOCK for finding in found)


def _decide(judgement: Judgement, *, subject: str) -> tuple[Finding, ...]:
    """The findings under the policies of now; counts them, and the moderators that failed."""
    for moderator, error in judgement.failures:
        metrics.moderation_failures.labels(subject=subject, kind=error.failure).inc()
        logger.warning("moderator %s let a text pass unjudged: %s", moderator, error)
    if not judgement.scores:
        return ()
    policies = {
        row.category: Policy(row.action, row.threshold) for row in ModerationPolicy.objects.all()
    }
    found = findings(judgement, policies=policies)
    for finding in found:
        metrics.moderation_findings.labels(subject=subject, action=finding.action).inc()
    return found


def _store(*, turn_id: int, answer_id: int | None, found: tuple[Finding, ...]) -> None:
    ModerationFinding.objects.bulk_create(
        ModerationFinding(
            turn_id=turn_id,
            answer_id=answer_id,
            category=finding.category,
            score=finding.score,
            action=finding.action,
            moderator=finding.moderator[:100],
        )
        for finding in found
    )


def _bench() -> Bench:
    return _bench_of(
        settings.ARENA_MODERATION_RULES,
        settings.ARENA_MODERATION_URL,
        settings.ARENA_MODERATION_MODEL,
        settings.ARENA_MODERATION_KEY_ENV,
        network_guard(),
    )


# One for a process: its settings never change. Tests have several.
@lru_cache(maxsize=8)
def _bench_of(
    rules: Rules | None, url: str, model: str, key_env: str, guard: NetworkGuard
) -> Bench:
    moderators: list[Moderator] = []
    if rules is not None:
        moderators.append(RulesModerator(rules))
    if url:
        moderators.append(EndpointModerator(url=url, model=model, key_env=key_env, guard=guard))
    return Bench(moderators)
