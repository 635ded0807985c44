"""Which addresses are called: never those that no server has, and private ones where they are allowed."""

from __future__ import annotations

import pytest
import requests

from integration.http.errors import check_peer


@pytest.mark.parametrize(
    "peer",
    [
        "169.254.169.254",
        "fe80::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
        "224.0.0.1",
        "ff02::1",
        "64:ff9b::e000:1",
        "0.0.0.0",
        "::",
        "255.255.255.255",
        "240.0.0.1",
    ],
)
def test_addresses_that_no_server_has_are_never_called(peer: str) -> None:
    with pytest.raises(requests.exceptions.InvalidURL):
        check_peer("anything", peer, ("*", "anything"))


@pytest.mark.parametrize(
    "peer",
    [
        "64:ff9b::7f00:1",
        "64:ff9b:1::5db8:d822",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::1",
        "2002:5db8:d822::1",
        "2001:0:5db8:d822:0:0:a227:27dd",
        "::127.0.0.1",
        "::93.184.216.34",
        "::ffff:10.0.0.1",
        "100.64.0.1",
        "192.0.2.1",
    ],
)
def test_what_stands_for_a_private_address_needs_to_be_allowed(peer: str) -> None:
    check_peer("mautic.lan", peer, ("*",))
    check_peer("mautic.lan", peer, ("mautic.lan",))
    with pytest.raises(requests.exceptions.InvalidURL):
        check_peer("mautic.lan", peer, ())


def test_a_network_can_be_allowed() -> None:
    check_peer("mautic.lan", "10.1.2.3", ("10.0.0.0/8",))
    check_peer("mautic.lan", "::ffff:10.1.2.3", ("10.0.0.0/8",))
    check_peer("mautic.lan", "64:ff9b::5db8:d822", ())
    with pytest.raises(requests.exceptions.InvalidURL):
        check_peer("mautic.lan", "192.168.1.1", ("10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd00::1"])
def test_private_addresses_need_to_be_allowed(peer: str) -> None:
    check_peer("mautic.lan", peer, ("*",))
    check_peer("Mautic.lan", peer, ("mautic.lan",))
    with pytest.raises(requests.exceptions.InvalidURL):
        check_peer("mautic.lan", peer, ("other.lan",))
    check_peer("example.com", "93.184.216.34", ())
