"""Any OpenAI-compatible moderation endpoint: what is sent, what is understood, what goes wrong."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from arena.moderation import endpoint as endpoint_module
from arena.moderation.endpoint import (
    OVERLAP_CHARACTERS,
    PIECE_CHARACTERS,
    EndpointModerator,
    moderation_key_env_read,
    moderation_url_read,
    pieces,
)
from arena.moderation.interface import Failure, ModeratorUnavailableError
from inference.network_guard import NetworkGuard, networks_parse
from tests.arena.moderation_endpoint import SECRET_WORDS, moderation_endpoint

LOOPBACK = NetworkGuard(networks=networks_parse("127.0.0.0/8"))


@pytest.fixture(scope="module")
def served_endpoint():
    with moderation_endpoint({"violence": {"bomb": 0.9}, "hate": {"scum": 0.6}}) as endpoint:
        yield endpoint


@pytest.fixture
def server(served_endpoint):
    yield served_endpoint
    served_endpoint.reset()


@pytest.fixture
async def moderator(server):
    asked = EndpointModerator(url=server.url, model="omni", key_env="TEST_KEY", guard=LOOPBACK)
    yield asked
    await asked.aclose()


async def failure_of(moderator, text="a bomb"):
    with pytest.raises(ModeratorUnavailableError) as failed:
        await moderator.scores(text)
    assert SECRET_WORDS not in str(failed.value)
    assert text not in str(failed.value)
    return failed.value.failure


async def test_a_text_is_sent_with_model_and_key_and_its_scores_come_back(
    moderator, server, monkeypatch
):
    monkeypatch.setenv("TEST_KEY", "sk-1")

    assert await moderator.scores("a bomb") == {"violence": 0.9, "hate": 0.0}
    assert server.requests == [{"input": "a bomb", "model": "omni"}]
    assert server.keys == ["Bearer sk-1"]


async def test_a_long_text_is_judged_whole_and_by_its_worst_piece(moderator, server):
    text = "scum " + "x" * 60_000 + " bomb"

    assert await moderator.scores(text) == {"violence": 0.9, "hate": 0.6}
    assert len(server.requests) > 1
    assert all(len(sent) <= PIECE_CHARACTERS for sent in server.texts)
    assert sorted(server.texts) == sorted(pieces(text))


@pytest.mark.parametrize("length", [0, 1, 3_999, 4_000, 4_001, 7_800, 7_801, 20_000])
def test_pieces_overlap_and_leave_nothing_out(length):
    text = "".join(chr(0x4E00 + index) for index in range(length))

    parts = pieces(text)

    whole = parts[0] + "".join(part[OVERLAP_CHARACTERS:] for part in parts[1:])
    assert whole == text
    assert all(
        before[-OVERLAP_CHARACTERS:] == after[:OVERLAP_CHARACTERS]
        for before, after in pairwise(parts)
    )


@pytest.mark.parametrize(
    ("result", "scores"),
    [
        ({"category_scores": {"hate": 1, "illicit": None}}, {"hate": 1}),
        ({"categories": {"S1": True, "S2": False}}, {"S1": 1.0, "S2": 0.0}),
        ({"category_scores": {}}, {}),
    ],
)
async def test_results_are_understood_with_scores_or_verdicts(moderator, server, result, scores):
    server.reply = json.dumps({"results": [result]}).encode()

    assert await moderator.scores("a bomb") == scores


@pytest.mark.parametrize(
    "reply",
    [
        b"<html>", b"[]", b"{}", b'{"results": {}}', b'{"results": []}',
        b'{"results": [{"flagged": true}]}', b'{"results": [7]}',
        b'{"results": [{"category_scores": [1]}]}', b'{"results": [{"categories": {"hate": 1}}]}',
        b'{"results": [{"category_scores": {}}, {"category_scores": {}}]}', b"[" * 100_000,
        b" " * ((1 << 20) + 1),
    ],
)  # fmt: skip
async def test_what_is_no_moderation_is_malformed(moderator, server, reply):
    server.reply = reply

    assert await failure_of(moderator) == Failure.MALFORMED


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (400, Failure.REFUSED), (401, Failure.REFUSED), (404, Failure.REFUSED),
        (302, Failure.REFUSED), (429, Failure.BUSY), (500, Failure.UNREACHABLE),
    ],
)  # fmt: skip
async def test_a_status_tells_what_is_wrong_and_its_body_is_not_passed_on(
    moderator, server, status, failure
):
    server.reply = status

    assert await failure_of(moderator) == failure


async def test_an_endpoint_that_hangs_is_waited_for_a_while_only(moderator, server, monkeypatch):
    monkeypatch.setattr(endpoint_module, "SECONDS", 0.05)
    server.hangs = True

    assert await failure_of(moderator) == Failure.TIMEOUT


async def test_nobody_is_asked_on_a_private_network_that_is_not_allowed(server):
    stranger = EndpointModerator(url=server.url, model="", key_env="", guard=NetworkGuard())

    assert await failure_of(stranger) == Failure.UNREACHABLE
    assert server.requests == []
    await stranger.aclose()


async def test_an_endpoint_that_is_down_is_left_alone_for_a_while(moderator, server, monkeypatch):
    server.reply = 500
    for _ in range(3):
        assert await failure_of(moderator) == Failure.UNREACHABLE

    assert await failure_of(moderator) == Failure.RESTING
    assert len(server.requests) == 3

    monkeypatch.setattr(moderator, "_rests_until", 0.0)
    server.reply = None
    assert (await moderator.scores("a bomb"))["violence"] == 0.9


async def test_a_text_that_is_refused_sends_nobody_to_rest(moderator, server):
    """Else a voter could turn moderation off with a text that the endpoint does not take."""
    server.reply = 400
    for _ in range(5):
        assert await failure_of(moderator) == Failure.REFUSED
    assert len(server.requests) == 5


@pytest.mark.parametrize("url", ["ftp://x", "api.openai.com/v1", "https://", "https://u:p@x/v1"])
def test_an_address_that_is_none_is_refused_by_name(url):
    with pytest.raises(ValueError, match="ARENA_MODERATION_URL"):
        moderation_url_read(url)


def test_a_pasted_key_is_refused_and_not_repeated():
    with pytest.raises(ValueError, match="ARENA_MODERATION_KEY_ENV") as refused:
        moderation_key_env_read("sk-secret")
    assert "sk-secret" not in str(refused.value)
    assert moderation_key_env_read("OPENAI_API_KEY") == "OPENAI_API_KEY"
    assert moderation_url_read("https://api.openai.com/v1/") == "https://api.openai.com/v1"
