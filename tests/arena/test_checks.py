"""Operators are told of rules that there are not, caps that do not hold, and proofs of work that
nobody can do."""

from __future__ import annotations

import pytest

from arena.checks import challenge_can_be_solved, spend_caps_hold, validity_rules_are_known
from arena.spend_caps import spend_caps_parse
from tests.arena.past_answers import language_model


@pytest.mark.parametrize(
    ("public_url", "difficulty", "problems"),
    [
        ("http://arena.example", 1000, 1),
        ("http://arena.example", 0, 0),
        ("https://arena.example", 1000, 0),
        ("http://localhost:8000", 1000, 0),
        ("http://[::1]:8000", 1000, 0),
    ],
)
def test_a_proof_of_work_that_browsers_cannot_do_is_told(
    settings, public_url, difficulty, problems
):
    settings.PUBLIC_URL, settings.ARENA_CHALLENGE = public_url, difficulty
    settings.PUBLIC_IS_HTTPS = public_url.startswith("https:")

    assert len(challenge_can_be_solved()) == problems


@pytest.mark.django_db
def test_a_model_that_a_cap_does_not_see_is_named(settings):
    settings.ARENA_SPEND_CAPS = spend_caps_parse("api.acme.example=1")
    language_model("priced", "api.acme.example", price_in=0, price_out=0)
    language_model("half-priced", "api.acme.example", price_in=1)
    language_model("elsewhere", "api.other.example")

    (problem,) = spend_caps_hold(databases=["default"])

    assert "half-priced" in problem.msg
    assert spend_caps_hold(databases=None) == []


@pytest.mark.django_db
def test_a_cap_at_a_host_that_no_endpoint_has_is_named(settings):
    settings.ARENA_SPEND_CAPS = spend_caps_parse("api.amce.example=1")
    language_model("priced", "api.acme.example", price_in=1, price_out=1)

    (problem,) = spend_caps_hold(databases=["default"])

    assert "api.amce.example" in problem.msg


@pytest.mark.parametrize(
    ("rules", "unknown"),
    [(["leak", "rate_cap"], []), ([], []), (["leak", "leek"], ["leek"]), (["named"], ["named"])],
)
def test_a_rule_that_is_none_is_named_before_a_vote_fails_by_it(settings, rules, unknown):
    settings.ARENA_VALIDITY_RULES = rules

    assert [message.msg.split("'")[1] for message in validity_rules_are_known()] == unknown
