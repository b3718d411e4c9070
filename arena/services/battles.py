"""Writes to battles: start, next turn, stop, retry."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from arena import metrics
from arena.blinding import answers_current
from arena.errors import (
    BattleNotFoundError,
    ConsentMissingError,
    InvalidInputError,
    NoLiveModelsError,
    NotContinuableError,
    NotGeneratingError,
    NotRetryableError,
)
from arena.events import battle_changed_publish
from arena.limits import limit_hit, network_key
from arena.live import battle_state
from arena.matchmaking import pair_draw
from arena.models import Answer, Battle, Turn, Vote, Voter, ballot_token
from arena.prompts import prompt_clean
from arena.quotas import generation_allow
from arena.runner import runner
from arena.selectors.pairing import pairs_met
from arena.services.challenges import challenge_spend
from arena.services.moderation import prompt_findings_store, prompt_moderate
from arena.spending import models_over_cap, spend_allow
from arena.work import work_of
from inference.models import LanguageModel
from inference.selectors import language_models_live
from inference.services import endpoints_probe

ACTIVE = LanguageModel.Status.ACTIVE
Mode = Battle.Mode
MAX_TURNS = 50
# How long ago an endpoint may have been asked before a start that lacks models asks again.
PROBE_AGAIN_AFTER = timedelta(seconds=3)

_random = secrets.SystemRandom()


@dataclass(frozen=True)
class _Contestants:
    """Who answers, and for a drawn pair how it was drawn."""

    model_a: LanguageModel
    model_b: LanguageModel | None
    sampler: str = ""
    probability: float | None = None
    pool: Sequence[int] = ()
    excluded_pairs: Sequence[tuple[int, int]] = ()
    gold_side: str = ""


def battle_start(
    *,
    voter_id: uuid.UUID,
    address: str,
    mode: object,
    prompt: object,
    consent: object,
    models: object = (),
    challenge: object = None,
) -> Battle:
    """Store a battle and begin to generate once that is committed.

    In mode `battle` two live models are drawn; `side_by_side` takes two slugs in `models`, `direct`
    one. `challenge` is a solved proof of work, where the arena asks for one. Raises ArenaError: bad
    prompt, mode or models, missing consent, RateLimitedError, NoLiveModelsError, ModeratedError.
    """
    if mode not in Mode.values:
        raise InvalidInputError(f"The mode must be one of {', '.join(Mode.values)}.", field="mode")
    chosen_mode = Mode(str(mode))
    text = prompt_clean(prompt)
    slugs = _slugs_read(chosen_mode, models)
    if consent is not True:
        raise ConsentMissingError
    limit_hit(action="battles", voter_id=voter_id, address=address)
    verdict = prompt_moderate(text)
    if chosen_mode == Mode.BATTLE:
        contestants = _drawn(voter_id=voter_id, prompt=text)
    else:
        contestants = _named(slugs)
    with transaction.atomic():
        generation_allow(voter_id=voter_id, address=address)
        challenge_spend(payload=challenge)
        voter, _ = Voter.objects.get_or_create(pk=voter_id)
        battle = Battle(
            voter=voter,
            mode=chosen_mode,
            model_a=contestants.model_a,
            model_b=contestants.model_b,
            sampler=contestants.sampler,
            probability=contestants.probability,
            pool=list(contestants.pool),
            excluded_pairs=[list(pair) for pair in contestants.excluded_pairs],
            pacing=str((chosen_mode == Mode.BATTLE and settings.ARENA_PACING) or "none"),
            gold_side=contestants.gold_side,
            network=network_key(address),
            consent_version=settings.ARENA_CONSENT_VERSION,
        )
        battle.full_clean(exclude=["voter"])
        battle.save(force_insert=True)
        turn = _turn_create(battle, index=0, prompt=text)
        prompt_findings_store(turn=turn, verdict=verdict)
    metrics.battles_started.inc()
    return battle


def turn_add(*, voter_id: uuid.UUID, address: str, battle_id: uuid.UUID, prompt: object) -> Turn:
    """Ask both sides something more; each goes on with its own earlier answers.

    Raises ArenaError: NotContinuableError while an answer is being made, is missing or broken.
    """
    text = prompt_clean(prompt)
    limit_hit(action="turns", voter_id=voter_id, address=address)
    if not Battle.objects.filter(pk=battle_id, voter_id=voter_id).exists():
        raise BattleNotFoundError
    verdict = prompt_moderate(text)
    with transaction.atomic():
        generation_allow(voter_id=voter_id, address=address)
        last = _last_turn_locked(voter_id=voter_id, battle_id=battle_id)
        current = answers_current(last)
        if any(answer.state in Answer.GENERATING for answer in current.values()):
            raise NotContinuableError("The answers are still being written.")
        if not all(_judgeable(answer) for answer in current.values()):
            raise NotContinuableError("An answer is missing or broken; retry it first.")
        if last.index + 1 >= MAX_TURNS:
            raise NotContinuableError(f"A conversation has at most {MAX_TURNS} turns.")
        if not _is_answerable(last.battle):
            raise NotContinuableError("One of the assistants answers no more; start a new battle.")
        Battle.objects.filter(pk=battle_id).update(watched_at=timezone.now())
        turn = _turn_create(last.battle, index=last.index + 1, prompt=text)
        prompt_findings_store(turn=turn, verdict=verdict)
        transaction.on_commit(lambda: battle_changed_publish(battle_id=battle_id), robust=True)
    return turn


def battle_stop(*, voter_id: uuid.UUID, battle_id: uuid.UUID) -> None:
    """End what is being generated, keeping the text. The generating process may be another one."""
    with transaction.atomic():
        turn = _last_turn_locked(voter_id=voter_id, battle_id=battle_id)
        current = answers_current(turn).values()
        if not any(answer.state in Answer.GENERATING for answer in current):
            raise NotGeneratingError("Both answers have already ended.")
        Turn.objects.filter(pk=turn.pk).update(stop_requested_at=timezone.now())
        answer_ids = [answer.pk for answer in current]
        transaction.on_commit(lambda: runner.stop(battle_id, answer_ids=answer_ids))


def battle_regenerate(*, voter_id: uuid.UUID, address: str, battle_id: uuid.UUID) -> None:
    """Ask the same pair again: the sides that failed, or both where none did. Old answers stay.

    Raises NotRetryableError while an answer is being made and after the vote.
    """
    limit_hit(action="battles", voter_id=voter_id, address=address)
    with transaction.atomic():
        generation_allow(voter_id=voter_id, address=address)
        turn = _last_turn_locked(voter_id=voter_id, battle_id=battle_id)
        current = answers_current(turn)
        if any(answer.state in Answer.GENERATING for answer in current.values()):
            raise NotRetryableError("The answers are still being written.")
        if Vote.objects.filter(turn=turn).exists():
            raise NotRetryableError("You have voted on these answers; start a new battle.")
        if not _is_answerable(turn.battle):
            raise NotRetryableError("One of the assistants answers no more; start a new battle.")
        kept = {side: answer for side, answer in current.items() if _judgeable(answer)}
        if len(kept) == len(current):
            kept = {}
        answers = [
            Answer.objects.create(turn=turn, side=side, attempt=answer.attempt + 1)
            for side, answer in current.items()
            if side not in kept
        ]
        # A new ballot: the old one was for answers that are no longer there.
        Turn.objects.filter(pk=turn.pk).update(stop_requested_at=None, ballot=ballot_token())
        Battle.objects.filter(pk=battle_id).update(watched_at=timezone.now())
        work = work_of(turn=turn, answers=answers, kept=kept)
        transaction.on_commit(lambda: runner.start(work))
        transaction.on_commit(lambda: battle_changed_publish(battle_id=battle_id), robust=True)


def pool_live() -> dict[int, LanguageModel]:
    """The models that can be asked now, by id, without those whose provider's budget is spent.

    Asks the endpoints again before it gives up with NoLiveModelsError.
    """
    pool = {model.pk: model for model in language_models_live()}
    if len(pool) < 2 and endpoints_probe(older_than=PROBE_AGAIN_AFTER):
        pool = {model.pk: model for model in language_models_live()}
    over_cap = models_over_cap()
    affordable = {pk: model for pk, model in pool.items() if pk not in over_cap}
    if len(affordable) < 2:
        raise NoLiveModelsError
    return affordable


def _slugs_read(mode: Mode, models: object) -> list[str]:
    wanted = {Mode.BATTLE: 0, Mode.SIDE_BY_SIDE: 2, Mode.DIRECT: 1}[mode]
    if models is None:
        models = ()
    if not isinstance(models, Sequence) or isinstance(models, str):
        raise InvalidInputError("The models must be a list of slugs.", field="models")
    slugs = [slug for slug in models if isinstance(slug, str)]
    if len(slugs) != len(models) or len(set(slugs)) != wanted or len(slugs) != wanted:
        raise InvalidInputError(
            {
                Mode.BATTLE: "An anonymous battle draws its models; name none.",
                Mode.SIDE_BY_SIDE: "Choose two different models, by their slugs.",
                Mode.DIRECT: "Choose one model, by its slug.",
            }[mode],
            field="models",
        )
    return slugs


def _drawn(*, voter_id: uuid.UUID, prompt: str) -> _Contestants:
    pool = pool_live()
    draw = pair_draw(pool=sorted(pool), excluded=pairs_met(voter_id=voter_id, prompt=prompt))
    is_gold = _random.random() < settings.ARENA_GOLD_RATE
    return _Contestants(
        model_a=pool[draw.model_a],
        model_b=pool[draw.model_b],
        sampler=draw.sampler,
        probability=draw.probability,
        pool=sorted(pool),
        excluded_pairs=draw.excluded,
        gold_side=_random.choice("ab") if is_gold else "",
    )


def _named(slugs: Sequence[str]) -> _Contestants:
    live = {model.slug: model for model in language_models_live()}
    for slug in slugs:
        if slug not in live:
            raise InvalidInputError(
                f"No model {slug!r} can answer now. Those that can: {', '.join(sorted(live))}.",
                field="models",
            )
    chosen = [live[slug] for slug in slugs]
    spend_allow(model_ids=[model.pk for model in chosen])
    return _Contestants(model_a=chosen[0], model_b=chosen[1] if len(chosen) > 1 else None)


def _is_answerable(battle: Battle) -> bool:
    """Whether both models still answer. What is lacking is not told: it could name a provider."""
    models = [battle.model_a, *([battle.model_b] if battle.model_b else [])]
    over_cap = models_over_cap()
    return all(model.status == ACTIVE and model.pk not in over_cap for model in models)


def _turn_create(battle: Battle, *, index: int, prompt: str) -> Turn:
    """The turn with an answer to make for each side; generation begins with the commit."""
    turn = Turn.objects.create(battle=battle, index=index, prompt=prompt)
    sides = ("a",) if battle.mode == Mode.DIRECT else ("a", "b")
    answers = [Answer.objects.create(turn=turn, side=side) for side in sides]
    work = work_of(turn=turn, answers=answers, kept={})
    transaction.on_commit(lambda: runner.start(work))
    return turn


def _judgeable(answer: Answer) -> bool:
    return battle_state({answer.side: (answer.state, bool(answer.text))}) == "votable"


def _last_turn_locked(*, voter_id: uuid.UUID, battle_id: uuid.UUID) -> Turn:
    """The last turn of the voter's own battle; battle and turn stay locked for the transaction.

    The battle first: which turn is the last must not change while one waits for it. The turn's own
    lock keeps votes out.
    """
    battles = Battle.objects.filter(pk=battle_id, voter_id=voter_id)
    if battles.select_for_update(no_key=True).first() is None:
        raise BattleNotFoundError
    turns = Turn.objects.select_for_update(of=("self",)).select_related(
        "battle__model_a", "battle__model_b"
    )
    return turns.filter(battle_id=battle_id).order_by("-index")[:1].get()
