"""Models and votes for the tests of the ratings, cast as the arena casts them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from django.db import transaction

from arena.ledger import ledger_append
from arena.models import Answer, Battle, LedgerEntry, Turn, TurnAnnotation, Vote, Voter, VoteSecret
from arena.services.votes import vote_cast
from inference.models import LanguageModel, Organization

_serial = count()


def language_model(slug: str, **values: object) -> LanguageModel:
    maker, _ = Organization.objects.get_or_create(slug="maker", defaults={"name": "Some Maker"})
    return LanguageModel.objects.create(
        slug=slug,
        organization=maker,
        **{"name": f"Model {slug.upper()}", "licence": "Apache-2.0", **values},
    )


def vote(
    model_a: LanguageModel,
    model_b: LanguageModel,
    choice: str,
    *,
    answer: str = "Certainly, yes.",
    answer_b: str = "",
    prompt: str = "",
    voter: Voter | None = None,
    mode: Battle.Mode = Battle.Mode.BATTLE,
    leak: str = "",
    **battle_values: Any,
) -> Vote:
    """One vote, of a new voter from a network of its own unless `voter` casts it.

    `leak` are the words by which the first answer named its model.
    """
    serial = next(_serial)
    voter = voter or Voter.objects.create()
    battle = Battle.objects.create(
        mode=mode,
        voter=voter,
        model_a=model_a,
        model_b=model_b,
        sampler="uniform/1",
        probability=0.5,
        pool=[model_a.pk, model_b.pk],
        consent_version="test",
        **battle_values,
    )
    turn = Turn.objects.create(battle=battle, index=0, prompt=prompt or f"Question {serial}?")
    for side, text in (("a", answer), ("b", answer_b or answer)):
        Answer.objects.create(
            turn=turn,
            side=side,
            state=Answer.State.COMPLETE,
            text=text,
            leak=leak if side == "a" else "",
        )
    return vote_cast(
        voter_id=voter.pk,
        address=f"10.{serial // 256 % 256}.{serial % 256}.1",
        battle_id=battle.pk,
        turn_index=0,
        choice=choice,
        ballot=turn.ballot,
    )


def annotate(
    cast: Vote, *, language: str = "en", categories: tuple[str, ...] = (), **style: int
) -> None:
    """Give a vote's turn its annotation; `style` are counts of side a, those of b are all 1."""
    names = ("length", "h1", "h2", "h3", "h4", "h5", "h6", "bold_asterisk", "bold_underscore",
             "ordered", "unordered")  # fmt: skip
    TurnAnnotation.objects.create(
        turn=cast.turn,
        language=language,
        categories=list(categories),
        style={
            "a": {n: style.get(n, 0) for n in names},
            "b": {n: int(n == "length") for n in names},
        },
        tagger="test",
    )


def entry(kind: LedgerEntry.Kind, **payload: Any) -> None:
    """A word of the ledger on a vote, by its entry's number."""
    with transaction.atomic():
        ledger_append(kind=kind, payload={"schema": 1, **payload})


def votes_by(
    voter: Voter, ballots: Sequence[tuple[LanguageModel, LanguageModel, str]]
) -> list[Vote]:
    """Many votes of one voter, all counted, without the rules' looking at each: (model shown
    first, second, choice)."""
    battles = Battle.objects.bulk_create(
        Battle(
            voter=voter, model_a=first, model_b=second, sampler="uniform/1", probability=0.5,
            consent_version="test",
        )
        for first, second, _ in ballots
    )  # fmt: skip
    turns = Turn.objects.bulk_create(
        Turn(battle=battle, index=0, prompt=f"Question {next(_serial)}?") for battle in battles
    )
    with transaction.atomic():
        entries = [
            ledger_append(
                kind=LedgerEntry.Kind.VOTE,
                payload={
                    "schema": 2,
                    "mode": "battle",
                    "model_a": first.slug,
                    "model_b": second.slug,
                    "choice": choice,
                    "probability": 0.5,
                    "sampler": "uniform/1",
                    "pacing": "none",
                    "hour": "2026-01-01T00:00:00+00:00",
                },
            )
            for first, second, choice in ballots
        ]
        votes = Vote.objects.bulk_create(
            Vote(turn=turn, voter=voter, choice=choice, ledger_entry=link)
            for turn, link, (_, _, choice) in zip(turns, entries, ballots, strict=True)
        )
        VoteSecret.objects.bulk_create(
            VoteSecret(vote=cast, voter_token=f"{cast.pk}", salts={}) for cast in votes
        )
    return votes
