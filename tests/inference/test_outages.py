"""Endpoints that fail to answer leave the pool, and for longer each time, whatever probes find."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inference import services
from inference.models import Endpoint, LanguageModel
from inference.selectors import language_models_live
from inference.services import (
    endpoint_failed,
    endpoint_report,
    endpoint_succeeded,
    endpoints_probe,
    outage_pause,
)

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = timezone.now()

    def now(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(services, "timezone", clock)
    return clock


@pytest.fixture
def endpoint(two_models) -> int:
    """The one endpoint of alpha-7b, whose server lists it in `/models` all the time."""
    return Endpoint.objects.get(name="alpha-7b").pk


def is_live() -> bool:
    return language_models_live().filter(slug="alpha-7b").exists()


def fail(endpoint: int) -> None:
    endpoint_failed(endpoint_id=endpoint, problem="500 from the provider")


def test_a_failure_leaves_the_pool_at_once_and_the_next_probe_ends_it(clock, endpoint):
    fail(endpoint)

    assert not is_live()
    assert Endpoint.objects.get(pk=endpoint).problem == "500 from the provider"
    endpoints_probe()
    assert is_live()


def test_a_server_that_lists_its_model_and_cannot_answer_is_drawn_less_and_less(clock, endpoint):
    fail(endpoint)
    endpoints_probe()
    for seconds in (30, 60, 120, 240, 480, 900, 900):
        fail(endpoint)
        clock.forward(seconds=seconds - 1)
        endpoints_probe()
        assert not is_live()
        clock.forward(seconds=1)
        endpoints_probe()
        assert is_live()


def test_no_probe_ends_a_pause_and_none_is_sent(clock, endpoint, two_models):
    for _ in range(2):
        endpoint_report(endpoint_id=endpoint)
        fail(endpoint)

    assert endpoints_probe() == 1  # of the other model
    endpoint_report(endpoint_id=endpoint)  # one that was under way
    assert not is_live()
    assert Endpoint.objects.get(pk=endpoint).problem == "500 from the provider"

    clock.forward(seconds=30)
    assert endpoints_probe() == 2
    assert is_live()


def test_answers_that_fail_together_are_one_failure(clock, endpoint):
    for _ in range(20):
        fail(endpoint)

    row = Endpoint.objects.get(pk=endpoint)
    assert (row.failures, row.paused_until) == (1, None)


def test_the_first_success_ends_the_pause_and_the_count(clock, endpoint):
    for _ in range(3):
        Endpoint.objects.update(is_up=True)
        fail(endpoint)

    endpoint_succeeded(endpoint_id=endpoint)

    assert is_live()
    row = Endpoint.objects.get(pk=endpoint)
    assert (row.failures, row.paused_until, row.problem) == (0, None, "")
    fail(endpoint)
    endpoints_probe()
    assert is_live()


def test_a_success_that_is_nothing_new_writes_nothing(endpoint):
    before = Endpoint.objects.get(pk=endpoint)

    with CaptureQueriesContext(connection) as queries:
        endpoint_succeeded(endpoint_id=endpoint)

    assert len(queries) == 1
    assert Endpoint.objects.get(pk=endpoint).checked_at == before.checked_at


def test_an_endpoint_that_is_gone_is_no_crash(endpoint):
    Endpoint.objects.all().delete()

    fail(endpoint)
    endpoint_succeeded(endpoint_id=endpoint)


def test_pauses_grow_to_a_quarter_of_an_hour_and_no_further():
    assert [outage_pause(n).total_seconds() for n in (2, 3, 4, 7, 10**9)] == [30, 60, 120, 900, 900]


def test_loading_the_model_file_ends_pauses(clock, endpoint, two_models, tmp_path):
    for _ in range(2):
        Endpoint.objects.update(is_up=True)
        fail(endpoint)
    file = tmp_path / "models.toml"
    file.write_text(
        '[[organizations]]\nslug = "acme"\nname = "Acme"\n'
        '[[models]]\nslug = "alpha-7b"\nname = "Alpha"\norganization = "acme"\ncategory = "chat"\n'
        f'[[models.endpoints]]\nbase_url = "{two_models.url}"\nname = "alpha-7b"\n'
    )

    call_command("load_models", str(file))
    endpoints_probe()

    assert LanguageModel.objects.get(slug="alpha-7b").endpoints.get().pk == endpoint
    assert is_live()
