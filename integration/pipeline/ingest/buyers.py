"""What the order ledger says of some people: their lifetime values and their newest order (P38)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.orm import Session

from integration import money
from integration.models.ledger import LedgerEntry
from integration.models.membership import among
from integration.models.sql import table_of
from integration.pipeline.ingest import currency_totals
from integration.pipeline.ingest.known_order import KnownOrder
from integration.pipeline.ingest.order_ledger import GONE, place
from integration.plans import Lifetime
from integration.records import LineItem, Order, OtherOrder

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_TABLE = table_of(LedgerEntry)
_OF_PEOPLE = select(
    *(_TABLE.c[name] for name in KnownOrder._fields if name != "lines"), cast(_TABLE.c.products, Text)
).where(_TABLE.c.connector_id == bindparam("connector_id"), among(_TABLE.c.person_key, bindparam("person_keys")))


def _place(row: KnownOrder) -> tuple[datetime, int]:
    return row.ordered_at or _NEVER, row.order_id


STATUS, REFUNDED, CURRENCY = "status", "refunded", "currency"


def left_out(row: KnownOrder, paid: Collection[str], currency: str) -> str:
    """Return why an order is not in its person's lifetime values: "status", "refunded" or "currency", "" if it is."""
    if row.status not in paid:
        return STATUS
    if row.refunded:
        return REFUNDED
    return CURRENCY if currency and (row.currency or currency) != currency else ""


#: Which orders are looked at: a condition on their rows.
Among = Callable[[KnownOrder], bool]


def is_there(row: KnownOrder) -> bool:
    """Return whether the order is neither deleted nor in the store's trash."""
    return row.status != GONE


class People:
    """The ledger rows of some people: their lifetime values and their newest order."""

    def __init__(self, session: Session, connector_id: int, person_keys: Iterable[str]) -> None:
        self._rows: dict[str, list[KnownOrder]] = {}
        values = {"connector_id": connector_id, "person_keys": sorted(set(person_keys))}
        for row in map(KnownOrder._make, session.execute(_OF_PEOPLE, values)):
            self._rows.setdefault(row.person_key, []).append(row)
        for rows in self._rows.values():
            rows.sort(key=_place, reverse=True)

    def count_in(self, order: Order) -> None:
        """Take in an order as if the ledger had it; one that it has stays as it is."""
        row = KnownOrder.of(order)
        if self.row(row.person_key, row.order_id) is None:
            rows = self._rows.setdefault(row.person_key, [])
            rows.append(row)
            rows.sort(key=_place, reverse=True)

    def lifetime(self, person_key: str, paid: Iterable[str], currency: str, decimals: int | None = None) -> Lifetime:
        """Return the sums over the person's paid orders that are in the shop's currency; `decimals` are the shop's.

        A fully refunded order counts nowhere; other currencies are counted apart. An order without a currency has the
        shop's. While the shop's is not known, orders in one currency are added up, orders in several are not.
        """
        paid = frozenset(paid)
        found = [(row, left_out(row, paid, currency)) for row in self.rows(person_key)]
        own = [row for row, why in found if not why]
        totals = currency_totals.of([row for row, why in found if why in ("", CURRENCY)], currency, decimals)
        currencies = {row.currency or currency for row in own}
        if len(currencies) > 1:
            return Lifetime(unsure=tuple(sorted(currencies)), by_currency=totals)
        currency = currency or next(iter(currencies), "")
        dated = [row for row in own if row.ordered_at]
        nets = (money.rounded(Decimal(r.net_total), currency, decimals) for r in own)
        return Lifetime(
            total_spent=sum(nets, Decimal(0)),
            order_count=len(own),
            first_order_at=dated[-1].ordered_at if dated else None,
            last_order_at=dated[0].ordered_at if dated else None,
            other_currencies=sum(why == CURRENCY for _, why in found),
            currency=currency,
            decimals=decimals,
            first_day=dated[-1].local_date if dated else "",
            last_day=dated[0].local_date if dated else "",
            by_currency=totals,
        )

    def others(self, person_key: str, order_id: int) -> list[OtherOrder]:
        """Return the person's orders beside one, newest first, without those that are gone."""
        rows = (r for r in self.rows(person_key) if r.order_id != order_id and r.status != GONE)
        return [OtherOrder(r.status, _items(r.products)) for r in rows]

    def rows(self, person_key: str) -> Sequence[KnownOrder]:
        """Return a person's orders, newest first."""
        return self._rows.get(person_key, [])

    def row(self, person_key: str, order_id: int) -> KnownOrder | None:
        """Return the person's order of this id, gone or not, None where it is not theirs."""
        return next((row for row in self.rows(person_key) if row.order_id == order_id), None)

    def is_latest(self, person_key: str, order: Order) -> bool:
        """Return whether this is the newest sighting of the person's newest order."""
        return self.is_newest(person_key, order) and not self.overtaken(person_key, order)

    def is_newest(self, person_key: str, order: Order, among: Among = is_there) -> bool:
        """Return whether no other order of the person, of those that fit `among`, is newer, by order date and id."""
        newest = self.newest(person_key, among)
        return newest is None or _place(newest) <= place(order)

    def newest(self, person_key: str, among: Among) -> KnownOrder | None:
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
