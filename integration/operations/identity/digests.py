"""How tokens are stored and found again: by their hash, for what is read from the database must open nothing."""

from __future__ import annotations

import hashlib


def digest(token: str) -> str:
    """Return the hash that a token is stored and found by."""
    return hashlib.sha256(token.encode()).hexdigest()
