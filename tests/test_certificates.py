"""Pasted certificates: what is taken, what is refused and why, and how they are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integration import certificates
from integration.certificates import NotUsable
from integration.sandbox.authority import HOSTS, Authority, signed_itself

NOW = datetime.now(UTC)
OLD = datetime(2026, 3, 5, tzinfo=UTC)
SHOP = Authority("Shop CA")
SERVER, KEY = SHOP.issued("shop.example")


def test_an_authority_is_read_with_what_a_person_compares() -> None:
    [found] = certificates.read(f"subject=CN = Shop CA\n{SHOP.pem}\nwhat stood behind it")
    assert (found.subject, found.issuer) == ("Shop CA", "Shop CA")
    assert len(found.fingerprint.split(":")) == 32
    assert certificates.pem_of([found]) == SHOP.pem.strip()
    assert found.state(NOW) == ""


def test_several_are_taken_once_each_and_a_server_that_signed_itself_too() -> None:
    alone, _ = signed_itself(*HOSTS)
    found = certificates.read(SHOP.pem + alone + SHOP.pem)
    assert [each.subject for each in found] == ["Shop CA", "127.0.0.1"]
    assert certificates.in_words(certificates.pem_of(found)).startswith("Shop CA (")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("/etc/ssl/ca.pem", "PEM"),
        (SHOP.pem.replace("M", "!"), "damaged"),
        (SHOP.pem[:200], "damaged"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----", "request"),
        (SERVER, "signed by “Shop CA”"),
        (SHOP.pem + SERVER, "certificate of a server"),
        ("x" * (certificates.TEXT_MAX_CHARS + 1), "longer than"),
    ],
)
def test_what_is_no_authority_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(NotUsable) as caught:
        certificates.read(text)
    assert word in caught.value.sentence
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"])
def test_a_private_key_is_refused_and_not_repeated(kind: str) -> None:
    secret = KEY.splitlines()[1]
    with pytest.raises(NotUsable) as caught:
        certificates.read(f"{SHOP.pem}-----BEGIN {kind}-----\n{secret}\n-----END {kind}-----\n")
    assert "private key" in caught.value.sentence
    assert secret not in f"{caught.value!r} {caught.value.hint}"


def test_dates_are_said() -> None:
    over = certificates.read(Authority("Old", begins=OLD - timedelta(9), ends=OLD).pem)
    early = certificates.read(Authority("New", begins=datetime(2999, 3, 5, tzinfo=UTC), ends=_far()).pem)
    assert certificates.outdated(over, NOW) == "The certificate of “Old” expired on 5 March 2026."
    assert certificates.outdated(early, NOW) == "The certificate of “New” is not valid before 5 March 2999."
    assert certificates.outdated(over + certificates.read(SHOP.pem), NOW) == ""


def test_a_successor_below_ends_the_warning() -> None:
    old = certificates.read(Authority("Old", ends=NOW + timedelta(days=3)).pem)
    assert certificates.ending(old, NOW) == old[0]
    assert certificates.ending(old + certificates.read(SHOP.pem), NOW) is None


def _far() -> datetime:
    return datetime(2999, 4, 1, tzinfo=UTC)
