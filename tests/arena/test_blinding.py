"""Before the vote no byte that reaches the client names either model.

Captures everything of a battle: HTTP bodies, headers and cookies, SSE, and the frames of both kinds
of WebSocket, with upstreams that answer, fail and leak their own error texts.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed

from arena.pacing import Pacing
from arena.voters import COOKIE
from inference.models import Endpoint, LanguageModel
from tests.arena.voter import wait_until
from tests.scripted_endpoint import SECRET_WORDS, Fault, Gate

pytestmark = pytest.mark.django_db(transaction=True)

ALIASES = ["Alphonse the Wise", "Betamax"]


@pytest.fixture
def forbidden(two_models) -> list[str]:
    """Every string that would give a model away."""
    LanguageModel.objects.filter(slug="alpha-7b").update(
        aliases=[ALIASES[0]], homepage="https://alpha.example", description="The first of Greeks."
    )
    LanguageModel.objects.filter(slug="beta-9b").update(aliases=[ALIASES[1]])
    for endpoint in Endpoint.objects.select_related("language_model"):
        name = f"upstream-{endpoint.name}"
        two_models.scripts[name] = two_models.scripts[endpoint.name]
        endpoint.name = name
        endpoint.api_key_env = f"KEY_OF_{endpoint.language_model_id}"
        endpoint.save()
    return [
        "alpha-7b", "beta-9b", "Alpha Seven", "Beta Nine", "Acme", "upstream-", *ALIASES,
        "alpha.example", "first of Greeks", "KEY_OF_", two_models.url.split("//")[1],
        *(word for word in SECRET_WORDS.split() if "-" in word),
    ]  # fmt: skip


class Wire:
    """Everything that a client received."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=20)
        self.url = url
        self.received: list[str] = []

    def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        response = self.http.request(method, path, **arguments)
        self.received += [response.text, str(response.headers), str(response.cookies.items())]
        return response

    def socket(self, path: str) -> None:
        """Read a battle's socket until it is quiet."""
        headers = {"Cookie": f"{COOKIE}={self.http.cookies[COOKIE]}"}
        with websockets.sync.client.connect(
            self.url.replace("http", "ws") + path, additional_headers=headers
        ) as socket:
            assert socket.response is not None
            self.received.append(str(socket.response.headers))
            with contextlib.suppress(TimeoutError, ConnectionClosed):
                while True:
                    self.received.append(str(socket.recv(timeout=1.0)))


@pytest.fixture
def wire(live_server_url, forbidden) -> Iterator[Wire]:
    wire = Wire(live_server_url)
    yield wire
    wire.http.close()


def scripts(two_models, first, second):
    two_models.scripts["upstream-alpha-7b"] = first
    two_models.scripts["upstream-beta-9b"] = second


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["I say ", "this."], ["And I ", "that."]),
        ([Fault.STATUS_500], ["And I that."]),
        (["Half ", Fault.ERROR_EVENT], [Fault.STATUS_429]),
        ([Fault.HTML], [Fault.GARBAGE]),
        ([], [Fault.CONTEXT]),
    ],
    ids=["both answer", "one fails", "both fail", "both broken", "empty and overflow"],
)
def test_nothing_before_the_vote_names_a_model(wire, two_models, forbidden, first, second):
    scripts(two_models, first, second)

    wire.call("GET", "/")
    battle = wire.call(
        "POST", "/api/v1/battles/", json={"prompt": "Who are you?", "consent": True}
    ).json()
    path = f"battles/{battle['id']}/"
    wire.call("GET", f"/api/v1/{path}events/")
    wire.socket(f"/ws/{path}?format=json")
    wire.socket(f"/ws/{path}")
    wait_until(
        lambda: wire.call("GET", f"/api/v1/{path}").json()["state"] != "generating", "the end"
    )
    wire.call("GET", f"/{path}")
    wire.call("POST", f"/api/v1/{path}vote/", json={"turn": 0, "choice": "z", "ballot": "x"})
    wire.call("POST", f"/api/v1/{path}vote/", json={"turn": 0, "choice": "a", "ballot": "x"})
    wire.call("GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.1"})

    everything = "\n".join(wire.received)
    assert "Who are you?" in everything, "the capture is empty"
    found = [word for word in forbidden if word.lower() in everything.lower()]
    assert found == []


def test_after_the_vote_the_names_are_there(wire, two_models):
    scripts(two_models, ["I say this."], ["And I that."])
    battle = wire.call(
        "POST", "/api/v1/battles/", json={"prompt": "Who are you?", "consent": True}
    ).json()
    path = f"battles/{battle['id']}/"
    wire.call("GET", f"/api/v1/{path}events/")

    wire.call(
        "POST",
        f"/api/v1/{path}vote/",
        json={"turn": 0, "choice": "a", "ballot": battle["turns"][0]["ballot"]},
    )
    wire.received.clear()
    wire.call("GET", f"/{path}")
    wire.socket(f"/ws/{path}?format=json")

    everything = "\n".join(wire.received)
    assert "Alpha Seven" in everything
    assert "Beta Nine" in everything


def test_both_sides_look_alike_on_the_wire(wire, two_models):
    scripts(two_models, ["Same."], ["Same."])
    battle = wire.call(
        "POST", "/api/v1/battles/", json={"prompt": "Who are you?", "consent": True}
    ).json()

    wire.call("GET", f"/api/v1/battles/{battle['id']}/events/")
    now = wire.call("GET", f"/api/v1/battles/{battle['id']}/").json()

    answers = now["turns"][0]["answers"]
    assert json.dumps(answers["a"]) == json.dumps(answers["b"])


def test_a_gold_battle_says_nothing_of_it_before_the_vote(wire, two_models, settings):
    settings.ARENA_GOLD_RATE = 1.0
    scripts(two_models, ["Same."], ["Same."])
    battle = wire.call(
        "POST", "/api/v1/battles/", json={"prompt": "Who are you?", "consent": True}
    ).json()
    path = f"/api/v1/battles/{battle['id']}/"
    wire.call("GET", f"{path}events/")

    assert wire.call("GET", path).json()["gold_side"] == ""
    assert '"gold_side":"a"' not in "".join(wire.received)
    assert '"gold_side":"b"' not in "".join(wire.received)

    vote = {"turn": 0, "choice": "a", "ballot": battle["turns"][0]["ballot"]}
    assert wire.call("POST", f"{path}vote/", json=vote).json()["gold_side"] in {"a", "b"}


def test_what_has_come_and_is_not_shown_is_nowhere_on_the_wire(wire, two_models, settings):
    settings.ARENA_PACING = Pacing(1000)
    scripts(two_models, ["early " * 19, Gate()], ["withheld " * 100])
    battle = wire.call(
        "POST", "/api/v1/battles/", json={"prompt": "Who are you?", "consent": True}
    ).json()
    path = f"battles/{battle['id']}/"
    shown = [80, 80]  # two ticks of forty characters; the third would need more than has come

    def lengths() -> list[int]:
        answers = wire.call("GET", f"/api/v1/{path}").json()["turns"][0]["answers"]
        return [len(answer["text"]) for answer in answers.values()]

    wait_until(lambda: lengths() == shown, "both are shown up to the stall")
    wire.socket(f"/ws/{path}?format=json")
    wire.socket(f"/ws/{path}")
    wire.call("GET", f"/{path}")
    wire.call("POST", f"/api/v1/{path}stop/")
    wait_until(lambda: wire.call("GET", f"/api/v1/{path}").json()["state"] == "votable", "the stop")

    assert lengths() == shown
    assert "withheld " * 9 not in "".join(wire.received)
