"""How a person's lifetime values were added up, order by order (X13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import money, streams
from integration.mapping import lifetime as lifetimes
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.pipeline.connectors import store_profile
from integration.pipeline.ingest import buyers, order_ledger
from integration.pipeline.ingest.known_order import KnownOrder
from integration.plans import CurrencyTotal, Lifetime
from integration.record_ids import given_of, number_of
from integration.settings import Modules, where

ORDERS_MAX_ROWS = 100
_NUMBERS = 500


@dataclass(frozen=True, slots=True)
class Share:
    """What one order adds to the sum: `net` in `currency`, less all refunds, rounded; `why` it is not counted."""

    order_id: int
    number: str
    status: str
    net: Decimal
    currency: str
    ordered_at: datetime | None
    why: str

    @property
    def amount(self) -> str:
        """Return the net in plain digits."""
        return f"{self.net:f}"

    @property
    def counted(self) -> bool:
        """Return whether the order is in the sum."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Sums:
    """A person's lifetime values in `currency` and the newest orders behind them; `more` counts those not listed."""

    lifetime: Lifetime
    currency: str
    shares: Sequence[Share]
    more: int = 0
    sent: bool = True

    @property
    def total(self) -> str:
        """Return the total in the currency's decimals."""
        return money.text(self.lifetime.total_spent, self.lifetime.currency, self.lifetime.decimals)

    @property
    def average(self) -> str:
        """Return the average in the currency's decimals."""
        return money.text(self.lifetime.average, self.lifetime.currency, self.lifetime.decimals)

    @property
    def by_currency(self) -> Sequence[CurrencyTotal]:
        """Return the sums by currency where the orders are in more than one, else nothing."""
        totals = self.lifetime.by_currency
        return totals if len(totals) > 1 else ()

    @property
    def unsure(self) -> str:
        """Return why the orders cannot be added up, "" if they can."""
        return lifetimes.unsure(self.lifetime.unsure) if self.lifetime.unsure else ""

    @property
    def zero(self) -> bool:
        """Return whether Mautic cannot be told: it ignores values below 1 and keeps what it had."""
        return self.sent and self.lifetime.total_spent < 1


def add_up(session: Session, connector: Connector, person_key: str) -> Sums:
    """Return how a person's values come about, from the order ledger by the settings as they are now."""
    modules = Modules.from_json(connector.settings)
    currency = str(connector.store_facts.get("currency") or "")
    people = buyers.People(session, connector.id, [person_key])
    rows = people.rows(person_key)
    numbers = _numbers(session, connector.id, person_key)
    paid = frozenset(modules.orders.paid_statuses)
    decimals = store_profile.shop(connector.store_facts).decimals
    lifetime = people.lifetime(person_key, paid, currency, decimals)
    reasons = [buyers.left_out(row, paid, currency) or (buyers.CURRENCY if lifetime.unsure else "") for row in rows]
    newest = list(zip(rows, reasons, strict=True))[:ORDERS_MAX_ROWS]
    shares = [_share(row, numbers, why, currency, decimals) for row, why in newest]
    sent = modules.orders.enabled and modules.orders.lifetime
    return Sums(lifetime, currency, shares, max(0, len(rows) - ORDERS_MAX_ROWS), sent)


def _numbers(session: Session, connector_id: int, person_key: str) -> dict[int | None, str]:
    """Return order id -> order number, which the ledger does not keep, from the newest records."""
    query = select(Delivery.source_id, Delivery.number, Delivery.kind).where(
        Delivery.connector_id == connector_id, Delivery.person_key == person_key
    )
    newest = session.execute(query.order_by((Delivery.id + 0).desc()).limit(_NUMBERS)).tuples()
    found = [(source_id, number) for source_id, number, kind in newest if kind in streams.kinds("in_ledger")]
    return {number_of(source_id): number or given_of(source_id) for source_id, number in found}


def _share(row: KnownOrder, numbers: Mapping[int | None, str], why: str, shop: str, decimals: int | None) -> Share:
    number = numbers.get(row.order_id) or str(row.order_id)
    currency = row.currency or shop
    net = money.rounded(Decimal(row.net_total), currency, decimals if currency == shop else None)
    said = _sentence(row, why, shop) if why else ""
    return Share(row.order_id, number, row.status, net, currency, row.ordered_at, said)


def _sentence(row: KnownOrder, why: str, currency: str) -> str:
    if row.status == order_ledger.GONE:
        return "It was deleted or lies in the store's trash."
    if why == buyers.STATUS:
        return f"Its status “{row.status}” is not one that counts as paid ({where('orders.paid_statuses')})."
    if why == buyers.REFUNDED:
        return "It was refunded in full."
    if not currency:
        return "The shop's currency is not known, so orders in several currencies are not added up."
    return f"It is in {row.currency or 'no currency'}, the shop counts in {currency}."
