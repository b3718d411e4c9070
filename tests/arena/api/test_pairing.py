"""GET /api/v1/pairing/: public, the same for everybody, and cheap to ask again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inference.models import LanguageModel, Organization
from tests.arena.met import met

pytestmark = pytest.mark.django_db


@pytest.fixture
def battle():
    acme = Organization.objects.create(slug="acme", name="Acme")
    ada, bea = (
        LanguageModel.objects.create(slug=slug, name=slug, organization=acme).pk
        for slug in ("ada", "bea")
    )
    return met(ada, bea, at=timezone.now() - timedelta(days=3), vote="tie")


def test_anybody_may_read_who_was_drawn_how_often(client, battle):
    response = client.get("/api/v1/pairing/")

    assert response.status_code == 200
    body = response.json()
    turnout = {
        "battles": 1,
        "answered": 1,
        "votes": 1,
        "vote_rate": 1.0,
        "vote_rate_lower": pytest.approx(0.2065, abs=1e-4),
        "vote_rate_upper": 1.0,
    }
    none = dict.fromkeys(turnout, 0) | dict.fromkeys(
        ("vote_rate", "vote_rate_lower", "vote_rate_upper")
    )
    assert body.pop("until").endswith("T00:00:00Z")
    assert body == {
        "turnout": turnout,
        "samplers": [
            {
                "sampler": "uniform/1",
                "battles": 1,
                "calibration": 1.0,
                "calibration_standard_error": None,
            }
        ],
        "models": [
            {"model": "ada", "available": 1, "first": turnout, "second": none},
            {"model": "bea", "available": 1, "first": none, "second": turnout},
        ],
        "pairs": [
            {
                "model_a": "ada",
                "model_b": "bea",
                "turnout": turnout,
                "mean_probability": 1.0,
                "possible": 1,
                "possible_estimated": 2.0,
                "possible_standard_error": pytest.approx(2**0.5),
            }
        ],
    }


def test_an_answer_that_still_holds_is_not_sent_again(client, battle):
    first = client.get("/api/v1/pairing/")

    again = client.get("/api/v1/pairing/", headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 304
    assert "no-cache" in first["Cache-Control"]


def test_a_battle_of_today_does_not_change_it(client, battle):
    before = client.get("/api/v1/pairing/").content

    met(battle.model_b_id, battle.model_a_id, vote="a")

    assert client.get("/api/v1/pairing/").content == before


def test_it_takes_no_writes(client):
    assert client.post("/api/v1/pairing/").status_code == 405
