"""Orders that nobody has placed or paid yet, as the carts that they are (storefront:056 to storefront:063)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from integration.mapping.cart_orders import CONSENT_META
from integration.records import CartLine
from integration.store import parse
from integration.store.meta_data import meta
from integration.store.record_fields import Fields
from integration.store.sanitizing import text_of

#: What is read of such an order; `line_items.product_id` would leave the lines out (storefront.md, "Draft orders").
FIELDS = ",".join(
    (
        "id",
        "status",
        "currency",
        "prices_include_tax",
        "customer_id",
        "billing.email",
        "date_created_gmt",
        "date_modified_gmt",
        "line_items",
        "meta_data",
        "payment_url",
    )
)


PAGE_MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class OrderedItem:
    """A line: the id of the variation, else of the product; the choices as people read them; the agreed prices."""

    id: int
    quantity: Decimal
    choices: tuple[tuple[str, str], ...]
    line: CartLine


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An unfinished order; `items` is None when it was read without its lines.

    `ticked` is None where the shop's own consent field is not there, else whether it is ticked. `page` is the path of
    the checkout, as the address to pay at has it (storefront:099), "" where it is not told.
    """

    id: int
    status: str
    email: str
    currency: str
    customer_id: int
    created_at: datetime | None
    modified_at: datetime | None
    items: tuple[OrderedItem, ...] | None
    ticked: bool | None
    page: str = ""


def unfinished(raw: Mapping[str, Any]) -> Unfinished:
    """Return an order as a cart; raises MappingError for one without an id or with dates that cannot be read."""
    fields = Fields(raw)
    with_tax = raw.get("prices_include_tax") is True
    lines = (_item(line, with_tax=with_tax) for line in fields.maps("line_items"))
    ticked = meta(raw).get(CONSENT_META)
    return Unfinished(
        id=parse.record_id(raw),
        status=fields.text("status"),
        email=parse.billing_email(raw).strip(),
        currency=fields.column("currency", parse.COLUMN_MAX_CHARS["currency"]).upper(),
        customer_id=fields.whole("customer_id"),
        created_at=fields.moment("date_created_gmt", decides=True),
        modified_at=fields.moment("date_modified_gmt", decides=True),
        items=tuple(item for item in lines if item.id and item.quantity > 0) if "line_items" in raw else None,
        ticked=None if ticked is None else text_of(ticked).strip() == "1",
        page=_checkout_of(fields.text("payment_url")),
    )


def _checkout_of(payment_url: str) -> str:
    """Return the path before the part that WooCommerce adds to its checkout to pay an order, "" without one."""
    try:
        path, found, _ = urlsplit(payment_url).path.partition("order-pay/")
    except ValueError:
        return ""
    return path if found and path.startswith("/") and len(path) <= PAGE_MAX_CHARS else ""


def _item(line: Fields, *, with_tax: bool) -> OrderedItem:
    product, variation = line.whole("product_id"), line.whole("variation_id")
    quantity = line.amount("quantity")
    total = line.amount("total") + (line.amount("total_tax") if with_tax else Decimal(0))
    price = total / quantity if quantity else total
    agreed = CartLine(line.words("name"), product, variation, quantity, price, total)
    return OrderedItem(variation or product, quantity, _choices(line) if variation else (), agreed)


def _choices(line: Fields) -> tuple[tuple[str, str], ...]:
    """Return what was chosen of a variation; meta data whose names begin with "_" are a plugin's own."""
    rows = [row for row in line.maps("meta_data") if not row.text("key").startswith("_")]
    named = ((row.words("display_key") or row.words("key"), row.words("display_value")) for row in rows)
    return tuple((name, value) for name, value in named if name and value)
