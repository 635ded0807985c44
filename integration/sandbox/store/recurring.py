"""The subscriptions of a shop with WooCommerce Subscriptions: rows like orders, kept beside them.

Made after the plugin's public source, not after a recording: its controller is that of orders with another type, other
statuses, and some fields more. A shop has them when `State.has_subscriptions` says so.
"""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import order_json, rest_format
from integration.sandbox.store.order_building import compose
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.problems import unknown
from integration.sandbox.store.state import State
from integration.sandbox.store.times import gmt

STATUSES = ("pending", "active", "on-hold", "cancelled", "switched", "expired", "pending-cancel")
#: What the schema of orders has and that of subscriptions has not.
_NOT_THEIRS = ("transaction_id", "refunds", "cart_hash")


def find(state: State, number: int) -> Row:
    """Return a subscription by id; raises Refused 404."""
    row = state.subscriptions.get(number)
    if row is None:
        raise unknown("shop_subscription")
    return row


def begin(state: State, fields: dict[str, Any]) -> Row:
    """Put a new subscription in: fields as in `POST /subscriptions`."""
    now = state.now()
    document = compose(state, fields, "checkout")
    row = Row(state.next_id("post"), str(fields.get("status") or "pending"), now, now, document=document)
    row.customer_id = int(fields.get("customer_id") or 0)
    row.email = document["billing"]["email"]
    state.subscriptions.add(row)
    state.changed("subscription.created", row.id)
    return row


def change(state: State, row: Row, status: str) -> None:
    """Set a subscription's status; subscription.updated is sent."""
    row.status = status
    state.subscriptions.touch(row, state.now())
    state.changed("subscription.updated", row.id)


def delete(state: State, row: Row) -> None:
    """Delete a subscription; subscription.deleted is sent."""
    state.subscriptions.remove(row)
    state.changed("subscription.deleted", row.id)


def show(state: State, row: Row, root: str) -> dict[str, Any]:
    """Return the whole subscription as `GET /subscriptions/{id}` does."""
    shown = {name: value for name, value in order_json.show(state, row, root).items() if name not in _NOT_THEIRS}
    shown["_links"] = rest_format.links(root, "/wc/v3/subscriptions", row.id)
    dates = {"start_date_gmt": gmt(row.created), "next_payment_date_gmt": "", "end_date_gmt": ""}
    return {**shown, "billing_period": "month", "billing_interval": "1", **dates}
