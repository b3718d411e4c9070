"""Battles over REST and Server-Sent Events, against the real web server."""

from __future__ import annotations

import base64
import json
import uuid

import httpx
import pytest

from arena.models import Answer, Turn, Vote, VoteReason
from arena.rate_limits import rate_limits_parse
from arena.voters import COOKIE
from inference.models import Endpoint, LanguageModel
from tests.arena.voter import wait_until
from tests.scripted_endpoint import Fault, Gate

pytestmark = pytest.mark.django_db(transaction=True)

START = {"mode": "battle", "prompt": "Why is the sky blue?", "consent": True}


@pytest.fixture
def http(two_models, live_server_url):
    with httpx.Client(base_url=live_server_url, timeout=20) as client:
        yield client


def start(http, **changed):
    response = http.post("/api/v1/battles/", json={**START, **changed})
    assert response.status_code == 201, response.text
    return response.json()


def ended(http, battle):
    def look():
        now = http.get(f"/api/v1/battles/{battle['id']}/").json()
        return now if now["state"] != "generating" else None

    return wait_until(look, "both answers end")


def cast(http, battle, choice="a", **changed):
    body = {"turn": 0, "choice": choice, "ballot": battle["turns"][0]["ballot"], **changed}
    return http.post(f"/api/v1/battles/{battle['id']}/vote/", json=body)


def sse(response):
    """(id, type, data) of each event of a finished stream."""
    events = []
    for block in response.text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


def test_a_battle_has_the_documented_shape(http):
    battle = start(http)

    assert set(battle) == {"id", "mode", "state", "turns", "models", "pacing", "gold_side"}
    assert battle["models"] is None
    turn = battle["turns"][0]
    assert set(turn) == {"index", "prompt", "ballot", "answers", "vote"}
    assert set(turn["answers"]) == {"a", "b"}
    assert set(turn["answers"]["a"]) == {"state", "text", "error", "leak"}
    assert turn["vote"] is None
    assert turn["prompt"] == START["prompt"]


def test_prompt_answers_vote_reveal(http):
    VoteReason.objects.get_or_create(slug="clear", label="Clear", tone="good")
    battle = ended(http, start(http))
    assert battle["state"] == "votable"

    response = cast(http, battle, "b", reasons=["clear"])

    voted = response.json()
    assert response.status_code == 200
    assert voted["state"] == "voted"
    assert {m["slug"] for m in voted["models"].values()} == {"alpha-7b", "beta-9b"}
    vote = voted["turns"][0]["vote"]
    assert (vote["choice"], vote["reasons"], vote["counted"], vote["exclusion"]) == (
        "b", ["clear"], True, "",
    )  # fmt: skip
    again = cast(http, battle, "b", reasons=["clear"])
    assert (again.status_code, again.json()) == (200, voted)
    other = cast(http, battle, "a")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "ballot_spent")
    assert Vote.objects.count() == 1


def test_battles_are_never_cached_and_belong_to_their_voter(http, live_server_url):
    battle = ended(http, start(http))

    mine = http.get(f"/api/v1/battles/{battle['id']}/")
    assert mine.headers["cache-control"] == "no-store"
    for cookies in ({}, {COOKIE: "forged"}):
        with httpx.Client(base_url=live_server_url, cookies=cookies) as stranger:
            for path in ("", "events/"):
                response = stranger.get(f"/api/v1/battles/{battle['id']}/{path}")
                assert (response.status_code, response.json()["error"]["code"]) == (
                    404,
                    "not_found",
                )
            assert cast(stranger, battle).status_code == 404
            start(stranger)
            assert cast(stranger, battle).status_code == 404
    assert not Vote.objects.exists()


def test_the_stream_is_a_snapshot_then_deltas_up_to_both_ends(http, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Hello ", gate, "there, ", "friend."]
    battle = start(http)

    with http.stream("GET", f"/api/v1/battles/{battle['id']}/events/") as response:
        gate.open()
        response.read()

    assert response.headers["content-type"].startswith("text/event-stream")
    events = sse(response)
    assert events[0][1] == "snapshot"
    assert sorted(e[1] for e in events[1:] if e[1] != "delta") == ["answer_done", "answer_done"]
    assert [seq for seq, _, _ in events] == sorted({seq for seq, _, _ in events})
    texts = {side: events[0][2][side]["text"] for side in "ab"}
    for _, kind, data in events[1:]:
        assert data["type"] == kind
        for side in {"a", "b"} & set(data):
            assert data[side]["offset"] == len(texts[side])
            texts[side] += data[side]["text"]
    now = ended(http, battle)
    assert texts == {side: answer["text"] for side, answer in now["turns"][0]["answers"].items()}
    assert events[-1][2]["state"] == "votable"


def test_a_stream_goes_on_after_the_last_event_that_was_seen(http, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["One. ", gate, "Two."]
    battle = start(http)
    seen = None
    with http.stream("GET", f"/api/v1/battles/{battle['id']}/events/") as response:
        for line in response.iter_lines():
            if line.startswith("id: "):
                seen = line.removeprefix("id: ")
            if "One." in line:
                break

    with http.stream(
        "GET", f"/api/v1/battles/{battle['id']}/events/", headers={"Last-Event-ID": seen}
    ) as response:
        gate.open()
        response.read()

    events = sse(response)
    assert "snapshot" not in {kind for _, kind, _ in events}
    assert "One." not in response.text
    assert "Two." in response.text
    assert events[-1][1] == "answer_done"


def test_a_reader_that_has_seen_the_end_is_told_to_stop_asking(http):
    battle = ended(http, start(http))
    path = f"/api/v1/battles/{battle['id']}/events/"
    last = sse(http.get(path))[-1][0]

    again = http.get(path, headers={"Last-Event-ID": str(last)})

    assert (again.status_code, again.content) == (204, b"")


def test_the_stream_is_for_get(http):
    battle = ended(http, start(http))

    response = http.post(f"/api/v1/battles/{battle['id']}/events/")

    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("last_event_id", ["", "0", "-1", "x", "9" * 400, "²"])
def test_a_finished_stream_can_be_read_again_whatever_was_seen(http, last_event_id):
    battle = ended(http, start(http))

    response = http.get(
        f"/api/v1/battles/{battle['id']}/events/",
        headers={"Last-Event-ID": last_event_id.encode()},
    )

    kinds = [kind for _, kind, _ in sse(response)]
    assert kinds == ["snapshot", "answer_done", "answer_done"]


def test_a_reader_beside_another_process_follows_the_saved_text(http):
    battle = ended(http, start(http))
    Answer.objects.filter(side="a").update(state="streaming", text="Half", finished_at=None)

    with http.stream("GET", f"/api/v1/battles/{battle['id']}/events/") as response:
        lines = response.iter_lines()
        assert next(lines).startswith("id: ")
        Answer.objects.filter(side="a").update(text="Half and the rest", state="complete")
        rest = "\n".join(lines)

    assert '{"offset":4,"text":" and the rest"}' in rest
    assert rest.count("event: answer_done") == 2


def test_a_failed_answer_says_so_without_the_providers_words(http, two_models):
    two_models.scripts["alpha-7b"] = [Fault.STATUS_500]
    battle = start(http)

    stream = http.get(f"/api/v1/battles/{battle['id']}/events/")
    now = ended(http, battle)

    assert now["state"] == "failed"
    error = next(a["error"] for a in now["turns"][0]["answers"].values() if a["error"])
    assert error == {
        "code": "model_unavailable",
        "message": "This assistant could not be reached.",
    }
    assert "answer_failed" in stream.text
    assert "provider" not in stream.text + json.dumps(now)
    refused = cast(http, now)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_votable")

    two_models.scripts["alpha-7b"] = ["Better."]
    Endpoint.objects.update(is_up=True)
    retried = http.post(f"/api/v1/battles/{battle['id']}/regenerate/")
    assert retried.status_code == 200
    assert ended(http, battle)["state"] == "votable"


def test_stop_and_its_refusal(http, two_models):
    gates = [Gate(), Gate()]
    two_models.scripts["alpha-7b"] = ["So far ", gates[0]]
    two_models.scripts["beta-9b"] = ["Thus ", gates[1]]
    battle = start(http)
    for gate in gates:
        gate.reached.wait(10)

    assert http.post(f"/api/v1/battles/{battle['id']}/stop/").status_code == 200

    now = ended(http, battle)
    assert {a["state"] for a in now["turns"][0]["answers"].values()} == {"stopped"}
    again = http.post(f"/api/v1/battles/{battle['id']}/stop/")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "not_generating")


@pytest.mark.parametrize(
    ("changed", "status", "code", "field"),
    [
        ({"prompt": ""}, 400, "invalid_prompt", "prompt"),
        ({"prompt": "x" * 8001}, 400, "invalid_prompt", "prompt"),
        ({"prompt": "a\x00b"}, 400, "invalid_prompt", "prompt"),
        ({"prompt": {"a": 1}}, 400, "invalid_prompt", "prompt"),
        ({"prompt": None}, 400, "invalid_prompt", "prompt"),
        ({"mode": "duel"}, 400, "invalid", "mode"),
        ({"models": ["alpha-7b", "beta-9b"]}, 400, "invalid", "models"),
        ({"mode": ["battle"]}, 400, "invalid", "mode"),
        ({"consent": False}, 400, "consent_required", "consent"),
        ({"consent": None}, 400, "consent_required", "consent"),
    ],
)
def test_bad_input_names_the_field(http, changed, status, code, field):
    response = http.post("/api/v1/battles/", json={**START, **changed})

    error = response.json()["error"]
    assert (response.status_code, error["code"], error["field"]) == (status, code, field)


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"prompt": "half \\ud83d", "consent": true}', "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b'{"prompt": NaN, "consent": true}', "application/json", 400),
        (b"prompt=x", "application/x-www-form-urlencoded", 415),
        (b"prompt", "text/plain", 415),
        (b"", "text/plain", 415),
        (b"x" * 1_000_000, "application/json", 413),
    ],
)
def test_bad_bodies_are_errors_in_the_one_shape(http, content, content_type, status):
    response = http.post(
        "/api/v1/battles/", content=content, headers={"Content-Type": content_type}
    )

    assert response.status_code == status, response.text
    assert set(response.json()["error"]) >= {"code", "message"}


def test_a_large_body_without_a_length_is_refused_too(http):
    def chunks():
        for _ in range(100):
            yield b"x" * 10_000

    response = http.post(
        "/api/v1/battles/", content=chunks(), headers={"Content-Type": "application/json"}
    )

    assert response.status_code == 413


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[::1"])
def test_a_foreign_origin_is_refused(http, origin):
    response = http.post("/api/v1/battles/", json=START, headers={"Origin": origin})

    assert (response.status_code, response.json()["error"]["code"]) == (403, "foreign_origin")


def test_our_own_origin_is_welcome(http, live_server_url):
    response = http.post("/api/v1/battles/", json=START, headers={"Origin": live_server_url})

    assert response.status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/battles"),
        ("POST", "/api/v1/battles"),
        ("GET", "/api/v1/nothing/"),
        ("GET", "/api/"),
        ("GET", f"/api/v1/battles/{uuid.uuid4()}/"),
        ("GET", "/api/v1/battles/not-a-uuid/"),
        ("GET", "/api/v1/models/nobody/"),
    ],
)
def test_paths_that_are_none_are_404_in_json(http, method, path):
    response = http.request(method, path)

    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


def test_a_host_that_is_not_ours_is_an_error_in_json(http):
    response = http.get("/api/v1/models/", headers={"Host": "evil.example"})

    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")


def test_a_hostile_cursor_is_404(http):
    cursor = base64.b64encode(b"p=a%00b").decode()

    assert http.get(f"/api/v1/models/?cursor={cursor}").status_code == 404


@pytest.mark.usefixtures("_one_moment")
def test_streams_are_limited_like_the_rest(http, settings):
    battle = ended(http, start(http))
    settings.ARENA_RATE_LIMITS = rate_limits_parse("streams:voter=1/60")
    http.get(f"/api/v1/battles/{battle['id']}/events/")

    refused = http.get(f"/api/v1/battles/{battle['id']}/events/")

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")


def test_a_wrong_method_is_405_in_json(http):
    response = http.delete("/api/v1/battles/")

    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")


@pytest.mark.usefixtures("_one_moment")
def test_too_many_battles_are_429_with_a_time_to_come_back(http, settings):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("battles:voter=1/60")
    start(http)

    response = http.post("/api/v1/battles/", json=START)

    assert (response.status_code, response.json()["error"]["code"]) == (429, "rate_limited")
    # A minute, and the second that the first one is counted in.
    assert 1 <= int(response.headers["retry-after"]) <= 61


def test_without_two_live_models_there_is_no_battle(http):
    LanguageModel.objects.filter(slug="alpha-7b").update(status="paused")

    response = http.post("/api/v1/battles/", json=START)

    assert (response.status_code, response.json()["error"]["code"]) == (503, "no_live_models")
    assert not Turn.objects.exists()


def test_the_models_are_public_and_retired_ones_stay(http):
    LanguageModel.objects.filter(slug="alpha-7b").update(
        status="retired", retired_on="2026-01-01", retired_reason="Superseded."
    )

    listed = http.get("/api/v1/models/").json()
    card = http.get("/api/v1/models/alpha-7b/").json()

    assert [m["slug"] for m in listed["results"]] == ["alpha-7b", "beta-9b"]
    assert set(listed) == {"results", "next", "previous"}
    assert (card["status"], card["retired_reason"]) == ("retired", "Superseded.")
    assert "api_key_env" not in json.dumps(card)
