"""What all tests share: a ledger that can be emptied between tests, and nothing that lingers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.cache import cache
from django.db.backends.postgresql.operations import DatabaseOperations

from arena.runner import runner
from inference.models import Endpoint, LanguageModel, Organization
from tests.scripted_endpoint import ScriptedEndpoint, scripted_endpoint, served


@pytest.fixture(scope="session", autouse=True)
def _ledger_can_be_emptied() -> Iterator[None]:
    """Tests that flush tables flush the ledger too, which production code has no way to do."""
    flush = DatabaseOperations.execute_sql_flush
    before, after = (f"SET session_replication_role = {role};" for role in ("replica", "DEFAULT"))

    def flush_past_triggers(self: Any, sql_list: Iterable[str]) -> None:
        flush(self, [before, *sql_list, after])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_past_triggers)
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _no_refit_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is emptied between tests, so no process has put anything in it."""
    monkeypatch.setattr("ratings.receivers._queued_at", float("-inf"))


@pytest.fixture(autouse=True)
def _no_ledger_heads() -> None:
    """Heads outlive the test that published them, and its ledger does not."""
    settings.LEDGER_HEADS_FILE.unlink(missing_ok=True)


@pytest.fixture
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the rate limits stands: their windows are minutes of the clock, and a test that
    ran over the end of one would find its second request to be the first."""
    monkeypatch.setattr("arena.limits.time", SimpleNamespace(time=lambda: 1_800_000_015.0))


@pytest.fixture
def live_server_url(transactional_db: None) -> Iterator[str]:
    """The whole product's web server (HTTP, SSE, WebSocket, static files) on a free port."""
    from config.asgi import application

    with served(ASGIStaticFilesHandler(cast(Any, application))) as url:
        yield url


@pytest.fixture
def two_models(transactional_db: None) -> Iterator[ScriptedEndpoint]:
    """Two live models of known slugs, `alpha-7b` and `beta-9b`, that say what a test scripts."""
    with scripted_endpoint(
        {"alpha-7b": ["Hello ", "from side one."], "beta-9b": ["Hi."]}
    ) as server:
        organization = Organization.objects.create(slug="acme", name="Acme Intelligence")
        for slug, name in (("alpha-7b", "Alpha Seven"), ("beta-9b", "Beta Nine")):
            model = LanguageModel.objects.create(
                slug=slug, name=name, organization=organization, sampling={"max_tokens": 64}
            )
            Endpoint.objects.create(
                language_model=model, base_url=server.url, name=slug, is_up=True
            )
        yield server
        # What is still being generated must not write into the next test's tables.
        runner.close()
