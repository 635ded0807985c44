"""Certificates that are not in order are told apart by what OpenSSL says of them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration.clock import Clock
from integration.http.transport import Route
from integration.operations.support.diagnostics import Step, store_steps
from integration.sandbox.store import StoreServer
from integration.store.access import StoreAccess


@contextmanager
def shop(context: ssl.SSLContext) -> Iterator[str]:
    with StoreServer(tls=context) as server:
        yield server.url


def first_step(url: str, ca: str | None = None) -> Step:
    access = StoreAccess(url, "ck_" + "1" * 40, "cs_" + "1" * 40, ca)
    return next(store_steps(access, Route(ca=ca), writes=False, clock=Clock()))


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    kinds = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "self.pem"
    path.write_bytes(key.private_bytes(*kinds) + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_self_signed_certificate(tmp_path: Path) -> None:
    with shop(self_signed(tmp_path)) as url:
        step = first_step(url)
    assert (step.state, step.code) == ("failed", "self_signed")
    assert "Let's Encrypt" in step.hint


def test_expired_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1)).configure_cert(context)
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    with shop(context) as url:
        step = first_step(url, str(path))
    assert (step.state, step.code) == ("failed", "tls_expired")
    assert "Renew" in step.hint


@pytest.mark.parametrize("known", [True, False])
def test_authority_given_by_the_settings(tmp_path: Path, known: bool) -> None:
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path / "ca.pem"
    (authority if known else other).cert_pem.write_to_path(str(path))
    with shop(context) as url:
        step = first_step(url, str(path))
    assert (step.state, step.code) == (("ok", "") if known else ("failed", "tls_chain"))
