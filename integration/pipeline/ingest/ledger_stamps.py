"""Stamps of ledger entries: a digest of the row by which an entry was written, and of what the entry says since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integration import program
from integration.digests import short

#: What the list of all orders says of one; the products it does not tell.
SAID = ("person_key", "status", "net_total", "refunded", "currency", "ordered_at", "local_date", "modified_at")


def of(values: Mapping[str, Any], digest: str) -> str:
    """Return the stamp of an entry with these values; `digest` is that of the row that said them."""
    return short(repr((program.digest(), digest, [str(values[name]) for name in SAID])))
