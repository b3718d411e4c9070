"""Whom a voter has met with a prompt, so that the same battle is not fought twice."""

from __future__ import annotations

import uuid

import pytest

from arena.selectors import pairs_met
from inference.models import LanguageModel, Organization
from tests.arena.met import met

PROMPT = "Why is the sky blue?"


@pytest.fixture
def ids(db: None) -> list[int]:
    acme = Organization.objects.create(slug="acme", name="Acme")
    made = [
        LanguageModel.objects.create(slug=slug, name=slug, organization=acme) for slug in "abcd"
    ]
    return [model.pk for model in made]


def test_a_pair_was_met_whichever_side_it_was_on_and_whether_voted_on_or_not(ids):
    a, b, c, d = ids
    voter = uuid.uuid4()
    met(b, a, prompt=PROMPT, voter_id=voter)
    met(a, b, prompt=PROMPT, voter_id=voter, vote="tie")
    met(d, c, prompt=PROMPT, voter_id=voter, vote="a", exclusion="leak")
    met(a, c, prompt=PROMPT, voter_id=voter, answers=("failed", "complete"))

    assert pairs_met(voter_id=voter, prompt=PROMPT) == [(a, b), (a, c), (c, d)]


def test_other_prompts_other_voters_and_named_models_are_no_such_meeting(ids):
    a, b, c, _ = ids
    voter = uuid.uuid4()
    met(a, b, prompt=PROMPT + " ", voter_id=voter)
    met(a, b, prompt=PROMPT.lower(), voter_id=voter)
    met(a, c, prompt=PROMPT)
    met(b, c, prompt=PROMPT, voter_id=voter, mode="side_by_side")
    later = met(b, c, prompt="Hi", voter_id=voter)
    later.turns.create(index=1, prompt=PROMPT)

    assert pairs_met(voter_id=voter, prompt=PROMPT) == []


def test_somebody_new_has_met_nobody(db):
    assert pairs_met(voter_id=uuid.uuid4(), prompt=PROMPT) == []
