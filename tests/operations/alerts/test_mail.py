"""The mail server's side: encryption, passwords, and what is said when they do not fit."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration.config import Deployment, load
from integration.errors import SettingError
from integration.operations.monitoring.alerts import mail
from integration.operations.monitoring.alerts.undelivered import Undelivered
from tests.operations.alerts.conftest import Inbox
from tests.postgres import free_port

#: aiosmtpd warns of what a server behind TLS does on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "mail.pem"
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
    return path


def check_password(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    fits = (data.login, data.password) == (b"alerts@shop.example.com", b"correct horse")
    return AuthResult(success=fits, handled=fits)


@pytest.fixture(params=["starttls", "ssl"])
def secured(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[Inbox, str]]:
    """A mail server that speaks only encrypted and asks for a password."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    box = Inbox(free_port())
    options = {"ssl_context": context} if request.param == "ssl" else {"tls_context": context, "require_starttls": True}
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        authenticator=check_password,
        auth_required=True,
        auth_require_tls=request.param == "starttls",
        **options,
    )
    controller.start()
    yield box, request.param
    controller.stop()


def deployment(tmp_path: Path, port: int, **settings: Any) -> Deployment:
    values = {"smtp_user": "alerts@shop.example.com", "smtp_password": "correct horse", **settings}
    return Deployment(instance_path=tmp_path, secret_key="k" * 32, smtp_host="127.0.0.1", smtp_port=port, **values)


def send(settings: Deployment, body: str = "Hello.") -> str:
    to = ["ada@example.com"]
    return mail.send(settings, mail.compose(settings, to, "Subject", body, at=AT, name="one"))


def test_encrypted_with_a_password(
    secured: tuple[Inbox, str], certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, security = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    settings = deployment(tmp_path, box.port, smtp_security=security)
    assert send(settings, "Grüße 🌻\n" + "x" * 2000) == ""
    assert box.body() == "Grüße 🌻\n" + "x" * 2000 + "\n"
    assert box.mails[0][1]["From"] == "alerts@shop.example.com"
    with pytest.raises(Undelivered, match=r"refused the user name or the password\. 535 .* Check SMTP_USER"):
        send(deployment(tmp_path, box.port, smtp_security=security, smtp_password="wrong horse"))


def test_a_certificate_of_nobody_is_not_believed(secured: tuple[Inbox, str], tmp_path: Path) -> None:
    box, security = secured
    with pytest.raises(Undelivered, match="No secure connection to the mail server could be made") as caught:
        send(deployment(tmp_path, box.port, smtp_security=security))
    assert caught.value.everybody
    assert box.mails == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"smtp_security": "starttls"}, "does not offer what was asked"),
        ({"smtp_security": "ssl"}, "No secure connection"),
        ({"smtp_security": "none"}, "does not offer what was asked"),
    ],
)
def test_what_the_server_does_not_offer(inbox: Inbox, tmp_path: Path, settings: dict[str, str], said: str) -> None:
    with pytest.raises(Undelivered, match=said):
        send(deployment(tmp_path, inbox.port, **settings))


def test_the_settings_are_read_and_checked(tmp_path: Path) -> None:
    environ = {"INSTANCE_PATH": str(tmp_path), "SMTP_HOST": "mail.example.com", "MAIL_FROM": "Shop <a@shop.example>"}
    settings = load(environ)
    assert (settings.smtp_security, settings.sender) == ("starttls", "Shop <a@shop.example>")
    assert "correct horse" not in repr(load({**environ, "SMTP_PASSWORD": "correct horse"}))
    assert load({**environ, "MAIL_FROM": "", "SMTP_USER": "a@shop.example"}).sender == "a@shop.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@b.example\nBcc: eve@example.com"),
        ("MAIL_FROM", ""),
        ("SMTP_PORT", "99999"),
        ("SMTP_SECURITY", "maybe"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, name: str, value: str) -> None:
    environ = {"INSTANCE_PATH": str(tmp_path), "SMTP_HOST": "mail.example.com", "MAIL_FROM": "a@shop.example"}
    with pytest.raises(SettingError) as caught:
        load({**environ, name: value})
    assert caught.value.name == name
