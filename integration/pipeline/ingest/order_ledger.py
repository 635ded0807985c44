"""Keeps the order ledger, from which a person's lifetime values are summed (buyers.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnCollection

from integration import money
from integration.identity import person_key_of, visible
from integration.models.ledger import LedgerEntry
from integration.models.membership import among
from integration.models.sql import upsert
from integration.pipeline.ingest import account_addresses, ledger_stamps
from integration.pipeline.ingest.store_clock import is_older
from integration.records import Order

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = ("connector_id", "order_id")
GONE = "trash"
_OWNED = select(LedgerEntry.order_id, LedgerEntry.person_key, LedgerEntry.modified_at).where(
    LedgerEntry.connector_id == bindparam("connector_id"),
    among(LedgerEntry.order_id, bindparam("ids")),
    LedgerEntry.person_key != "",
    LedgerEntry.status != GONE,
)


@dataclass(frozen=True, slots=True)
class Move:
    """An order that went from one person to another: `left` is the person key whose sums must be written again."""

    order: Order
    left: str


def record(
    session: Session,
    connector_id: int,
    orders: Sequence[Order],
    unclaimed: Mapping[int, datetime] | None = None,
    read_at: datetime | None = None,
    future: datetime | None = None,
    listed: Mapping[int, str] | None = None,
) -> list[Move]:
    """Write one row an order and return those that changed hands; a row that is newer than what is given stays.

    `unclaimed` are the moments of events that no live change carries yet. Products that are known stay known when the
    order is read without its lines. An order without a status says nothing of whether it counts.
    `read_at` is when they were read from the store itself: then what was gone before is there again. None is for what
    was sent to us, which may be old. `future` is that of store_clock.
    """
    kept = unclaimed or {}
    orders = [order for order in orders if order.status]
    rows = {
        order.id: row(connector_id, order) | {"reached_at": kept.get(order.id)}
        for order in sorted(orders, key=lambda o: o.modified_at or _NEVER)
    }
    if not rows:
        return []
    now_keys = account_addresses.current(session, connector_id, {str(each["person_key"]) for each in rows.values()})
    for number, each in rows.items():
        own, each["person_key"] = each["person_key"], now_keys.get(each["person_key"], each["person_key"])
        if listed is not None:
            each["listed"] = ledger_stamps.of(each, listed[number]) if own == each["person_key"] else ""
    moves = _moves(session, connector_id, orders, rows, future)
    bound = {"seen_read_at": read_at, "seen_future": future}
    taken = _taken_over if listed is None else _taken_from_list
    upsert(session, LedgerEntry, list(rows.values()), taken, where=_is_not_older, bound=bound)
    return moves


def _taken_over(table: Table, new: ColumnCollection[str, Any]) -> dict[str, Any]:
    """Return what an order's row gets; products that are not told now stay as they are known."""
    names = [column.name for column in table.c if column.name not in (*_KEY, "listed")]
    return {name: new[name] for name in names} | {"products": func.coalesce(new["products"], table.c.products)}


def _taken_from_list(table: Table, new: ColumnCollection[str, Any]) -> dict[str, Any]:
    return _taken_over(table, new) | {"listed": new["listed"]}


def _is_not_older(table: Table, new: ColumnCollection[str, Any]) -> ColumnElement[bool]:
    """Tell which sightings are taken; what is gone comes back by a newer one, or by having been read since.

    Without a future, and where nothing was read, what is compared with these is neither true nor false.
    """
    read_at, future = (bindparam(name, type_=table.c.gone_at.type) for name in ("seen_read_at", "seen_future"))
    kept, gone = table.c.status != GONE, table.c.status == GONE
    set_back = and_(table.c.modified_at > future, new.modified_at <= future)
    undated = (table.c.modified_at.is_(None), new.modified_at.is_(None))
    not_older = or_(*undated, table.c.modified_at <= new.modified_at, set_back)
    read_since = func.coalesce(table.c.gone_at, read_at) <= read_at
    back = or_(table.c.modified_at < new.modified_at, set_back, read_since)
    return or_(and_(kept, not_older), and_(gone, back))


def _moves(
    session: Session,
    connector_id: int,
    orders: Sequence[Order],
    rows: Mapping[int, Mapping[str, Any]],
    future: datetime | None,
) -> list[Move]:
    """Return the orders that belong to another person in the ledger, and counted there until now."""
    given = {order.id: order for order in orders}
    values = {"connector_id": connector_id, "ids": list(rows)}
    return [
        Move(given[number], person_key)
        for number, person_key, at in session.execute(_OWNED, values).tuples()
        if person_key != rows[number]["person_key"] and not is_older(rows[number]["modified_at"], at, future)
    ]


def unknown(session: Session, connector_id: int, ids: Sequence[int]) -> list[int]:
    """Return those of these orders that the ledger does not have."""
    if not ids:
        return []
    found = select(LedgerEntry.order_id).where(
        LedgerEntry.connector_id == connector_id, among(LedgerEntry.order_id, ids), LedgerEntry.status != GONE
    )
    known = set(session.scalars(found))
    return [number for number in ids if number not in known]


def person_of(session: Session, connector_id: int, order_id: int) -> str:
    """Return the person key of an order, "" when it was never seen."""
    entry = session.get(LedgerEntry, (connector_id, order_id))
    return entry.person_key if entry is not None else ""


def remove(
    session: Session,
    connector_id: int,
    order_id: int,
    at: datetime | None,
    gone_at: datetime | None = None,
    future: datetime | None = None,
) -> str:
    """Mark an order as gone, so that it counts nowhere; return its person key, "" when it was never seen.

    `at` is when it went by the store's clock, None where that is not told: our own may be wrong against the store's,
    and what the store says of the order later would look older. What was changed since `at` is there again, and so is
    what is read from the store after `gone_at`, which is by our clock and given where the store itself has said now
    that the order is gone, whatever it dates that to. `future` is that of store_clock.
    """
    entry = session.get(LedgerEntry, (connector_id, order_id))
    if entry is None:
        return ""
    older = is_older(at, entry.modified_at, future)
    if gone_at is not None or not older:
        entry.status = GONE
        entry.modified_at = entry.modified_at if older else at or entry.modified_at
        entry.gone_at = gone_at
    return entry.person_key


def row(connector_id: int, order: Order) -> dict[str, Any]:
    """Return the ledger's values for an order as it is now."""
    lines = [[item.name, item.sku, item.product_id] for item in order.items]
    return {
        "connector_id": connector_id,
        "order_id": order.id,
        "person_key": person_key_of(order.email) if visible(order.email) else "",
        "status": order.status,
        "net_total": str(order.net_total),
        "refunded": bool(order.refunds) and money.rounded(order.net_total, order.currency) == 0,
        "currency": order.currency,
        "ordered_at": order.created_at,
        "local_date": order.local_date,
        "modified_at": order.modified_at,
        "products": lines if lines or order.lines_read else None,
        "gone_at": None,
    }


def place(order: Order) -> tuple[datetime, int]:
    """Return what orders are sorted by: when they were placed, then the id."""
    return order.created_at or _NEVER, order.id
