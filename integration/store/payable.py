"""Orders that wait for their payment, and the page on which they are paid (storefront:094 to storefront:098)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integration.errors import MappingError, Rejected
from integration.mapping.cart_orders import UNFINISHED
from integration.mapping.orders import DRAFTS
from integration.store.answers import unreadable
from integration.store.client import StoreClient
from integration.store.record_fields import Fields
from integration.store.unfinished import FIELDS, Unfinished, unfinished

#: Statuses in which somebody is asked for money; a draft has an address to pay at too, and nobody has placed it.
AWAITING = tuple(status for status in UNFINISHED if status not in DRAFTS)


@dataclass(frozen=True, slots=True)
class Payable:
    """An order that can be paid, and its pay page: who has that address has the order's key, so it is kept nowhere."""

    order: Unfinished
    url: str = field(repr=False)


def read_payable(client: StoreClient, order_id: int) -> Payable | None:
    """Return an order as the store has it now, None when it is not to be paid, or no more. Raises ServiceError."""
    try:
        value, answer = client.get(f"orders/{order_id}", {"_fields": f"{FIELDS},needs_payment"})
    except Rejected as error:
        if error.code == "gone":
            return None
        raise
    if not isinstance(value, Mapping):
        raise unreadable(answer)
    return _payable(value, order_id)


def _payable(row: Mapping[str, Any], order_id: int) -> Payable | None:
    try:
        order = unfinished(row)
    except MappingError:
        return None
    url = Fields(row).text("payment_url")
    waits = order.id == order_id and order.status in AWAITING and row.get("needs_payment") is not False
    return Payable(order, url) if waits and url else None
