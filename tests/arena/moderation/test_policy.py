"""What follows from a score."""

from __future__ import annotations

import pytest

from arena.moderation.bench import Judgement, Score
from arena.moderation.policy import Policy, findings


def acted_on(score, **policies):
    judgement = Judgement(scores=(Score("rules/1", "violence", score),))
    return [(finding.action, finding.score) for finding in findings(judgement, policies=policies)]


@pytest.mark.parametrize("action", ["log", "warn", "block"])
def test_an_action_is_taken_from_its_threshold_on(action):
    policy = Policy(action, 0.7)

    assert acted_on(0.7, violence=policy) == [(action, 0.7)]
    assert acted_on(0.69, violence=policy) == []


def test_a_category_that_is_off_does_nothing():
    assert acted_on(1.0, violence=Policy("off", 0.0)) == []


def test_a_category_without_policy_is_logged_from_a_half_on():
    assert acted_on(0.5) == [("log", 0.5)]
    assert acted_on(0.49) == []


def test_a_score_of_nothing_is_no_finding_at_any_threshold():
    assert acted_on(0.0, violence=Policy("block", 0.0)) == []
    assert acted_on(0.01, violence=Policy("block", 0.0)) == [("block", 0.01)]


def test_the_surest_finding_comes_first_and_names_its_moderator():
    judgement = Judgement(scores=(Score("rules/1", "spam", 0.6), Score("host/m", "spam", 0.9)))

    found = findings(judgement, policies={})

    assert [finding.moderator for finding in found] == ["host/m", "rules/1"]
