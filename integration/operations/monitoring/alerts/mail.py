"""E-mail: plain text over SMTP, with headers that nothing in a message can break."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from integration.config import SMTP_PORTS, Deployment
from integration.operations.monitoring.alerts.undelivered import Undelivered
from integration.operations.monitoring.alerts.wording import one_line

TIMEOUT = 15.0
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
        with _connection(deployment) as server:
            if deployment.smtp_user:
                server.login(deployment.smtp_user, deployment.smtp_password)
            refused = server.send_message(mail)
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        raise _told(deployment, error) from error
    return _refusals(refused) if refused else ""


def _connection(deployment: Deployment) -> smtplib.SMTP:
    security = deployment.smtp_security
    port = deployment.smtp_port or SMTP_PORTS[security]
    context = ssl.create_default_context()
    if security == "ssl":
        return smtplib.SMTP_SSL(deployment.smtp_host, port, timeout=TIMEOUT, context=context)
    server = smtplib.SMTP(deployment.smtp_host, port, timeout=TIMEOUT)
    if security == "starttls":
        _secure(server, context)
    return server


def _secure(server: smtplib.SMTP, context: ssl.SSLContext) -> None:
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise


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
