"""E-mail addresses as WordPress cleans them: odd letters are cut out, a broken address becomes nothing."""

from __future__ import annotations

import re

_NOT_LOCAL = re.compile(r"[^a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]")
_BLANKS = " \t\n\r\0\x0b"


def sanitized(text: str) -> str:
    """Return what WordPress keeps of an e-mail address, nothing when that is none.

    Seen: jürgen@müller becomes jrgen@mller (storefront:027, storefront:033), "a b@" becomes ab@, quotes are lost and
    x@localhost is none (storefront:034); blanks around are trimmed and case is kept (storefront:026).
    """
    local, at, domain = text.partition("@")
    local = _NOT_LOCAL.sub("", local)
    domain = re.sub(r"\.{2,}", "", domain).strip(_BLANKS + ".")
    parts = [re.sub(r"[^a-zA-Z0-9-]", "", part.strip(_BLANKS + "-")) for part in domain.split(".")]
    parts = [part for part in parts if part]
    if len(text) < 6 or not at or not local or len(parts) < 2:
        return ""
    return f"{local}@{'.'.join(parts)}"


def is_valid(text: str) -> bool:
    """Say whether WordPress takes a text as it is for an e-mail address; it takes no letters beyond ASCII."""
    return sanitized(text) == text != ""
