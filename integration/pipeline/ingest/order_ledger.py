"""Keeps the order ledger and sums a person's lifetime values from it (P38)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnCollection

from integration import money
from integration.identity import person_key_of, visible
from integration.models.ledger import LedgerEntry
from integration.models.membership import among
from integration.models.sql import upsert
from integration.pipeline.ingest import account_addresses, currency_totals, ledger_stamps
from integration.pipeline.ingest.store_clock import is_older
from integration.plans import Lifetime
from integration.records import LineItem, Order, OtherOrder

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = ("connector_id", "order_id")
GONE = "trash"
_OWNED = select(LedgerEntry.order_id, LedgerEntry.person_key, LedgerEntry.modified_at).where(
    LedgerEntry.connector_id == bindparam("connector_id"),
    among(LedgerEntry.order_id, bindparam("ids")),
    LedgerEntry.person_key != "",
    LedgerEntry.status != GONE,
)
_OF_PEOPLE = select(LedgerEntry).where(
    LedgerEntry.connector_id == bindparam("connector_id"), among(LedgerEntry.person_key, bindparam("person_keys"))
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


def _place(row: LedgerEntry) -> tuple[datetime, int]:
    return row.ordered_at or _NEVER, row.order_id


STATUS, REFUNDED, CURRENCY = "status", "refunded", "currency"


def left_out(row: LedgerEntry, paid: Collection[str], currency: str) -> str:
    """Return why an order is not in its person's lifetime values: "status", "refunded" or "currency", "" if it is."""
    if row.status not in paid:
        return STATUS
    if row.refunded:
        return REFUNDED
    return CURRENCY if currency and (row.currency or currency) != currency else ""


#: Which orders are looked at: a condition on their rows.
Among = Callable[[LedgerEntry], bool]


def is_there(row: LedgerEntry) -> bool:
    """Return whether the order is neither deleted nor in the store's trash."""
    return row.status != GONE


class People:
    """The ledger rows of some people: their lifetime values and their newest order."""

    def __init__(self, session: Session, connector_id: int, person_keys: Iterable[str]) -> None:
        self._rows: dict[str, list[LedgerEntry]] = {}
        values = {"connector_id": connector_id, "person_keys": sorted(set(person_keys))}
        for row in session.scalars(_OF_PEOPLE, values):
            self._rows.setdefault(row.person_key, []).append(row)

    def lifetime(self, person_key: str, paid: Iterable[str], currency: str, decimals: int | None = None) -> Lifetime:
        """Return the sums over the person's paid orders that are in the shop's currency; `decimals` are the shop's.

        A fully refunded order counts nowhere; other currencies are counted apart. An order without a currency has the
        shop's. While the shop's is not known, orders in one currency are added up, orders in several are not.
        """
        paid = frozenset(paid)
        found = [(row, left_out(row, paid, currency)) for row in self._rows.get(person_key, [])]
        own = [row for row, why in found if not why]
        totals = currency_totals.of([row for row, why in found if why in ("", CURRENCY)], currency, decimals)
        currencies = {row.currency or currency for row in own}
        if len(currencies) > 1:
            return Lifetime(unsure=tuple(sorted(currencies)), by_currency=totals)
        currency = currency or next(iter(currencies), "")
        dated = sorted((r for r in own if r.ordered_at), key=lambda r: (r.ordered_at or _NEVER, r.order_id))
        nets = (money.rounded(Decimal(r.net_total), currency, decimals) for r in own)
        return Lifetime(
            total_spent=sum(nets, Decimal(0)),
            order_count=len(own),
            first_order_at=dated[0].ordered_at if dated else None,
            last_order_at=dated[-1].ordered_at if dated else None,
            other_currencies=sum(why == CURRENCY for _, why in found),
            currency=currency,
            decimals=decimals,
            first_day=dated[0].local_date if dated else "",
            last_day=dated[-1].local_date if dated else "",
            by_currency=totals,
        )

    def others(self, person_key: str, order_id: int) -> list[OtherOrder]:
        """Return the person's orders beside one, without those that are gone."""
        rows = (r for r in self._rows.get(person_key, []) if r.order_id != order_id and r.status != GONE)
        return [OtherOrder(r.status, _items(r.products)) for r in rows]

    def rows(self, person_key: str) -> list[LedgerEntry]:
        """Return a person's orders, newest first."""
        return sorted(self._rows.get(person_key, []), key=_place, reverse=True)

    def row(self, person_key: str, order_id: int) -> LedgerEntry | None:
        """Return the person's order of this id, gone or not, None where it is not theirs."""
        return next((row for row in self._rows.get(person_key, []) if row.order_id == order_id), None)

    def is_latest(self, person_key: str, order: Order) -> bool:
        """Return whether this is the newest sighting of the person's newest order."""
        return self.is_newest(person_key, order) and not self.overtaken(person_key, order)

    def is_newest(self, person_key: str, order: Order, among: Among = is_there) -> bool:
        """Return whether no other order of the person, of those that fit `among`, is newer, by order date and id."""
        newest = self.newest(person_key, among)
        return newest is None or _place(newest) <= place(order)

    def newest(self, person_key: str, among: Among) -> LedgerEntry | None:
        """Return the newest of the person's orders that fit, None without one."""
        return next((row for row in self.rows(person_key) if among(row)), None)

    def is_newer(self, person_key: str, order_id: int, order: Order) -> bool:
        """Return whether the person's order of this id is there still, and newer than another one."""
        row = self.row(person_key, order_id)
        return row is not None and is_there(row) and _place(row) > place(order)

    def overtaken(self, person_key: str, order: Order) -> str:
        """Return the status in which the order was seen since, "" when this is its newest sighting.

        The store's clock has seconds only: of two sightings in one second the ledger's status is the newer.
        """
        row = self.row(person_key, order.id)
        if row is None or not is_there(row) or row.modified_at is None or order.modified_at is None:
            return ""
        same = row.modified_at == order.modified_at and row.status == order.status
        return "" if same or row.modified_at < order.modified_at else row.status


def _items(products: Sequence[Sequence[Any]] | None) -> tuple[LineItem, ...] | None:
    if products is None:
        return None
    return tuple(LineItem(str(name), int(number), sku=str(sku)) for name, sku, number in products)
