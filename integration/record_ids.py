"""Ids of records: the store's own, and those that the inbound API was given, which must never meet.

What a program sends is called by the program's own id. Its source id is that with "api:" before it, so that order 17 of
a till is not order 17 of the store. Where a number is needed, as in the order ledger, it is a negative one: the store
counts up from 1.
"""

from __future__ import annotations

import hashlib

PREFIX = "api:"
#: The source id is a column of 40 characters.
GIVEN_MAX_CHARS = 40 - len(PREFIX)
#: Every column holds numbers of so many digits; two of a million ids share one in a case of a million.
_NUMBERS = 10**18


def source_id_of(given: str) -> str:
    """Return the source id of a record that a program calls by this id."""
    return f"{PREFIX}{given}"


def is_given(source_id: object) -> bool:
    """Tell whether a record came by the inbound API, so that the store knows nothing of it."""
    return isinstance(source_id, str) and source_id.startswith(PREFIX)


def given_of(source_id: str) -> str:
    """Return the id that the program itself gave."""
    return source_id.removeprefix(PREFIX)


def number_of(source_id: str) -> int | None:
    """Return the number of a record: the store's id, a negative one where a program gave it, None for any other."""
    if is_given(source_id):
        return -1 - int.from_bytes(hashlib.sha256(given_of(source_id).encode()).digest()[:16]) % _NUMBERS
    return int(source_id) if source_id.isascii() and source_id.isdigit() and len(source_id) < 19 else None
