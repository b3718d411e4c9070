"""Health and metrics, for operators and their machines."""

from __future__ import annotations

import httpx
import pytest
from django.db import connection

from config import health
from config.static import static_app
from inference.models import Endpoint, LanguageModel
from tests.arena.voter import TestVoter
from tests.scripted_endpoint import served

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _looked_at_anew(monkeypatch) -> None:
    monkeypatch.setattr(health.readiness, "_looked_at", float("-inf"))


def worker_heartbeat(age_seconds: int) -> None:
    with connection.cursor() as cursor:
        # procrastinate's tables are not Django's, so no flush between tests empties them.
        cursor.execute("DELETE FROM procrastinate_workers")
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - make_interval(secs => %s))",
            [age_seconds],
        )


def test_alive(client):
    assert client.get("/healthz").status_code == 200


def test_ready_when_a_battle_can_be_fought_and_rated(client, two_models):
    worker_heartbeat(1)

    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"ready": True, "reasons": {}})


def test_not_ready_says_everything_that_is_missing(client, two_models, settings):
    settings.INFERENCE_URL = "http://127.0.0.1:1/v1"
    worker_heartbeat(120)
    Endpoint.objects.update(base_url="")
    Endpoint.objects.update(is_up=False)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert set(response.json()["reasons"]) == {"inference", "worker", "models"}


def test_one_live_model_is_not_enough(client, two_models):
    worker_heartbeat(1)
    LanguageModel.objects.filter(slug="alpha-7b").update(status="paused")

    reasons = client.get("/readyz").json()["reasons"]

    assert reasons == {"models": "live models: 1; a battle needs two"}


def test_the_reasons_name_no_model(client, two_models, settings):
    worker_heartbeat(1)
    Endpoint.objects.update(base_url="")
    with served(not_ready_naming_models) as url:
        settings.INFERENCE_URL = f"{url}/v1"

        response = client.get("/readyz")

    assert response.status_code == 503
    assert "alpha" not in response.text


async def not_ready_naming_models(scope, receive, send):
    if scope["type"] == "http":
        body = b'{"models": {"alpha-7b": "batching thread died"}}'
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "192.0.2.1"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": "Bearer right"}, 200),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": "Bearer wrong"}, 403),
    ],
)
def test_metrics_are_closed_to_the_public(client, settings, headers, status):
    settings.METRICS_TOKEN = "right"

    response = client.get("/metrics", **headers)

    assert response.status_code == status
    assert (b"python_info" in response.content) == (status == 200)


def test_without_a_token_nothing_is_a_token(client):
    response = client.get("/metrics", REMOTE_ADDR="192.0.2.1", HTTP_AUTHORIZATION="Bearer ")

    assert response.status_code == 403


def test_metrics_count_battles_and_votes_and_name_no_model(client, two_models):
    voter = TestVoter()
    battle_id = voter.start()
    voter.ended(battle_id)
    voter.vote(battle_id)

    text = client.get("/metrics").text

    for name in ("arena_battles_started", "arena_votes_cast", "arena_first_token_seconds"):
        assert name in text
    assert "alpha" not in text


def test_what_is_no_static_file_is_404(tmp_path):
    (tmp_path / "there.0123456789ab.css").write_text("p {}")
    with served(static_app(tmp_path)) as url:
        there = httpx.get(f"{url}/there.0123456789ab.css")
        assert (there.text, "immutable" in there.headers["cache-control"]) == ("p {}", True)
        assert httpx.get(f"{url}/nope.css").status_code == 404
        assert httpx.get(f"{url}/../config/settings.py").status_code == 404
        assert httpx.put(f"{url}/nope.css").status_code == 405
