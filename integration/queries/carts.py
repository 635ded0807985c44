"""What pages read of carts: one page of a list, the figures of a time, and how the weeks went (P62)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from integration.models.cart import Cart, CartEvent, CartState
from integration.queries.person_lists import PersonQuery
from integration.streams.carts import NEWER
from integration.url_filters import OneOf

WEEKS = 12
#: State -> its word and the colour of its badge.
STATES: Mapping[str, tuple[str, str]] = {
    CartState.ACTIVE: ("Active", "info"),
    CartState.ABANDONED: ("Abandoned", "warn"),
    CartState.SYNCED: ("In Mautic", "ok"),
    CartState.RECOVERED: ("Recovered", "ok"),
    CartState.BOUGHT: ("Bought before", "muted"),
    CartState.EXPIRED: ("Expired", "muted"),
    CartState.NO_CONSENT: ("No consent", "muted"),
}
#: States of carts that were left, whatever became of them.
_LEFT = (CartState.ABANDONED, CartState.SYNCED, CartState.RECOVERED, CartState.EXPIRED)


class CartQuery(PersonQuery):
    """Which carts a list shows."""

    state: Annotated[str, OneOf(tuple(STATES))] = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the carts of a time: how many were left, came back, and were spared a reminder.

    `spared` were bought before they were sent; `revenue` maps a currency to the sum of the orders that recovered carts.
    """

    states: Mapping[str, int] = field(default_factory=dict)
    announced: int = 0
    spared: int = 0
    revenue: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """Return how many were left, whatever became of them afterwards."""
        return sum(self.states.get(state, 0) for state in _LEFT)

    @property
    def recovered(self) -> int:
        """Return how many came back after they were in Mautic."""
        return self.states.get(CartState.RECOVERED, 0)

    @property
    def rate(self) -> float | None:
        """Return recovered ÷ announced in percent, None while nothing was announced."""
        return 100 * self.recovered / self.announced if self.announced else None


@dataclass(frozen=True, slots=True)
class Week:
    """A week from Monday on: the carts first seen in it."""

    first: date
    figures: Figures


def story(session: Session, cart: Cart) -> Sequence[CartEvent]:
    """Return what happened to a cart, oldest first."""
    return session.scalars(select(CartEvent).where(CartEvent.cart_id == cart.id).order_by(CartEvent.id)).all()


def figures(session: Session, connector_id: int, begin: datetime, end: datetime) -> Figures:
    """Return what became of the carts that were first seen from `begin` to before `end`.

    One that has given way to a newer cart of the same person is not counted: it is one person who left.
    """
    of_then = (Cart.created_at >= begin, Cart.created_at < end)
    mine = (Cart.connector_id == connector_id, *of_then, Cart.reason != NEWER.code)
    counted = select(Cart.state, func.count(), func.count(Cart.synced_at)).where(*mine).group_by(Cart.state)
    rows = session.execute(counted).tuples().all()
    return Figures(
        {state: number for state, number, _ in rows},
        sum(synced for _, _, synced in rows),
        sum(number - synced for state, number, synced in rows if state == CartState.BOUGHT),
        _revenue(session, mine),
    )


def weeks(session: Session, connector_id: int, now: datetime, zone: ZoneInfo) -> list[Week]:
    """Return the last twelve weeks, this one included, oldest first."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    firsts = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    return [Week(first, figures(session, connector_id, *_bounds(first, zone))) for first in firsts]


def _bounds(first: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return datetime.combine(first, time(), zone), datetime.combine(first + timedelta(weeks=1), time(), zone)


def _revenue(session: Session, mine: Sequence[ColumnElement[bool]]) -> dict[str, Decimal]:
    """Return the sums by currency: amounts are kept as text, so that none loses a digit."""
    query = select(Cart.revenue_currency, Cart.revenue).where(*mine, Cart.state == CartState.RECOVERED)
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in session.execute(query).tuples():
        sums[currency] += Decimal(amount or "0")
    return dict(sums)
