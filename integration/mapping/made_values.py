"""Values for a person's own mapping that are made of a whole record: items as text, their number, the payment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration.mapping.order_data import date_of, quantity
from integration.mapping.text import clean
from integration.records import Cart, Customer, Order

Record = Customer | Order | Cart


def made(record: Record, name: str) -> Any:
    """Return the value of a record by its name in settings.mapping.MADE_VALUES, None for one it does not have."""
    make = _BY_RECORD[type(record)].get(name)
    return make(record) if make else None


def _lines(record: Any) -> list[tuple[str, str, Decimal]]:
    """Return name, SKU and quantity of each line that has a name."""
    lines = record.lines if isinstance(record, Cart) else record.items
    named = [(clean(line.name), clean(getattr(line, "sku", "")), line.quantity) for line in lines]
    return [line for line in named if line[0]]


def _items_text(record: Any) -> str:
    return ", ".join(f"{quantity(many)} × {name}" for name, _, many in _lines(record))


def _item_names(record: Any) -> list[str]:
    return list(dict.fromkeys(name for name, _, _ in _lines(record)))


def _item_skus(record: Any) -> list[str]:
    return list(dict.fromkeys(sku for _, sku, _ in _lines(record) if sku))


def _item_count(record: Any) -> int | float:
    lines = record.lines if isinstance(record, Cart) else record.items
    return quantity(sum((line.quantity for line in lines), Decimal(0)))


def _full_name(customer: Any) -> str:
    first = customer.first_name or customer.billing.first_name
    last = customer.last_name or customer.billing.last_name
    return f"{first} {last}".strip()


def _day(at: datetime | None) -> str:
    return at.date().isoformat() if at else ""


_ITEMS: Mapping[str, Callable[[Any], Any]] = {
    "items_text": _items_text,
    "item_names": _item_names,
    "item_count": _item_count,
}
_BY_RECORD: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    Customer: {"full_name": _full_name, "registered_on": lambda customer: _day(customer.created_at)},
    Order: {
        **_ITEMS,
        "item_skus": _item_skus,
        "coupons": lambda order: list(order.coupons),
        "payment_method": lambda order: order.payment_method,
        "order_number": lambda order: order.number,
        "order_date": date_of,
        "net_total": lambda order: f"{order.net_total:f}",
    },
    Cart: _ITEMS,
}
