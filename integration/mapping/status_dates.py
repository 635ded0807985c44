"""When an order reached its status, as far as the store's own dates tell."""

from __future__ import annotations

from datetime import datetime

from integration.records import Order

#: An order may come to these long after it was placed; WooCommerce keeps no date for them.
_LATE = ("completed", "cancelled", "refunded", "failed")


def kept(order: Order) -> datetime | None:
    """Return the date that the store keeps for the order's status, None for a status without one.

    date_completed is set anew each time, date_paid the first time only (woo:330-339).
    """
    return {"completed": order.completed_at, "processing": order.paid_at}.get(order.status)


def first(order: Order) -> datetime | None:
    """Return when an order that nobody saw before reached its status, None when that cannot be known.

    Without a date of its own a status counts from the order's beginning, and one that ends an order from its last
    change, which may be any other change: the caller must not believe it of an old order.
    """
    return kept(order) or (order.modified_at if order.status in _LATE else order.created_at)


def any_known(order: Order) -> datetime | None:
    """Return the date of the status, as near as the store tells."""
    return kept(order) or order.modified_at or order.created_at
