"""Whatever is sent to the REST API and to sockets: no 500, and nothing of anybody else."""

from __future__ import annotations

import socket
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from arena.models import AnswerReport, Vote
from arena.voters import COOKIE
from tests.scripted_endpoint import SECRET_WORDS, ScriptedEndpoint

FEW = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
OTHERS_PROMPT = "the secret question of somebody else"


@dataclass
class Site:
    """The running product, a stranger's battle in it, and one's own."""

    url: str
    client: httpx.Client
    own: str
    others: str
    others_ballot: str

    def check(self, response: httpx.Response | schemathesis.Response) -> None:
        """No failure of ours, and no word that belongs to the stranger or to a provider."""
        text = response.text
        assert response.status_code < 500, f"{response.status_code}: {text[:300]}"
        for word in (OTHERS_PROMPT, self.others_ballot, SECRET_WORDS, "Traceback"):
            assert word not in text


def started(client: httpx.Client, prompt: str) -> dict[str, Any]:
    body = {"mode": "battle", "prompt": prompt, "consent": True}
    battle = client.post("/api/v1/battles/", json=body)
    assert battle.status_code == 201
    started: dict[str, Any] = battle.json()
    return started


@pytest.fixture
def site(live_server_url: str, two_models: ScriptedEndpoint):
    with (
        httpx.Client(base_url=live_server_url) as stranger,
        httpx.Client(base_url=live_server_url) as client,
    ):
        others = started(stranger, OTHERS_PROMPT)
        own = started(client, "Why?")
        yield Site(
            url=live_server_url,
            client=client,
            own=str(own["id"]),
            others=str(others["id"]),
            others_ballot=others["turns"][0]["ballot"],
        )


@pytest.mark.django_db(transaction=True)
def test_no_request_that_the_schema_allows_or_forbids_breaks_the_api(site):
    found = site.client.get(
        "/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}
    ).json()
    schema = schemathesis.openapi.from_dict(found)
    schema.config.update(base_url=site.url)
    operations: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    asked = 0

    for operation in operations:
        if operation.path.endswith("/events/"):
            continue  # a stream, which is read below
        strategies = st.one_of(
            operation.as_strategy(),
            operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE),
        )

        @FEW
        @given(case=strategies, battle=st.sampled_from([site.own, site.others, None]))
        def ask(case: Any, battle: str | None) -> None:
            nonlocal asked
            if battle and "battle_id" in (case.path_parameters or {}):
                case.path_parameters["battle_id"] = battle
            asked += 1
            site.check(case.call(cookies={COOKIE: site.client.cookies[COOKIE]}))

        ask()

    assert asked > 5 * len(operations)
    # The stranger's battle is as it was.
    assert not Vote.objects.filter(turn__battle_id=site.others).exists()
    assert not AnswerReport.objects.filter(answer__turn__battle_id=site.others).exists()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
FIELDS = ("mode", "prompt", "consent", "models", "turn", "choice", "ballot", "reasons", "comment",
          "side", "reason", "note", "challenge")  # fmt: skip
ACTIONS = ("", "turns/", "vote/", "stop/", "regenerate/", "withdraw/", "feedback/", "report/")


@pytest.mark.django_db(transaction=True)
def test_no_json_of_the_right_names_breaks_a_battle(site):
    likely = st.sampled_from(
        [0, 1, "a", "b", "tie", True, "battle", "direct", "accurate", ["alpha-7b"], site.own]
    )
    bodies = st.dictionaries(st.sampled_from(FIELDS), JSON | likely, max_size=6)
    battles = st.sampled_from([site.own, site.others, str(uuid.uuid4()), ""])

    @settings(FEW, max_examples=60)
    @given(battle=battles, action=st.sampled_from(ACTIONS), body=bodies)
    def send(battle: str, action: str, body: dict[str, object]) -> None:
        path = f"/api/v1/battles/{battle}/{action}" if battle else "/api/v1/battles/"
        site.check(site.client.post(path, json=body))

    send()
    assert not Vote.objects.filter(turn__battle_id=site.others).exists()


@pytest.mark.django_db(transaction=True)
def test_random_frames_neither_break_a_socket_nor_open_anothers(site):
    frames = st.lists(st.one_of(st.text(max_size=200), st.binary(max_size=200)), max_size=8)
    cookie = {"Cookie": f"{COOKIE}={site.client.cookies[COOKIE]}"}
    address = site.url.replace("http", "ws")

    @settings(FEW, max_examples=20)
    @given(frames=frames, form=st.sampled_from(["", "?format=json", "?format=%00", "?x=1"]))
    def talk(frames: list[str | bytes], form: str) -> None:
        with connect(f"{address}/ws/battles/{site.own}/{form}", additional_headers=cookie) as ws:
            first = ws.recv(timeout=20)
            assert OTHERS_PROMPT not in str(first)
            try:
                for frame in frames:
                    ws.send(frame)
            except ConnectionClosed:
                return

    talk()
    for path in (
        f"/ws/battles/{site.others}/",
        f"/ws/battles/{uuid.uuid4()}/",
        "/ws/",
        "/ws/x\x00",
    ):
        with pytest.raises(Exception, match=r"HTTP 40[34]|rejected"):
            connect(f"{address}/ws/{path}", additional_headers=cookie)
    site.check(site.client.get(f"/api/v1/battles/{site.own}/"))


@pytest.mark.django_db(transaction=True)
def test_random_bytes_on_the_wire_end_in_a_4xx_or_a_closed_connection(site):
    at = urlsplit(site.url)
    starts = st.sampled_from(
        [b"GET / HTTP/1.1\r\n", b"POST /api/v1/battles/ HTTP/1.1\r\nHost: localhost\r\n", b""]
    )

    @settings(FEW, max_examples=25)
    @given(start=starts, noise=st.binary(max_size=300))
    def shout(start: bytes, noise: bytes) -> None:
        with socket.create_connection((at.hostname, at.port), timeout=20) as wire:
            wire.sendall(start + noise + b"\r\n\r\n")
            wire.shutdown(socket.SHUT_WR)
            answer = wire.recv(65536)
        assert not answer.startswith(b"HTTP/1.1 5"), answer[:200]

    shout()
    assert site.client.get("/healthz").status_code == 200
