"""Keeps the order ledger and sums a person's lifetime values from it (P38)."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Table
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from integration.events import subject_of
from integration.models.ledger import LedgerEntry
from integration.plans import Lifetime
from integration.records import Order

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
GONE = "trash"


def record(session: Session, connector_id: int, orders: Sequence[Order]) -> None:
    """Write one row an order; a row that is newer than what is given stays as it is."""
    rows = {order.id: _row(connector_id, order) for order in sorted(orders, key=lambda o: o.modified_at or _NEVER)}
    if not rows:
        return
    table = LedgerEntry.__table__
    assert isinstance(table, Table)
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    new = statement.excluded
    values = {name: new[name] for name in next(iter(rows.values())) if name not in ("connector_id", "order_id")}
    older = (table.c.modified_at.is_(None)) | (new.modified_at.is_(None)) | (table.c.modified_at <= new.modified_at)
    session.execute(
        statement.on_conflict_do_update(index_elements=["connector_id", "order_id"], set_=values, where=older),
        list(rows.values()),
    )


def remove(session: Session, connector_id: int, order_id: int, at: datetime) -> str:
    """Mark an order as gone, so that it counts nowhere; return its subject, "" when it was never seen."""
    entry = session.get(LedgerEntry, (connector_id, order_id))
    if entry is None:
        return ""
    entry.status = GONE
    entry.modified_at = max(entry.modified_at or at, at)
    return entry.subject


def _row(connector_id: int, order: Order) -> dict[str, Any]:
    return {
        "connector_id": connector_id,
        "order_id": order.id,
        "subject": subject_of(order.email) if order.email else "",
        "status": order.status,
        "net_total": str(order.net_total),
        "refunded": bool(order.refunds) and order.net_total == 0,
        "currency": order.currency,
        "ordered_at": order.created_at,
        "local_date": order.local_date,
        "modified_at": order.modified_at,
    }


class People:
    """The ledger rows of some people: their lifetime values and their newest order."""

    def __init__(self, session: Session, connector_id: int, subjects: Iterable[str]) -> None:
        self._rows: dict[str, list[LedgerEntry]] = {}
        query = select(LedgerEntry).where(
            LedgerEntry.connector_id == connector_id, LedgerEntry.subject.in_(sorted(set(subjects)))
        )
        for row in session.scalars(query):
            self._rows.setdefault(row.subject, []).append(row)

    def lifetime(self, subject: str, paid: Iterable[str], currency: str) -> Lifetime:
        """Return the sums over the person's paid orders that are in the shop's currency.

        A fully refunded order counts nowhere; other currencies are counted apart. Without a known shop currency all
        orders count.
        """
        statuses = set(paid)
        rows = [r for r in self._rows.get(subject, []) if r.status in statuses and not r.refunded]
        own = [r for r in rows if not currency or r.currency == currency]
        dates = sorted(r.ordered_at for r in own if r.ordered_at)
        return Lifetime(
            total_spent=sum((Decimal(r.net_total) for r in own), Decimal(0)),
            order_count=len(own),
            first_order_at=dates[0] if dates else None,
            last_order_at=dates[-1] if dates else None,
            other_currencies=len(rows) - len(own),
        )

    def is_latest(self, subject: str, order: Order) -> bool:
        """Return whether no other order of the person is newer, by order date and id."""
        mine = (order.created_at or _NEVER, order.id)
        others = (r for r in self._rows.get(subject, []) if r.status != GONE)
        return all((r.ordered_at or _NEVER, r.order_id) <= mine for r in others)
