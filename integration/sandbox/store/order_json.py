"""An order as the API shows it: the document with everything that follows from it."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import documents, rest_format
from integration.sandbox.store.money import SYMBOLS, amount
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.state import State
from integration.sandbox.store.times import gmt, local

EDITABLE = ("pending", "on-hold", "auto-draft")
PAYABLE = ("pending", "failed", "checkout-draft")
# The fields in the sequence WooCommerce writes them (woo:007); dates and what follows come in between.
BEFORE_CUSTOMER = (
    "discount_total",
    "discount_tax",
    "shipping_total",
    "shipping_tax",
    "cart_tax",
    "total",
    "total_tax",
)
AFTER_CUSTOMER = (
    "order_key",
    "billing",
    "shipping",
    "payment_method",
    "payment_method_title",
    "transaction_id",
    "customer_ip_address",
    "customer_user_agent",
    "created_via",
    "customer_note",
)
LINES = ("line_items", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines", "refunds")


def show(state: State, row: Row, root: str) -> dict[str, Any]:
    """Return the whole order as `GET /orders/{id}` does."""
    document = documents.of_order(state, row)
    shown: dict[str, Any] = {
        "id": row.id,
        "parent_id": document["parent_id"],
        "status": row.status,
        "currency": document["currency"],
        "version": document["version"],
        "prices_include_tax": document["prices_include_tax"],
        "date_created": local(row.created, state.zone),
        "date_modified": local(row.modified, state.zone),
        **{name: document[name] for name in BEFORE_CUSTOMER},
        "customer_id": row.customer_id,
        **{name: document[name] for name in AFTER_CUSTOMER},
        "date_completed": local(row.completed, state.zone),
        "date_paid": local(row.paid, state.zone),
        "cart_hash": document["cart_hash"],
        "number": str(row.id),
        "meta_data": sorted(document["meta_data"], key=lambda entry: str(entry["key"])),
        **{name: document[name] for name in LINES},
    }
    shown.update(_derived(state, row, document, root))
    return shown


def _derived(state: State, row: Row, document: dict[str, Any], root: str) -> dict[str, Any]:
    return {
        "payment_url": f"{_home(root)}/checkout/order-pay/{row.id}/?pay_for_order=true&key={document['order_key']}",
        "is_editable": row.status in EDITABLE,
        "needs_payment": row.status in PAYABLE and amount(document["total"]) > 0,
        "needs_processing": document["needs_processing"],
        "date_created_gmt": gmt(row.created),
        "date_modified_gmt": gmt(row.modified),
        "date_completed_gmt": gmt(row.completed),
        "date_paid_gmt": gmt(row.paid),
        "currency_symbol": SYMBOLS.get(document["currency"], document["currency"]),
        "_links": _links(row, root),
    }


def _home(root: str) -> str:
    return root.removesuffix("/wp-json").removesuffix("/index.php?rest_route=")


def _links(row: Row, root: str) -> dict[str, Any]:
    found = rest_format.links(root, "/wc/v3/orders", row.id)
    templates = f"{root}/wc/v3/orders/{row.id}/actions/email_templates"
    found["email_templates"] = [{"embeddable": True, "href": templates}]
    if row.customer_id:
        found["customer"] = [{"href": f"{root}/wc/v3/customers/{row.customer_id}"}]
    return found


def cheap(state: State, row: Row, wanted: set[str]) -> dict[str, Any] | None:
    """Return id, status, dates and customer without making the document, or None when more is wanted."""
    if not wanted <= _CHEAP:
        return None
    return {
        "id": row.id,
        "status": row.status,
        "date_created": local(row.created, state.zone),
        "date_modified": local(row.modified, state.zone),
        "customer_id": row.customer_id,
        "number": str(row.id),
        "date_created_gmt": gmt(row.created),
        "date_modified_gmt": gmt(row.modified),
        "date_completed_gmt": gmt(row.completed),
        "date_paid_gmt": gmt(row.paid),
    }


_CHEAP = {
    "id",
    "status",
    "date_created",
    "date_modified",
    "customer_id",
    "number",
    "date_created_gmt",
    "date_modified_gmt",
    "date_completed_gmt",
    "date_paid_gmt",
}
