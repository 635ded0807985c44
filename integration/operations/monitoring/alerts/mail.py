"""E-mail: plain text over SMTP, with headers that nothing in a message can break."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import partial

from integration.config import SMTP_PORTS, Deployment
from integration.http.total_time import TookTooLong, Watchdog
from integration.operations.monitoring.alerts.undelivered import Undelivered
from integration.operations.monitoring.alerts.wording import one_line

#: Seconds for one answer of the mail server, and for all that an e-mail takes: the first begin anew with each byte.
TIMEOUT_S, TOTAL_TIMEOUT_S = 15.0, 60.0
#: Is given the socket of a connection, as soon as it is made.
Watch = Callable[[socket.socket], None]
NOT_SET = "No mail server is set."
SET_IT = "Set SMTP_HOST and MAIL_FROM, and SMTP_USER and SMTP_PASSWORD if the server asks for them, then restart."


def compose(
    deployment: Deployment,
    to: Sequence[str],
    subject: str,
    body: str,
    *,
    at: datetime,
    name: str,
    answers: str = "",
) -> EmailMessage:
    """Return an e-mail; `name` makes its id, the same for each try, `answers` names the message it follows."""
    host = parseaddr(deployment.sender)[1].rpartition("@")[2] or "localhost"
    mail = EmailMessage()
    mail["From"] = deployment.sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = one_line(subject)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{name}@{host}>"
    if answers:
        mail["In-Reply-To"] = mail["References"] = f"<{answers}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    # Not every server takes eight bits, and what cannot be encoded must not keep the rest back.
    mail.set_content(body.encode("utf-8", "replace").decode(), cte="quoted-printable")
    return mail


def send(deployment: Deployment, mail: EmailMessage) -> str:
    """Hand an e-mail to the mail server and return what to know of recipients it refused, "" when it took all.

    Raises Undelivered, `everybody` True when no other e-mail would fare better now.
    """
    if not deployment.smtp_host:
        raise Undelivered(NOT_SET, SET_IT, everybody=True)
    try:
        with Watchdog(TOTAL_TIMEOUT_S) as watchdog, _connection(deployment, watchdog) as server:
            if deployment.smtp_user:
                server.login(deployment.smtp_user, deployment.smtp_password)
            refused = server.send_message(mail)
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        raise _told(deployment, error) from error
    return _refusals(refused) if refused else ""


@contextmanager
def _connection(deployment: Deployment, watchdog: Watchdog) -> Iterator[smtplib.SMTP]:
    """Give a connection to the mail server, which the watchdog may shut from its first byte on."""
    security = deployment.smtp_security
    host, port = deployment.smtp_host, deployment.smtp_port or SMTP_PORTS[security]
    context = ssl.create_default_context()
    with ExitStack() as lines:

        def watch(line: socket.socket) -> None:
            # Encryption takes the socket over, before its handshake already; a second one of the line stays ours.
            watchdog.watch(lines.enter_context(line.dup()))

        kind = partial(_Encrypted, context=context) if security == "ssl" else _Plain
        with kind(host, port, watch) as server:
            if security == "starttls":
                server.starttls(context=context)
            yield server


class _Watched(smtplib.SMTP):
    """A connection that tells whoever limits its time of its socket."""

    watch: Watch

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        line: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # not in the stubs
        self.watch(line)
        return line


class _Plain(_Watched):
    def __init__(self, host: str, port: int, watch: Watch) -> None:
        self.watch = watch
        super().__init__(host, port, timeout=TIMEOUT_S)


# SMTP_SSL puts encryption around what the class behind it connects.
class _Encrypted(smtplib.SMTP_SSL, _Watched):
    def __init__(self, host: str, port: int, watch: Watch, context: ssl.SSLContext) -> None:
        self.watch = watch
        super().__init__(host, port, timeout=TIMEOUT_S, context=context)


def _told(deployment: Deployment, error: Exception) -> Undelivered:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return Undelivered(_refusals(error.recipients), "Correct the addresses of the group.")
    if isinstance(error, smtplib.SMTPDataError):
        return Undelivered(f"The mail server refused the message: {_answer(error)}", "Ask whoever runs it.")
    for kinds, sentence, hint in _FAULTS:
        if isinstance(error, kinds):
            detail = f" {_answer(error)}" if isinstance(error, smtplib.SMTPResponseException) else ""
            return Undelivered(f"{sentence}{detail}", hint, everybody=True)
    return Undelivered(f"The mail server {deployment.smtp_host} could not be reached.", _REACH, everybody=True)


_REACH = "Check SMTP_HOST, SMTP_PORT and the firewall."
_FAULTS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (
        smtplib.SMTPAuthenticationError,
        "The mail server refused the user name or the password.",
        "Check SMTP_USER and SMTP_PASSWORD.",
    ),
    (smtplib.SMTPSenderRefused, "The mail server refused the sender.", "Set MAIL_FROM to an address it lets you use."),
    (
        smtplib.SMTPNotSupportedError,
        "The mail server does not offer what was asked of it.",
        "Check SMTP_SECURITY; leave SMTP_USER empty if it asks for no password.",
    ),
    (
        ssl.SSLError,
        "No secure connection to the mail server could be made.",
        "Check its certificate and SMTP_SECURITY: starttls is usual at port 587, ssl at 465.",
    ),
    (
        TookTooLong,
        f"The mail server took longer than {TOTAL_TIMEOUT_S:.0f} seconds for one message.",
        "Look at its load, and at what it checks before it takes a message.",
    ),
    (TimeoutError, "The mail server did not answer in time.", _REACH),
    (ConnectionRefusedError, "The mail server refused the connection.", _REACH),
    (socket.gaierror, "The mail server's name does not resolve.", "Check how SMTP_HOST is spelled."),
    (smtplib.SMTPServerDisconnected, "The mail server closed the connection.", _REACH),
    (smtplib.SMTPResponseException, "The mail server refused to talk.", _REACH),
)


def _refusals(refused: dict[str, tuple[int, bytes]]) -> str:
    each = (f"{address} ({code} {one_line(_text(text), 120)})" for address, (code, text) in refused.items())
    return f"The mail server refused recipients: {', '.join(each)}."


def _answer(error: smtplib.SMTPResponseException) -> str:
    return one_line(f"{error.smtp_code} {_text(error.smtp_error)}", 200)


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
