"""Health and metrics, for operators and their machines."""

from __future__ import annotations

import pytest
from django.db import connection

from inference.models import Endpoint, LanguageModel

pytestmark = pytest.mark.django_db(transaction=True)


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

    assert reasons == {"models": "1 live models; a battle needs two"}


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
