"""Which e-mail addresses are one mailbox: the one place that decides it, for everything that compares or keys people.

Blanks around, characters that nobody sees, letter case and the two ways to write an international domain do not make
another mailbox. Letters that only look alike do: `ß` is not `ss`, a Cyrillic `а` is not a Latin `a`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

import idna

#: A domain has at most 253 characters (RFC 1035), and not more when it is written with international letters.
_DOMAIN_MAX_CHARS = 253
#: Longer texts are not addresses: composing their letters could take minutes, so they are only trimmed and lowered.
_ADDRESS_MAX_CHARS = 1000
#: Everything that takes a page asks for the keys of its people, eight times for each record; these are a few pages.
_KEYS_KEPT = 1024
#: Format and control characters and what else Unicode calls Default_Ignorable, but no blanks. They are listed so that
#: a key does not hang on the version of Unicode that Python brings along.
_JOINERS = "\u200c\u200d"
_UNSEEN_ALWAYS = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{_UNSEEN_ALWAYS}{_JOINERS}]")
_UNSEEN_BUT_JOINERS = re.compile(f"[{_UNSEEN_ALWAYS}]")


def normalise_email(email: str) -> str:
    """Return the address as it is compared: equal for all spellings of one mailbox; never raises, "" for nothing."""
    local, at, domain = visible(email).rpartition("@")
    if not at:
        return _lower(domain)
    return f"{_lower(local)}@{ascii_domain(domain) or ascii_domain(_lower(domain)) or _lower(domain)}"


def person_key_of(email: str) -> str:
    """Return 32 hex digits that stand for a mailbox, however its address is spelled."""
    return _key(email) if len(email) <= _ADDRESS_MAX_CHARS else _digest(normalise_email(email))


@lru_cache(maxsize=_KEYS_KEPT)
def _key(email: str) -> str:
    return _digest(normalise_email(email))


def visible(email: str) -> str:
    """Return the address as the store spells it, without blanks around and without characters that nobody sees.

    Joiners stay where a domain needs them, as in Persian: there they make another domain (RFC 5892, appendix A).
    """
    if email.isascii() and email.isprintable():
        return email.strip()
    local, at, domain = email.rpartition("@")
    if at and any(joiner in domain for joiner in _JOINERS):
        joined = _UNSEEN_BUT_JOINERS.sub("", domain).strip()
        if ascii_domain(joined) is not None:
            return f"{_UNSEEN.sub('', local)}@{joined}".strip()
    return _UNSEEN.sub("", email).strip()


def ascii_domain(domain: str) -> str | None:
    """Return a domain in lower-case ASCII (UTS 46, non-transitional: `ß` stays another letter), None if it is none."""
    if domain.isascii():
        return domain.lower()
    if len(domain) > _DOMAIN_MAX_CHARS:
        return None
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None


def first_version_key(email: str) -> str:
    """Return the key that the first version gave the address: it case-folded, and knew neither IDNA nor the unseen."""
    return _digest(_first_version_spelling(email))


def is_first_version_key_shared(email: str) -> bool:
    """Tell whether the first version gave the address the key of another mailbox too, as `ß` that of `ss`."""
    return person_key_of(_first_version_spelling(email)) == first_version_key(email) != person_key_of(email)


def _first_version_spelling(email: str) -> str:
    """Return how the first version compared an address; what is longer than any was never sent."""
    return unicodedata.normalize("NFC", email[:_ADDRESS_MAX_CHARS]).strip().casefold()


def _lower(text: str) -> str:
    if len(text) > _ADDRESS_MAX_CHARS:
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
