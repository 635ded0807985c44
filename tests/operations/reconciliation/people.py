"""The four people of a reconciliation, told by their addresses."""

from __future__ import annotations

from integration.identity import person_key_of

ADA, BOB, CYD, GUEST = (f"{name}@example.com" for name in ("ada", "bob", "cyd", "guest"))
EVERYBODY = frozenset({ADA, BOB, CYD, GUEST})
NOBODY: frozenset[str] = frozenset()


def named(person_keys: set[str]) -> set[str]:
    return {email for email in EVERYBODY if person_key_of(email) in person_keys}
