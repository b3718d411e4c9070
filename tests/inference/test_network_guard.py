"""Private addresses are refused unless they are allowed, whatever they are disguised as."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from inference import errors
from inference.client import ModelClient
from inference.network_guard import NetworkGuard, networks_parse
from tests.inference.asking import LOOPBACK, address, answer
from tests.inference.raw_endpoint import WHOLE, raw_endpoint

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::",
    "2002:a00:1::1", "2001:db8::1", "2001::1", "100::1", "4000::1",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808",
    "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize("private", PRIVATE)
def test_a_private_address_is_refused_by_name_of_the_setting(private):
    problem = NetworkGuard().problem(private)

    assert private in problem
    assert "ENDPOINT_NETWORKS" in problem
    assert NetworkGuard(networks=networks_parse("any")).problem(private) == ""


@pytest.mark.parametrize("public", PUBLIC)
def test_a_public_address_is_not_refused(public):
    assert NetworkGuard().problem(public) == ""


def test_a_network_of_the_setting_is_allowed_and_no_other():
    guard = NetworkGuard(networks=networks_parse(" 10.0.0.0/8, 127.0.0.1 ,fd00::/8,"))

    for allowed in ("10.1.2.3", "127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd00::5"):
        assert guard.problem(allowed) == ""
    for refused in ("127.0.0.2", "192.168.1.1", "fc00::1", "169.254.169.254"):
        assert guard.problem(refused)


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "all", "10.0.0.0/8;::1", "localhost", "10.0.0.0/99"]
)
def test_what_is_no_network_is_named_in_one_line(text):
    with pytest.raises(ValueError, match="ENDPOINT_NETWORKS holds") as caught:
        networks_parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:7f00:1]",
    ],
)
async def test_nothing_is_sent_to_a_private_address_however_it_is_written(host):
    with raw_endpoint(WHOLE) as server:
        url = server.url.replace("127.0.0.1", host)
        async with ModelClient(guard=NetworkGuard()) as client:
            with pytest.raises(errors.AddressRefusedError, match="ENDPOINT_NETWORKS"):
                await answer(client, address(url))

    assert server.requests == []


async def test_the_own_service_is_always_allowed_and_only_on_its_port():
    with raw_endpoint(WHOLE) as own, raw_endpoint(WHOLE) as other:
        async with ModelClient(guard=NetworkGuard(own_url=own.url)) as client:
            assert (await answer(client, address(own.url)))[0] == "Hello"
            with pytest.raises(errors.AddressRefusedError):
                await answer(client, address(other.url))


async def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    """A name that is public when it is checked and private a moment later (DNS rebinding)."""
    found = iter([["192.0.2.77", "127.0.0.1"], ["10.0.0.1"]])
    resolve = socket.getaddrinfo

    def rebinding(host, port, **options):
        if host != "rebinding.test":
            return resolve(host, port, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in next(found)]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    guard = NetworkGuard(networks=networks_parse("127.0.0.1"))
    with raw_endpoint(WHOLE) as server:
        url = server.url.replace("127.0.0.1", "rebinding.test")
        async with ModelClient(guard=guard) as client:
            # Of two addresses only the permitted one is used, and the name is asked for once.
            assert (await answer(client, address(url)))[0] == "Hello"
            with pytest.raises(errors.AddressRefusedError, match=r"rebinding.test: 10\.0\.0\.1"):
                await answer(client, address(url))

    assert b"host: rebinding.test" in server.requests[0].lower()


async def test_a_name_that_does_not_exist_is_unavailable():
    async with ModelClient(guard=NetworkGuard()) as client:
        for host in ("no-such-host.invalid", "a" * 64 + ".test", "ex ample.test"):
            with pytest.raises(errors.EndpointUnavailableError):
                await answer(client, address(f"http://{host}/v1", first_token_timeout=5))


async def test_a_name_server_that_says_nothing_holds_up_nobody_else(monkeypatch):
    resolve, answers = socket.getaddrinfo, threading.Event()

    def silent(host, port, **options):
        if host == "silent.test":
            answers.wait()
        return resolve(host, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    # More look-ups than the loop has threads of its own.
    silent_ones = [address("http://silent.test/v1", id=n, connect_timeout=0.2) for n in range(40)]
    try:
        with raw_endpoint(WHOLE) as server:
            async with ModelClient(guard=LOOPBACK) as client:
                lost = await asyncio.gather(
                    *(answer(client, each) for each in silent_ones), return_exceptions=True
                )
                assert {type(error) for error in lost} == {errors.ConnectTimeoutError}
                assert (await answer(client, address(server.url)))[0] == "Hello"
                async with asyncio.timeout(30):
                    await asyncio.to_thread(int)
    finally:
        answers.set()


def test_literal_addresses_are_known_before_they_are_used():
    guard = NetworkGuard(own_url="http://127.0.0.1:8100/v1")

    for refused in ("http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:5/v1"):
        assert "ENDPOINT_NETWORKS" in guard.literal_problem(refused)
    for fine in ("http://127.0.0.1:8100/v1", "https://api.example.com/v1", "https://8.8.8.8"):
        assert guard.literal_problem(fine) == ""
