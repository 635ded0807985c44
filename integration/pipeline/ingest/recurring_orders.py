"""Keeps the store's subscriptions, so that the tags of a person are told by all of them together (P44)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnCollection

from integration.identity import person_key_of, visible
from integration.models.recurring_order import RecurringEntry
from integration.models.sql import upsert
from integration.pipeline.ingest import account_addresses
from integration.pipeline.ingest.order_ledger import GONE
from integration.records import LineItem, Order, OtherOrder

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = ("person_key", "status", "products", "modified_at")


@dataclass(frozen=True, slots=True)
class Left:
    """A subscription that went from one person to another: `person_key` is who had it."""

    order: Order
    person_key: str


def record(session: Session, connector_id: int, orders: Sequence[Order]) -> list[Left]:
    """Write one row a subscription and return those that changed hands; a row newer than what is given stays."""
    rows = {
        order.id: _row(connector_id, order)
        for order in sorted(orders, key=lambda each: each.modified_at or _NEVER)
        if order.status
    }
    if not rows:
        return []
    now_keys = account_addresses.current(session, connector_id, {str(each["person_key"]) for each in rows.values()})
    for each in rows.values():
        each["person_key"] = now_keys.get(each["person_key"], each["person_key"])
    left = _left(session, connector_id, orders, rows)
    upsert(session, RecurringEntry, list(rows.values()), _KEPT, where=_is_not_older)
    return left


def remove(session: Session, connector_id: int, number: int) -> None:
    """Mark a subscription as gone, so that it gives no tag."""
    entry = session.get(RecurringEntry, (connector_id, number))
    if entry is not None:
        entry.status = GONE


def person_of(session: Session, connector_id: int, number: int) -> str:
    """Return the person key of a subscription, "" when it was never seen."""
    entry = session.get(RecurringEntry, (connector_id, number))
    return entry.person_key if entry is not None else ""


class OfPeople:
    """The subscriptions of some people as they are known."""

    def __init__(self, session: Session, connector_id: int, person_keys: Collection[str]) -> None:
        mine = (RecurringEntry.connector_id == connector_id, RecurringEntry.person_key.in_(sorted(set(person_keys))))
        self._rows: dict[str, list[RecurringEntry]] = {}
        for row in session.scalars(select(RecurringEntry).where(*mine).order_by(RecurringEntry.recurring_id)):
            self._rows.setdefault(row.person_key, []).append(row)

    def all(self, person_key: str, order: Order | None = None) -> list[OtherOrder]:
        """Return the person's subscriptions, `order` as it was just read where nothing newer of it is known."""
        rows = self._rows.get(person_key, [])
        newer = [row for row in rows if order is None or row.recurring_id != order.id or _is_newer(row, order)]
        found = [OtherOrder(row.status, _items(row.products)) for row in newer]
        known = order is None or any(row.recurring_id == order.id for row in newer)
        return found if known or order is None else [*found, OtherOrder(order.status, order.items)]

    def without(self, person_key: str, source_id: str) -> list[OtherOrder]:
        """Return the person's subscriptions but one."""
        rows = (row for row in self._rows.get(person_key, []) if str(row.recurring_id) != source_id)
        return [OtherOrder(row.status, _items(row.products)) for row in rows]


def _is_newer(row: RecurringEntry, order: Order) -> bool:
    return (row.modified_at or _NEVER) > (order.modified_at or _NEVER)


def _items(products: Sequence[Sequence[Any]]) -> tuple[LineItem, ...]:
    return tuple(LineItem(str(name), int(number), sku=str(sku)) for name, sku, number in products)


def _row(connector_id: int, order: Order) -> dict[str, Any]:
    return {
        "connector_id": connector_id,
        "recurring_id": order.id,
        "person_key": person_key_of(order.email) if visible(order.email) else "",
        "status": order.status,
        "products": [[item.name, item.sku, item.product_id] for item in order.items],
        "modified_at": order.modified_at,
    }


def _is_not_older(table: Table, new: ColumnCollection[str, Any]) -> ColumnElement[bool]:
    return or_(table.c.modified_at.is_(None), new.modified_at.is_(None), table.c.modified_at <= new.modified_at)


def _left(
    session: Session, connector_id: int, orders: Sequence[Order], rows: Mapping[int, Mapping[str, Any]]
) -> list[Left]:
    columns = (RecurringEntry.recurring_id, RecurringEntry.person_key, RecurringEntry.modified_at)
    mine = (RecurringEntry.connector_id == connector_id, RecurringEntry.recurring_id.in_(list(rows)))
    query = select(*columns).where(*mine, RecurringEntry.person_key != "", RecurringEntry.status != GONE)
    given = {order.id: order for order in orders}
    return [
        Left(given[number], person_key)
        for number, person_key, at in session.execute(query).tuples()
        if person_key != rows[number]["person_key"] and (rows[number]["modified_at"] or _NEVER) >= (at or _NEVER)
    ]
