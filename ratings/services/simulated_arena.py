"""A simulation brought into this arena: its models in the registry, its votes cast.

Knows of the arena only what its services offer.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

import numpy as np

from arena.models import Vote
from arena.services.simulation import SimulatedVote, simulated_votes_cast
from inference.model_file import ModelFile, ModelSpec, OrganizationSpec
from inference.models import LanguageModel
from inference.selectors import language_model_ids, language_models_listed
from inference.services import model_file_load
from ratings.simulation.votes import SimulatedVotes, Simulation

ORGANIZATION = OrganizationSpec(slug="simulated", name="Simulated models")
# What is stored of two answers: enough for the rules to see how fast a vote was.
_MOST_WORDS = 200
# In the order of ratings.core.outcomes.Outcome.
_CHOICES = (Vote.Choice.A, Vote.Choice.B, Vote.Choice.TIE, Vote.Choice.BOTH_BAD)
_SIDES = ("", "a", "b")


def registry_models() -> list[int]:
    """Ids of the models that people could vote on here: neither retired nor simulated; by slug."""
    models = language_models_listed().exclude(status=LanguageModel.Status.RETIRED)
    models = models.exclude(organization__slug=ORGANIZATION.slug)
    return list(models.order_by("slug").values_list("pk", flat=True))


def simulated_models_add(*, names: tuple[str, ...]) -> list[int]:
    """Put made-up models into the registry, paused, so that no real battle is drawn on them; ids
    in the order of the names. Those that are there already stay."""
    specs = tuple(
        ModelSpec(
            slug=f"simulated-{name}",
            name=f"Simulated {name}",
            organization=ORGANIZATION.slug,
            category="chat",
            status="paused",
            description="Made up by manage.py simulate_votes; no such model exists.",
        )
        for name in names
    )
    model_file_load(model_file=ModelFile(organizations=(ORGANIZATION,), models=specs))
    ids = language_model_ids(slugs=[spec.slug for spec in specs])
    return [ids[spec.slug] for spec in specs]


def simulation_cast(
    *, simulation: Simulation, models: list[int], done: Callable[[int], object]
) -> int:
    """Cast all votes by voters of their own; return how many count.

    `models` are the ids of the world's models; `done` is told how many votes each batch had. All
    are cast now, whatever their day. Raises RealVotesError.
    """
    counted = 0
    for batch in simulated_votes_cast(votes=_as_cast(simulation.votes, models), pool=models):
        counted += sum(not vote.exclusion for vote in batch)
        done(len(batch))
    return counted


def _as_cast(votes: SimulatedVotes, models: list[int]) -> list[SimulatedVote]:
    voters = [uuid.uuid4() for _ in range(votes.voters)]
    shrunk = np.minimum(1, _MOST_WORDS / np.maximum(votes.words, 1))
    words = np.maximum(votes.words * shrunk, 2).astype(np.int64)
    # As fast by the word as the vote was on the whole answers.
    seconds = votes.seconds * words / np.maximum(votes.words, 1)
    return [
        SimulatedVote(
            voter=voters[votes.voter[row]],
            model_a=models[votes.model_a[row]],
            model_b=models[votes.model_b[row]],
            choice=_CHOICES[votes.outcome[row]],
            prompt=f"Simulated prompt {votes.prompt[row]}?",
            words=(int(words[row]) - int(words[row]) // 2, int(words[row]) // 2),
            seconds=float(seconds[row]),
            gold_side=_SIDES[votes.gold_side[row] + 1],
        )
        for row in range(len(votes))
    ]
