"""Digests by which things are known again: tokens and addresses that are not kept themselves, and the store's rows."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Mapping
from typing import Any

#: Where the payload of a row keeps by what it is known again: the first row of its page, and its own digest.
ROW = "row"
_SHORT_BYTES = 16
#: Later formats of marshal tell the same values in other bytes where a text or a number is the very same object.
_BY_VALUE = 2


def digest(text: str) -> str:
    """Return the SHA-256 of a text in 64 hex digits; a half surrogate, as a broken client sends it, is taken as is."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def short(text: str) -> str:
    """Return 32 hex digits that tell a text from others; they are quick to make, and keep no secret."""
    return _hexed(text.encode("utf-8", "surrogatepass"))


def row_digest(row: Mapping[str, Any]) -> str:
    """Return 32 hex digits over a row as the store gave it, of what JSON has; a third of the time that JSON takes."""
    return _hexed(marshal.dumps(dict(row), _BY_VALUE))


def _hexed(told: bytes) -> str:
    return hashlib.blake2b(told, digest_size=_SHORT_BYTES).hexdigest()
