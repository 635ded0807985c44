"""What buyers have done, summed by the database over the order ledger, and the quantiles of it.

The same orders count as in the lifetime values (P38): in a paid status, not refunded in full, in the shop's currency.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Numeric, Select, Subquery, case, cast, func, literal, select
from sqlalchemy.orm import Session

from integration.models.base import UtcDateTime
from integration.models.ledger import LedgerEntry

#: Classes of one figure; 5 is the best.
CLASSES = 5
#: Money is summed in ten-thousandths, as whole numbers: no currency has more decimals, and floats would part equals.
PARTS = 10_000
#: More than this in one order is counted as this, so that no sum of a person's orders breaks the column.
ORDER_MAX = 10**12
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Buyer:
    """One person: when they ordered last, how often they ordered, for how much in ten-thousandths."""

    person_key: str
    last_at: datetime
    orders: int
    spent: int


@dataclass(frozen=True, slots=True)
class Borders:
    """The four borders between the five classes of each figure: a class has what is above the border below it.

    A border is the smallest value that at least 20, 40, 60 or 80 in a hundred buyers do not exceed. Equal values are
    in one class, whatever that makes of its size.
    """

    last_at: tuple[datetime, ...]
    orders: tuple[int, ...]
    spent: tuple[int, ...]

    def classes(self, buyer: Buyer) -> tuple[int, int, int]:
        """Return recency, frequency and monetary of a buyer, 1 to 5."""
        return (
            1 + sum(buyer.last_at > border for border in self.last_at),
            1 + sum(buyer.orders > border for border in self.orders),
            1 + sum(buyer.spent > border for border in self.spent),
        )


@dataclass(frozen=True, slots=True)
class Counting:
    """Which orders of a connector count: in these statuses and this currency."""

    connector_id: int
    paid: Collection[str]
    currency: str

    def count(self, session: Session) -> int:
        """Return how many buyers there are."""
        return session.scalar(select(func.count()).select_from(self._buyers())) or 0

    def borders(self, session: Session, count: int) -> Borders:
        """Return the borders between the classes of so many buyers."""
        places = [-(-count * part // CLASSES) for part in range(1, CLASSES)]
        found = [self._at(session, name, places) for name in ("last_at", "orders", "spent")]
        return Borders(*(tuple(values) for values in found))

    def page(self, session: Session, after: str, size: int) -> list[Buyer]:
        """Return the next buyers by person key."""
        query = self._select(LedgerEntry.person_key > after).order_by(LedgerEntry.person_key).limit(size)
        return [
            Buyer(key, at or _NEVER, int(orders), int(spent))
            for key, at, orders, spent in session.execute(query).tuples()
        ]

    def _at(self, session: Session, name: str, places: Sequence[int]) -> list[Any]:
        """Return the values of a figure at these places, counted from 1, in the order of the figure."""
        buyers = self._buyers()
        ranked = select(buyers.c[name], func.row_number().over(order_by=buyers.c[name]).label("place")).subquery()
        query = select(ranked.c.place, ranked.c[name]).where(ranked.c.place.in_(sorted(set(places))))
        by_place = dict(session.execute(query).tuples().all())
        return [by_place[place] for place in places]

    def _buyers(self) -> Subquery:
        return self._select().subquery()

    def _select(self, *more: ColumnElement[bool]) -> Select[tuple[str, datetime | None, int, int]]:
        last_at = func.coalesce(func.max(LedgerEntry.ordered_at), literal(_NEVER, UtcDateTime()), type_=UtcDateTime())
        return (
            select(
                LedgerEntry.person_key,
                last_at.label("last_at"),
                func.count().label("orders"),
                cast(func.sum(_spent()), BigInteger).label("spent"),
            )
            .where(
                LedgerEntry.connector_id == self.connector_id,
                LedgerEntry.person_key != "",
                LedgerEntry.status.in_(sorted(self.paid)),
                LedgerEntry.refunded.is_(False),
                LedgerEntry.currency.in_([self.currency, ""]),
                *more,
            )
            .group_by(LedgerEntry.person_key)
        )


def _spent() -> ColumnElement[int]:
    net = cast(LedgerEntry.net_total, Numeric(38, 10))
    return cast(func.round(case((net > ORDER_MAX, literal(Decimal(ORDER_MAX))), else_=net) * PARTS), BigInteger)


def currencies(session: Session, connector_id: int, paid: Collection[str]) -> list[str]:
    """Return the currencies of the orders that count, but for the shop's."""
    query = select(LedgerEntry.currency).where(
        LedgerEntry.connector_id == connector_id, LedgerEntry.status.in_(sorted(paid)), LedgerEntry.refunded.is_(False)
    )
    return sorted(set(session.scalars(query.distinct())) - {""})
