"""Models and votes for the tests of the ratings, cast as the arena casts them."""

from __future__ import annotations

from itertools import count

from arena.models import Answer, Battle, Turn, Vote, Voter
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
    model_a: LanguageModel, model_b: LanguageModel, choice: str, *, answer: str = "Certainly."
) -> Vote:
    """One vote of a new voter from a network of its own."""
    serial = next(_serial)
    voter = Voter.objects.create()
    battle = Battle.objects.create(
        mode=Battle.Mode.BATTLE,
        voter=voter,
        model_a=model_a,
        model_b=model_b,
        sampler="uniform/1",
        probability=0.5,
        pool=[model_a.pk, model_b.pk],
        consent_version="test",
    )
    turn = Turn.objects.create(battle=battle, index=0, prompt=f"Question {serial}?")
    for side in ("a", "b"):
        Answer.objects.create(turn=turn, side=side, state=Answer.State.COMPLETE, text=answer)
    return vote_cast(
        voter_id=voter.pk,
        address=f"10.{serial // 256 % 256}.{serial % 256}.1",
        battle_id=battle.pk,
        turn_index=0,
        choice=choice,
        ballot=turn.ballot,
    )
