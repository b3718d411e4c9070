"""Rate limits, and whose address counts."""

from __future__ import annotations

import uuid

import pytest

from arena.errors import RateLimitedError
from arena.limits import client_address, limit_hit, network_key
from arena.rate_limits import RateLimit, rate_limits_parse


@pytest.mark.usefixtures("_one_moment")
def test_a_voter_is_stopped_at_the_limit_and_told_when_to_come_back(settings):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("battles:voter=2/60")
    voter_id = uuid.uuid4()
    for _ in range(2):
        limit_hit(action="battles", voter_id=voter_id, address="192.0.2.1")

    with pytest.raises(RateLimitedError) as refused:
        limit_hit(action="battles", voter_id=voter_id, address="192.0.2.1")

    assert refused.value.retry_after in range(1, 61)
    limit_hit(action="votes", voter_id=voter_id, address="192.0.2.1")
    limit_hit(action="battles", voter_id=uuid.uuid4(), address="192.0.2.1")


@pytest.mark.usefixtures("_one_moment")
def test_a_network_is_stopped_whatever_voters_it_invents(settings):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("votes:network=2/60")
    for host in (1, 2):
        limit_hit(action="votes", voter_id=uuid.uuid4(), address=f"192.0.2.{host}")

    with pytest.raises(RateLimitedError):
        limit_hit(action="votes", voter_id=uuid.uuid4(), address="192.0.2.77")
    limit_hit(action="votes", voter_id=uuid.uuid4(), address="192.0.3.1")


def test_a_network_key_holds_no_address_and_covers_the_prefix():
    assert network_key("2001:db8:0:1::1") == network_key("2001:db8:0:42::9")
    assert network_key("2001:db8::1") != network_key("2001:db9::1")
    assert "192" not in network_key("192.0.2.1")
    assert network_key("no address") == ""
    assert network_key("::ffff:192.0.2.1") == network_key("192.0.2.9")
    assert network_key("::ffff:192.0.2.1") != network_key("::ffff:198.51.100.1")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "trusted", "address"),
    [
        ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1", ["127.0.0.1"], "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", ["127.0.0.1"], "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1, 10.0.0.3", ["10.0.0.0/8"], "198.51.100.1"),
        ("127.0.0.1", "", ["127.0.0.1"], "127.0.0.1"),
        ("::1", "2001:db8::5", ["::1"], "2001:db8::5"),
    ],
)
def test_only_what_a_trusted_proxy_vouches_for_counts(peer, forwarded_for, trusted, address):
    assert client_address(peer=peer, forwarded_for=forwarded_for, trusted=trusted) == address


def test_the_grammar_of_limits():
    assert rate_limits_parse("") == ()
    assert rate_limits_parse("battles:voter=20/60 votes:network=9/1") == (
        RateLimit("battles", "voter", 20, 60),
        RateLimit("votes", "network", 9, 1),
    )


@pytest.mark.parametrize(
    "text", ["battles", "battles:voter=0/60", "likes:voter=1/1", "votes:me=1/1"]
)
def test_a_limit_that_cannot_be_read_is_named(text):
    with pytest.raises(ValueError, match=text.split("=")[0]):
        rate_limits_parse(text)
