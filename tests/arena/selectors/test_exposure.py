"""The published odds: what is counted, that it tells of no running battle, and that it finds
pairs that were not drawn by the probabilities that were stored."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.matchmaking import pair_odds, uniform
from arena.models import Battle, Voter
from arena.selectors import exposure
from arena.selectors.exposure import pairing_exposure, pairing_exposure_make, told_until
from inference.models import LanguageModel, Organization
from tests.arena.met import met

NOW = datetime(2026, 3, 14, 15, 9, tzinfo=UTC)
UNTIL = datetime(2026, 3, 13, tzinfo=UTC)
BEFORE = UNTIL - timedelta(hours=5)


@pytest.fixture
def ids(db: None) -> dict[str, int]:
    acme = Organization.objects.create(slug="acme", name="Acme")
    return {
        slug: LanguageModel.objects.create(slug=slug, name=slug, organization=acme).pk
        for slug in ("ada", "bea", "cyd")
    }


@pytest.fixture
def clock(monkeypatch):
    """The moment that the numbers are asked for."""

    class Clock:
        time = NOW

        def now(self) -> datetime:
            return self.time

    clock = Clock()
    monkeypatch.setattr(exposure, "timezone", clock)
    return clock


def test_battles_answers_and_votes_are_counted_by_pair_and_side(ids):
    ada, bea, cyd = ids.values()
    for _ in range(3):
        met(ada, bea, at=BEFORE, vote="a")
    met(ada, bea, at=BEFORE)
    met(ada, bea, at=BEFORE, answers=("complete", "failed"))
    met(bea, ada, at=BEFORE, answers=("complete", "stopped"))
    met(bea, cyd, at=BEFORE, vote="tie", exclusion="leak")

    found = pairing_exposure_make(until=UNTIL)

    counts = {
        (pair.model_a, pair.model_b): (
            pair.turnout.battles,
            pair.turnout.answered,
            pair.turnout.votes,
        )
        for pair in found.pairs
    }
    assert counts == {
        ("ada", "bea"): (5, 4, 3),
        ("bea", "ada"): (1, 1, 0),
        ("bea", "cyd"): (1, 1, 1),
    }
    rate = found.pairs[0].turnout
    # Wilson 1927, 3 of 4.
    assert (rate.vote_rate, rate.vote_rate_lower, rate.vote_rate_upper) == pytest.approx(
        (0.75, 0.3006, 0.9544), abs=1e-4
    )
    assert (found.turnout.battles, found.turnout.answered, found.turnout.votes) == (7, 6, 4)
    by_model = {row.model: (row.first.votes, row.second.votes) for row in found.models}
    assert by_model == {"ada": (3, 0), "bea": (1, 3), "cyd": (0, 1)}


def test_named_models_and_spoilt_answers_are_left_out(ids):
    ada, bea, _ = ids.values()
    met(ada, bea, at=BEFORE, mode="side_by_side")
    met(ada, bea, at=BEFORE, gold_side="a")

    found = pairing_exposure_make(until=UNTIL)

    assert (found.turnout.battles, found.pairs, found.samplers) == (0, [], [])


def test_an_empty_arena_has_no_rates(db):
    found = pairing_exposure_make(until=UNTIL)

    assert found.turnout.vote_rate is None
    assert (found.models, found.pairs) == ([], [])


def test_nothing_that_happens_to_a_battle_moves_the_numbers_before_the_next_day_but_one(ids, clock):
    ada, bea, cyd = ids.values()
    met(ada, bea, at=BEFORE, vote="b")
    first = pairing_exposure_make(until=told_until(clock.time))
    running = met(bea, cyd, at=NOW - timedelta(hours=14))
    met(bea, cyd, at=NOW - timedelta(hours=30), vote="a", voted_at=NOW)

    seen = {
        hours: pairing_exposure_make(until=told_until(NOW + timedelta(hours=hours))).turnout.battles
        for hours in (0, 1, 8, 9, 32, 33)
    }

    # From midnight to midnight nothing changes: 15:09 and 9 hours are past the first one.
    assert pairing_exposure_make(until=told_until(NOW)) == first
    assert seen == {0: 1, 1: 1, 8: 1, 9: 2, 32: 2, 33: 3}
    began = Battle.objects.get(pk=running.pk).created_at
    assert told_until(began + timedelta(hours=24)) <= began


def test_a_vote_that_comes_later_than_its_battle_is_told_is_not_told(ids):
    ada, bea, _ = ids.values()
    met(ada, bea, at=BEFORE, vote="a", voted_at=UNTIL + timedelta(hours=23))
    met(ada, bea, at=BEFORE, vote="a", voted_at=UNTIL + timedelta(hours=25))

    found = pairing_exposure_make(until=UNTIL).turnout

    assert (found.battles, found.votes) == (2, 1)


def test_where_a_pair_could_be_drawn_is_counted_from_pools_and_exclusions(ids):
    ada, bea, cyd = ids.values()
    everybody, two = [ada, bea, cyd], [ada, bea]
    for _ in range(4):
        met(bea, cyd, at=BEFORE, pool=everybody, probability=1 / 3)
    met(cyd, ada, at=BEFORE, pool=everybody, probability=1 / 2, excluded_pairs=[(ada, bea)])
    met(ada, bea, at=BEFORE, pool=two, probability=1.0)

    found = pairing_exposure_make(until=UNTIL)

    pairs = {(pair.model_a, pair.model_b): pair for pair in found.pairs}
    assert {key: pair.possible for key, pair in pairs.items()} == {
        ("ada", "bea"): 5,
        ("bea", "cyd"): 5,
        ("cyd", "ada"): 5,
    }
    assert pairs["bea", "cyd"].possible_estimated == pytest.approx(4 * 2 * 3)
    assert pairs["bea", "cyd"].possible_standard_error == pytest.approx((4 * (5 / 6) * 36) ** 0.5)
    assert pairs["bea", "cyd"].mean_probability == pytest.approx(1 / 3)
    assert {row.model: row.available for row in found.models} == {"ada": 6, "bea": 6, "cyd": 5}
    (sampler,) = found.samplers
    assert (sampler.sampler, sampler.battles) == ("uniform/1", 6)
    assert sampler.calibration == pytest.approx(1)


def drawn_many(ids: dict[str, int], *, stored: dict[tuple[int, int], float]) -> None:
    """1,200 battles by uniform pairs and sides, that store other probabilities."""
    random, voter = Random(3), Voter.objects.create(pk=uuid.uuid4())
    odds = pair_odds(sampler=uniform, pool=list(ids.values()))
    rows = [
        Battle(
            voter=voter,
            model_a_id=pair[0],
            model_b_id=pair[1],
            sampler="claimed/1",
            probability=stored[min(pair), max(pair)],
            pool=sorted(ids.values()),
            consent_version="test",
        )
        for pair in (
            random.sample(odds.pairs[random.randrange(len(odds.pairs))].tolist(), 2)
            for _ in range(1200)
        )
    ]
    Battle.objects.bulk_create(rows)
    Battle.objects.update(created_at=BEFORE)


def scores() -> list[float]:
    """By how many standard errors the estimate of each pair is off."""
    found = pairing_exposure_make(until=UNTIL)
    return [
        abs(pair.possible_estimated - pair.possible) / pair.possible_standard_error
        for pair in found.pairs
    ]


def test_pairs_that_were_drawn_by_the_stored_odds_pass(ids):
    pairs = list(combinations(sorted(ids.values()), 2))
    drawn_many(ids, stored=dict.fromkeys(pairs, 1 / 3))

    assert len(scores()) == 6
    assert max(scores()) < 3.5


def test_pairs_that_were_drawn_by_other_odds_than_stored_stand_out(ids):
    pairs = list(combinations(sorted(ids.values()), 2))
    drawn_many(ids, stored=dict(zip(pairs, (0.5, 0.3, 0.2), strict=True)))

    assert max(scores()) > 5
    (sampler,) = pairing_exposure_make(until=UNTIL).samplers
    # The mean of 1 / (3 P) over pairs that were really uniform.
    assert sampler.calibration == pytest.approx(np.mean([2 / 3, 10 / 9, 5 / 3]), abs=0.05)
    assert sampler.calibration is not None
    assert sampler.calibration_standard_error is not None
    assert sampler.calibration - 1 > 5 * sampler.calibration_standard_error


def test_the_numbers_are_made_once_and_then_remembered(ids, clock):
    met(ids["ada"], ids["bea"], at=BEFORE, vote="a")
    first = pairing_exposure()

    with CaptureQueriesContext(connection) as queries:
        again = pairing_exposure()

    assert again == first
    assert again.until == UNTIL
    assert len(queries) == 0


def test_a_day_is_one_of_utc():
    east = datetime(2026, 3, 14, 1, 0, tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))

    assert told_until(east) == UNTIL
