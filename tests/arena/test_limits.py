"""Rate limits: how much passes, when the rest may come back, and for whom it is counted."""

from __future__ import annotations

import json
import threading
import uuid
from types import SimpleNamespace

import httpx
import pytest
from django.core.cache import cache
from django.http import HttpResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from arena.errors import RateLimitedError
from arena.limits import limit_hit, network_key
from arena.rate_limits import (
    ConcurrencyLimit,
    RateLimit,
    concurrency_limits_parse,
    rate_limits_parse,
)
from arena.voters import COOKIE, voter_id_keep


class Clock:
    """The time of the limits, which a test moves."""

    def __init__(self, now: float = 1_800_000_015.0) -> None:
        self.now = now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("arena.limits.time", SimpleNamespace(time=clock.time))
    return clock


def hit(voter_id=None, *, action="battles", address="192.0.2.1"):
    """The wait that was asked for, or None where the request passes."""
    try:
        limit_hit(action=action, voter_id=voter_id or uuid.UUID(int=1), address=address)
    except RateLimitedError as refused:
        return refused.retry_after
    return None


@pytest.mark.usefixtures("clock")
def test_a_voter_is_stopped_at_the_limit_and_told_when_to_come_back(settings):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("battles:voter=2/60")

    waits = [hit() for _ in range(3)]

    assert waits[:2] == [None, None]
    assert waits[2] in range(60, 67)
    assert hit(action="votes") is None
    assert hit(uuid.uuid4()) is None


@pytest.mark.usefixtures("clock")
def test_a_network_is_stopped_whatever_voters_it_invents(settings):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("votes:network=2/60")
    for host in (1, 2):
        assert hit(uuid.uuid4(), action="votes", address=f"192.0.2.{host}") is None

    assert hit(uuid.uuid4(), action="votes", address="192.0.2.77")
    assert hit(uuid.uuid4(), action="votes", address="192.0.3.1") is None


def test_nobody_waits_longer_than_for_what_stands_in_the_way(settings, clock):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("battles:voter=2/60")
    hit()
    clock.now += 30
    hit()
    clock.now += 10

    # The first leaves the window in 20 s, and its sixtieth of the window in one more at most.
    assert hit() in (20, 21)


def test_no_burst_gets_through_where_one_window_ends_and_the_next_begins(settings, clock):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("battles:voter=5/60")
    clock.now = 1_800_000_059.0
    assert [hit() for _ in range(5)] == [None] * 5

    clock.now = 1_800_000_061.0

    assert hit()


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 4),
    seconds=st.sampled_from([1, 7, 60]),
    gaps=st.lists(st.floats(0, 0.4), min_size=5, max_size=40),
)
def test_no_window_holds_more_than_the_limit_and_who_waits_as_told_gets_in(count, seconds, gaps):
    cache.clear()
    clock = Clock()
    passed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arena.limits.time", SimpleNamespace(time=clock.time))
        patch.setattr(
            "arena.limits.settings",
            SimpleNamespace(ARENA_RATE_LIMITS=(RateLimit("battles", "voter", count, seconds),)),
        )
        for gap in gaps:
            clock.now += gap * seconds
            wait = hit()
            if wait is None:
                passed.append(clock.now)
                held = [moment for moment in passed if moment > clock.now - seconds]
                assert len(held) <= count
        while (wait := hit()) is None:
            pass
        clock.now += wait
        assert hit() is None


@pytest.mark.usefixtures("clock")
def test_who_is_refused_is_not_counted(settings, clock):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("battles:voter=1/60")
    hit()
    first = hit()

    for _ in range(50):
        clock.now += 1
        hit()
    clock.now += first - 50

    assert hit() is None


@pytest.mark.usefixtures("clock")
def test_what_the_network_is_refused_is_not_counted_against_the_voter(settings):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("battles:voter=2/60 battles:network=1/60")
    voter_id = uuid.uuid4()
    assert hit(uuid.uuid4()) is None

    assert all(hit(voter_id) for _ in range(5))

    assert [hit(voter_id, address=f"203.0.{third}.1") for third in (1, 2)] == [None, None]


@pytest.mark.usefixtures("clock")
def test_many_at_one_moment_never_pass_the_limit(settings):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("battles:voter=20/60")
    passed: list[None] = []

    def many():
        passed.extend(wait for wait in (hit() for _ in range(10)) if wait is None)

    threads = [threading.Thread(target=many) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 0 < len(passed) <= 20


def test_streams_are_limited_alike_over_sse_and_websocket(settings, clock, voter, live_server_url):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("streams:voter=1/60")
    battle_id = voter.start()
    voter.ended(battle_id)
    response = HttpResponse()
    voter_id_keep(response, voter.id)
    cookie = {"Cookie": f"{COOKIE}={response.cookies[COOKIE].value}"}
    events_url = f"{live_server_url}/api/v1/battles/{battle_id}/events/"
    socket_url = f"{live_server_url.replace('http', 'ws')}/ws/battles/{battle_id}/"

    first = httpx.get(events_url, headers=cookie, timeout=20)
    over_sse = httpx.get(events_url, headers=cookie, timeout=20)
    with pytest.raises(InvalidStatus) as refused:
        connect(socket_url, additional_headers=cookie)
    over_socket = refused.value.response

    assert (first.status_code, over_sse.status_code, over_socket.status_code) == (200, 429, 429)
    assert over_socket.headers["Retry-After"] == over_sse.headers["Retry-After"]
    assert json.loads(over_socket.body) == over_sse.json()


def test_a_wait_is_told_in_words_that_are_not_shorter_than_it():
    told = [RateLimitedError(retry_after=seconds).message for seconds in (59, 121, 7141)]

    assert [message.partition("come back in ")[2] for message in told] == [
        "59 s.", "3 minutes.", "2 hours.",
    ]  # fmt: skip


def test_a_network_key_holds_no_address_and_covers_the_prefix():
    assert network_key("2001:db8:0:1::1") == network_key("2001:db8:0:42::9")
    assert network_key("2001:db8::1") != network_key("2001:db9::1")
    assert "192" not in network_key("192.0.2.1")
    assert network_key("no address") == ""
    assert network_key("::ffff:192.0.2.1") == network_key("192.0.2.9")
    assert network_key("::ffff:192.0.2.1") != network_key("::ffff:198.51.100.1")


def test_the_grammar_of_limits():
    assert rate_limits_parse("") == ()
    assert rate_limits_parse("battles:voter=20/60 tokens:network=9/1") == (
        RateLimit("battles", "voter", 20, 60),
        RateLimit("tokens", "network", 9, 1),
    )
    assert concurrency_limits_parse("") == ()
    assert concurrency_limits_parse("voter=4 network=40") == (
        ConcurrencyLimit("voter", 4),
        ConcurrencyLimit("network", 40),
    )


@pytest.mark.parametrize(
    "text", ["battles", "battles:voter=0/60", "likes:voter=1/1", "votes:me=1/1"]
)
def test_a_limit_that_cannot_be_read_is_named(text):
    with pytest.raises(ValueError, match=text.split("=")[0]):
        rate_limits_parse(text)


@pytest.mark.parametrize("text", ["voter", "voter=0", "me=1", "voter=-1", "voter=1/60"])
def test_a_limit_of_battles_at_once_that_cannot_be_read_is_named(text):
    with pytest.raises(ValueError, match=f"ARENA_CONCURRENT_BATTLES: '{text}'"):
        concurrency_limits_parse(text)
