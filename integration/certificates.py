"""Certificates in PEM form, as people paste them: read, checked for what they are, and told in words.

They are public, so they are kept and shown as they are. A private key is none of our business and is refused unread.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

TEXT_MAX_CHARS = 100_000
COUNT_MAX = 20
#: So long before the end of the last certificate it is warned of.
WARNED_BEFORE = timedelta(days=30)
_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_REQUEST = re.compile(r"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----")
_BEGIN = "-----BEGIN CERTIFICATE-----"
_NAME_MAX_CHARS = 120
#: What `cryptography` raises for certificates that OpenSSL would not read either.
_ODD = (ValueError, TypeError, UnsupportedAlgorithm)
_ALONE = "Paste only the authority that signed the server's certificate."
_FORM = f"Paste the text that begins with {_BEGIN}, whole."


class NotUsable(ValueError):
    """A text that holds no certificates to trust: what is wrong with it, and what to do."""

    def __init__(self, sentence: str, hint: str) -> None:
        super().__init__(sentence)
        self.sentence, self.hint = sentence, hint


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate: who it is, who signed it, its first and last moment (aware), SHA-256 fingerprint, PEM."""

    subject: str
    issuer: str
    begins: datetime
    ends: datetime
    fingerprint: str
    pem: str

    def state(self, now: datetime) -> str:
        """Return "expired", "not yet valid" or, while it can be used, ""."""
        return "expired" if now > self.ends else "not yet valid" if now < self.begins else ""


def read(text: str) -> list[Certificate]:
    """Return the certificates of a PEM text, each once, none for an empty one; raises NotUsable, which quotes nothing.

    Each must be an authority's, or a server's that signed itself: only these say whom else to trust.
    """
    if not text.strip():
        return []
    if holds_key(text):
        raise NotUsable(
            "This holds a private key, which belongs on its own server alone; nothing of it was kept.",
            "Paste only the certificate. If others could see the key just now, replace it.",
        )
    found = [_checked(each) for each in _parsed(text)]
    return list({each.fingerprint: each for each in found}.values())


def holds_key(text: str) -> bool:
    """Tell whether a private key stands in the text."""
    return bool(_KEY.search(text))


def stored(text: str) -> list[Certificate]:
    """Return the certificates of a text that was kept, whatever they are; none where it holds none (`is_unread`)."""
    try:
        return [_described(each) for each in _parsed(text)] if text.strip() else []
    except (NotUsable, *_ODD):
        return []


def is_unread(text: str) -> bool:
    """Tell whether a kept text is what an older version left: the path of a file that could not be read."""
    return bool(text.strip()) and _BEGIN not in text


def pem_of(certificates: Sequence[Certificate]) -> str:
    """Return the text to keep: the certificates alone, without what stood around them."""
    return "\n".join(each.pem for each in certificates)


def in_words(text: str) -> str:
    """Return a kept text as a log entry names it: the certificates' names with the beginning of their fingerprints."""
    if is_unread(text):
        return f"the file {text}"
    return ", ".join(f"{each.subject} ({each.fingerprint[:23]}…)" for each in stored(text))


def outdated(certificates: Sequence[Certificate], now: datetime) -> str:
    """Return a sentence where no certificate can be used now, with its date; "" where one can, or there is none."""
    if not certificates or any(not each.state(now) for each in certificates):
        return ""
    last = last_of(certificates)
    if now > last.ends:
        return f"The certificate of “{last.subject}” expired on {day(last.ends)}."
    return f"The certificate of “{last.subject}” is not valid before {day(last.begins)}."


def ending(certificates: Sequence[Certificate], now: datetime) -> Certificate | None:
    """Return the certificate that ends last where that is over or near (WARNED_BEFORE), None otherwise."""
    last = last_of(certificates) if certificates else None
    return last if last is not None and last.ends - now < WARNED_BEFORE else None


def last_of(certificates: Sequence[Certificate]) -> Certificate:
    """Return the one of some certificates that is valid longest."""
    return max(certificates, key=lambda each: each.ends)


def day(moment: datetime) -> str:
    """Return a date in words, in UTC, which certificates are dated in: "3 May 2027"."""
    return f"{moment.day} {moment:%B %Y}"


def _parsed(text: str) -> list[x509.Certificate]:
    if len(text) > TEXT_MAX_CHARS:
        raise NotUsable(f"This is longer than {TEXT_MAX_CHARS:,} characters.", _ALONE)
    if _REQUEST.search(text):
        raise NotUsable("This is a request for a certificate.", "Paste the certificate that was made of it.")
    if _BEGIN not in text:
        raise NotUsable("This is not a certificate in PEM form.", _FORM)
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise NotUsable("The certificate is damaged or not whole.", _FORM) from None
    if len(found) > COUNT_MAX:
        raise NotUsable(f"These are {len(found)} certificates.", _ALONE)
    return found


def _checked(found: x509.Certificate) -> Certificate:
    try:
        made = _described(found)
        trusted = _is_authority(found) or _signed_itself(found)
    except _ODD:
        raise NotUsable("The certificate is damaged, or of a kind that is not known here.", _FORM) from None
    if not trusted:
        raise NotUsable(
            f"“{made.subject}” is the certificate of a server, signed by “{made.issuer}”.",
            f"Paste the certificate of “{made.issuer}” instead.",
        )
    return made


def _described(found: x509.Certificate) -> Certificate:
    return Certificate(
        _named(found.subject),
        _named(found.issuer),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
        found.fingerprint(hashes.SHA256()).hex(":").upper(),
        found.public_bytes(Encoding.PEM).decode("ascii").strip(),
    )


def _named(name: x509.Name) -> str:
    """Return the common name and the organisation, as far as they are there and differ; else the whole name."""
    parts = [str(each.value) for oid in _TELLING for each in name.get_attributes_for_oid(oid)[:1]]
    told = ", ".join(dict.fromkeys(parts)) or name.rfc4514_string() or "nobody"
    return "".join(letter if letter.isprintable() else " " for letter in told)[:_NAME_MAX_CHARS]


_TELLING = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)


def _is_authority(found: x509.Certificate) -> bool:
    try:
        return bool(found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _signed_itself(found: x509.Certificate) -> bool:
    try:
        found.verify_directly_issued_by(found)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
