"""Whose address counts: no client can choose its own."""

from __future__ import annotations

import pytest

from arena.client_addresses import client_address, network_of, proxies_check
from arena.voters import address_in_scope

INSIDE = ["10.0.0.0/8"]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "trusted", "address"),
    [
        ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1", ["127.0.0.1"], "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", ["127.0.0.1"], "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1, 10.0.0.3", INSIDE, "198.51.100.1"),
        ("127.0.0.1", "", ["127.0.0.1"], "127.0.0.1"),
        ("::1", "2001:db8::5", ["::1"], "2001:db8::5"),
    ],
)
def test_only_what_a_trusted_proxy_vouches_for_counts(peer, forwarded_for, trusted, address):
    assert client_address(peer=peer, forwarded_for=forwarded_for, trusted=trusted) == address


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::5]:4711", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        (" 198.51.100.1 ", "198.51.100.1"),
    ],
)
def test_an_address_is_read_however_a_proxy_writes_it(hop, address):
    assert client_address(peer="10.0.0.2", forwarded_for=hop, trusted=INSIDE) == address
    assert network_of(hop) == network_of(address)


@pytest.mark.parametrize("garbage", ["", "unknown", "_hidden", "1.2.3", "[::1", "a b"])
def test_nothing_before_a_hop_that_is_no_address_is_believed(garbage):
    header = f"6.6.6.6, {garbage}, 10.0.0.3"

    assert client_address(peer="10.0.0.2", forwarded_for=header, trusted=INSIDE) == "10.0.0.3"


def test_a_trusted_proxy_is_known_by_its_address_in_ipv6_clothes():
    address = client_address(peer="::ffff:10.0.0.2", forwarded_for="198.51.100.1", trusted=INSIDE)

    assert address == "198.51.100.1"


def test_several_headers_of_a_handshake_are_read_in_their_order(settings):
    settings.TRUSTED_PROXIES = INSIDE
    headers = [(b"x-forwarded-for", hops) for hops in (b"6.6.6.6", b"198.51.100.1", b"10.0.0.3")]

    def address(*names_and_hops, client=("10.0.0.2", 1234)):
        return address_in_scope({"client": client, "headers": list(names_and_hops)})

    assert address(*headers) == "198.51.100.1"
    assert address(*headers, client=("203.0.113.9", 1234)) == "203.0.113.9"
    assert address(*headers, client=None) == ""


def test_a_proxy_that_is_no_network_is_named():
    assert proxies_check(["10.0.0.0/8", "::1"]) == ["10.0.0.0/8", "::1"]
    with pytest.raises(ValueError, match="TRUSTED_PROXIES holds 'nginx'"):
        proxies_check(["::1", "nginx"])
