"""E-mail addresses as Mautic takes them."""

from __future__ import annotations

import re

from integration.errors import MappingError
from integration.identity import ascii_domain, visible
from integration.plans import Adjustment, MauticField

#: Mautic drops any other character silently (mautic:032) and refuses ^ & * % (dossier 4.1.6).
_ALLOWED = re.compile(r"[A-Za-z0-9!#$'+\-=?_`{|}~.@\[\]]*")
#: What Cloudflare's Email Address Obfuscation puts in the place of an address.
_HIDDEN = re.compile(r"\[email[\s\u00a0-]*protected\]|/cdn-cgi/l/email-protection|data-cfemail", re.IGNORECASE)
HIDDEN = "email_hidden"
HIDDEN_CAUSE = (
    "The CDN in front of the store hides e-mail addresses from us.",
    "Switch Email Address Obfuscation off for /wp-json/* (Cloudflare: Scrape Shield, or a Configuration Rule).",
)
#: Longest address that a mail server takes (RFC 5321).
EMAIL_MAX_CHARS = 254
_HINT = "Correct the address in the store."


def fit_email(email: str, field: MauticField | None) -> tuple[str, tuple[Adjustment, ...]]:
    """Return the address without characters that nobody sees and with its domain in ASCII.

    Mautic does not tell the limit of its field Email unless it was told so itself: then only Mautic can say that an
    address is too long, row by row (mautic:036, mautic:066), since an admin may have raised the limit meanwhile.
    Raises MappingError: no_email, email_hidden, email_invalid (mautic:030, 031), email_characters (mautic:032),
    email_too_long.
    """
    given, email = email.strip(), visible(email)
    if not email:
        raise MappingError("no_email", "The record has no e-mail address.", "Add one in the store.")
    if is_hidden(email):
        sentence = "A CDN's placeholder stands where the e-mail address should be."
        raise MappingError(
            HIDDEN, sentence, f"{HIDDEN_CAUSE[1]} If the order has it so in the store, correct it there."
        )
    local, at, domain = email.rpartition("@")
    if not at or not local or "@" in local or "." not in domain.strip("."):
        raise MappingError("email_invalid", f"“{_shown(email)}” is not an e-mail address.", _HINT)
    ascii_email = f"{local}@{_ascii(domain, email)}"
    if not _ALLOWED.fullmatch(ascii_email):
        sentence = f"“{_shown(email)}” has characters that Mautic would refuse or drop."
        raise MappingError("email_characters", sentence, "Use letters of the Latin alphabet, digits and . _ - +.")
    _check_length(ascii_email, field)
    return ascii_email, (*_cleaned(given, email), *_in_ascii(email, ascii_email))


def is_hidden(email: str) -> bool:
    """Tell whether a text is a CDN's placeholder for an address."""
    return _HIDDEN.search(email) is not None


def _cleaned(given: str, email: str) -> tuple[Adjustment, ...]:
    if given == email:
        return ()
    sentence = f"Characters that cannot be seen were taken out of the e-mail address “{_shown(email)}”."
    return (Adjustment("email", "changed", sentence),)


def _in_ascii(email: str, ascii_email: str) -> tuple[Adjustment, ...]:
    if ascii_email == email:
        return ()
    sentence = f"The domain of “{_shown(email)}” was sent as {ascii_email.rpartition('@')[2]}."
    return (Adjustment("email", "changed", sentence),)


def _check_length(email: str, field: MauticField | None) -> None:
    limit = field.limit if field is not None else None
    if limit is not None and len(email) > limit:
        sentence = f"The e-mail address has {len(email)} characters, Mautic's field holds {limit}."
        raise MappingError("email_too_long", sentence, "Raise the limit of the field Email in Mautic.")


def _ascii(domain: str, email: str) -> str:
    found = domain if domain.isascii() else ascii_domain(domain)
    if found is None:
        raise MappingError("email_invalid", f"“{_shown(email)}” is not an e-mail address.", _HINT)
    return found


def _shown(email: str) -> str:
    """Return the address for a sentence: short, and without half surrogates, which no log can hold."""
    return email[:80].encode(errors="replace").decode()
