"""Tells which rows of the store's list of orders the ledger has as they are, so that nothing of them has to be noted.

With an entry a stamp is kept: a digest of the row by which it was written and of what it says since. So whatever
changes the entry, from wherever, lets the row be noted again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integration.digests import row_digest
from integration.events import Origin
from integration.models.ledger import LedgerEntry
from integration.models.membership import among
from integration.pipeline.ingest import account_addresses, followed_carts, ledger_stamps, order_ledger, records

_NEVER = ("reached_at", "gone_at")
_KEPT = select(
    LedgerEntry.order_id, LedgerEntry.listed, *(getattr(LedgerEntry, name) for name in ledger_stamps.SAID)
).where(
    LedgerEntry.connector_id == bindparam("of_connector"),
    among(LedgerEntry.order_id, bindparam("numbers")),
    LedgerEntry.listed != "",
    LedgerEntry.status != order_ledger.GONE,
    *(getattr(LedgerEntry, name).is_(None) for name in _NEVER),
)


def digests(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return the digests of rows by the order's id."""
    return {int(row["id"]): row_digest(row) for row in rows}


def note(
    session: Session, now: datetime, connector_id: int, rows: Sequence[Mapping[str, Any]], origin: Origin
) -> set[int]:
    """Note a page of the list of all orders; return the ids of those of which nothing had to be noted."""
    listed = digests(rows)
    same = known(session, connector_id, listed)
    orders = records.readable(row for row in rows if row["id"] not in same)
    records.note(session, now, connector_id, orders, origin, listed)
    return same


def known(session: Session, connector_id: int, listed: Mapping[int, str]) -> set[int]:
    """Return the ids of the orders of which nothing has to be noted; `listed` are the digests of their rows.

    Those of people who have left the address, or who have a cart that follows an order, are looked at each time; so is
    what is gone, or waits for a live change to carry its event.
    """
    found = session.execute(_KEPT, {"of_connector": connector_id, "numbers": list(listed)}).mappings()
    held = [row for row in found if row["listed"] == ledger_stamps.of(dict(row), listed[row["order_id"]])]
    same = {row["order_id"]: row["person_key"] for row in held}
    people = set(same.values()) - {""}
    left = account_addresses.current(session, connector_id, people)
    buyers, orders = followed_carts.concerned(session, connector_id, people, same) if same else (set(), set())
    return {number for number, key in same.items() if not (number in orders or key in left or key in buyers)}
