"""A certificate authority of the stand-ins' own, made anew each time, and the certificates of servers it signs."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

#: Where the stand-ins listen.
HOSTS = ("127.0.0.1", "localhost")
_YEAR = timedelta(days=365)


class Authority:
    """An authority with its key; `pem` is its certificate, which whoever is to trust it pastes.

    It is valid from `begins` until `ends`, both aware; from yesterday on for ten years unless given.
    """

    def __init__(
        self, name: str = "Sandbox Authority", *, begins: datetime | None = None, ends: datetime | None = None
    ) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _common(name)
        today = datetime.now(UTC)
        begins, ends = begins or today - timedelta(days=1), ends or today + 10 * _YEAR
        made = _builder(self._name, self._name, self._key, begins, ends)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.pem = _pem(made.sign(self._key, hashes.SHA256()))

    def issued(self, *hosts: str, ends: datetime | None = None) -> tuple[str, str]:
        """Return (certificate, private key) of a server in PEM, for its names and addresses; valid for a year."""
        key = ec.generate_private_key(ec.SECP256R1())
        ends = ends or datetime.now(UTC) + _YEAR
        made = _for_server(_builder(_common(hosts[0]), self._name, key, ends - 2 * _YEAR, ends), hosts)
        return _pem(made.sign(self._key, hashes.SHA256())), _plain(key)

    def context(self, *hosts: str, ends: datetime | None = None) -> ssl.SSLContext:
        """Return what a stand-in serves https with, for this machine's names unless others are given."""
        return serving(*self.issued(*(hosts or HOSTS), ends=ends))


def signed_itself(*hosts: str) -> tuple[str, str]:
    """Return (certificate, private key) in PEM of a server that nobody else vouches for; valid for a year."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), _common(hosts[0]), datetime.now(UTC)
    made = _for_server(_builder(name, name, key, now - timedelta(days=1), now + _YEAR), hosts)
    return _pem(made.sign(key, hashes.SHA256())), _plain(key)


def serving(certificate: str, key: str) -> ssl.SSLContext:
    """Return the context of a server with a certificate and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # A server's context takes its chain from a file only.
    with TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.pem"
        chain.touch(mode=0o600)
        chain.write_text(certificate + key, encoding="ascii")
        context.load_cert_chain(chain)
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return made.not_valid_before(begins).not_valid_after(ends)


def _for_server(made: x509.CertificateBuilder, hosts: Sequence[str]) -> x509.CertificateBuilder:
    return made.add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)


def _common(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _plain(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
