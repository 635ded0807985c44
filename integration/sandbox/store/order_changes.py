"""What happens to orders, whoever does it: each act moves date_modified and queues the webhooks as recorded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from integration.sandbox.store import accounts, coupon_use, documents, money
from integration.sandbox.store.addresses import fill
from integration.sandbox.store.order_building import TEXTS, compose, meta
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.state import State
from integration.sandbox.store.statuses import label

PAID = ("processing", "completed")
STOCK_TAKEN = ("processing", "completed", "on-hold")
TRASH_MARKS = ("_wp_trash_meta_status", "_wp_trash_meta_time")


def create(state: State, fields: dict[str, Any], via: str) -> Row:
    """Put a new order in; it sends order.created and order.updated, and product.updated for stock (woo:330 to
    woo:332).
    """
    now = state.now()
    document = compose(state, fields, via)
    row = Row(state.next_id("post"), str(fields.get("status") or "pending"), now, now, document=document)
    row.customer_id = int(fields.get("customer_id") or 0)
    row.email = document["billing"]["email"]
    row.paid = now if row.status in PAID or fields.get("set_paid") else None
    row.completed = now if row.status == "completed" else None
    state.orders.add(row)
    state.changed("order.created", row.id)
    state.changed("order.updated", row.id)
    _take_stock(state, row)
    if row.status == "completed":
        _customer_paid(state, row)
    return row


def edit(state: State, row: Row, fields: dict[str, Any]) -> Row:
    """Change an order; a PUT that changes nothing still moves date_modified and sends order.updated (woo:336)."""
    document = documents.own_of_order(state, row)
    for name in (name for name in TEXTS if name in fields):
        document[name] = str(fields[name] or "")
    for name in ("billing", "shipping"):
        document[name] = fill(document[name], fields.get(name))
    document["meta_data"] = meta(state, document["meta_data"], fields.get("meta_data"))
    row.email = document["billing"]["email"]
    row.customer_id = int(fields.get("customer_id", row.customer_id) or 0)
    moved = bool(fields.get("status")) and fields["status"] != row.status
    if moved:
        _set_status(state, row, str(fields["status"]))
    state.orders.touch(row, state.now())
    state.changed("order.updated", row.id)
    _take_stock(state, row)
    if moved and row.status == "completed":
        _customer_paid(state, row)
    return row


def _set_status(state: State, row: Row, status: str) -> None:
    before, row.status = row.status, status
    now = state.now()
    if status in PAID and row.paid is None:
        row.paid = now
    if status == "completed":
        row.completed = now
    if status == "cancelled" and before not in (status, "trash"):
        coupon_use.give_back(state, row)
    elif before == "cancelled" and status != before:
        coupon_use.take(state, row)
    note(state, row.id, f"Order status changed from {label(before)} to {label(status)}.")


def settle(state: State, row: Row, status: str, paid: bool) -> None:
    """Give an order that is being placed its status, take the stock, and note when it was paid, if it was.

    Cash on delivery is processing without a date of payment (storefront:067); no webhook of an order is sent.
    """
    moment = row.paid
    _set_status(state, row, status)
    row.paid = state.now() if paid else moment
    state.orders.touch(row, state.now())
    _take_stock(state, row)


def _take_stock(state: State, row: Row) -> None:
    if row.status not in STOCK_TAKEN:
        return
    for line in documents.own_of_order(state, row)["line_items"]:
        product = state.product(line["variation_id"] or line["product_id"])
        taken = any(entry["key"] == "_reduced_stock" for entry in line["meta_data"])
        if product and product["manage_stock"] and not taken:
            _take(state, row, line, product)


def _take(state: State, row: Row, line: dict[str, Any], product: dict[str, Any]) -> None:
    count = str(line["quantity"])
    mark = {"id": state.next_id("item_meta"), "key": "_reduced_stock", "value": count}
    line["meta_data"].append({**mark, "display_key": "_reduced_stock", "display_value": count})
    before = product["stock_quantity"] or 0
    product["stock_quantity"] = before - line["quantity"]
    product["modified"] = state.now()
    note(
        state, row.id, f"Stock levels reduced: {product['name']} ({product['sku']}) {before}&rarr;{before - int(count)}"
    )
    state.changed("product.updated", product.get("parent_id") or product["id"])


def _customer_paid(state: State, row: Row) -> None:
    person = state.people.get(row.customer_id)
    if person:
        documents.own_of_person(person)["is_paying_customer"] = True
        accounts.touch(state, person)


def note(
    state: State, number: int, text: str, to_customer: bool = False, author: str = "WooCommerce"
) -> dict[str, Any]:
    """Write an order note; no webhook is sent."""
    entry = {
        "id": state.next_id("note"),
        "author": author,
        "created": state.now(),
        "note": text,
        "customer_note": to_customer,
    }
    state.notes.setdefault(number, []).append(entry)
    state.changed()
    return entry


def refund(state: State, row: Row, amount: str, reason: str = "") -> dict[str, Any]:
    """Pay money back and return the refund as stored; order.refunds gets a negative string (woo:071 to woo:073)."""
    document = documents.own_of_order(state, row)
    paid_back = sum((-money.amount(each["total"]) for each in document["refunds"]), Decimal(0))
    full = paid_back + money.amount(amount) >= money.amount(document["total"])
    entry = {
        "id": state.next_id("post"),
        "parent_id": row.id,
        "created": state.now(),
        "amount": money.text(money.amount(amount)),
        "reason": reason,
        "meta_data": [{"id": state.next_id("meta"), "key": "_refund_type", "value": "full" if full else "partial"}],
    }
    state.refunds.setdefault(row.id, []).append(entry)
    document["refunds"].append({"id": entry["id"], "reason": reason, "total": money.text(-money.amount(amount))})
    if full:
        _set_status(state, row, "refunded")
    state.orders.touch(row, state.now())
    state.changed("order.updated", row.id)
    return entry


def trash(state: State, row: Row) -> None:
    """Move an order to the trash: date_modified moves (452), order.deleted is sent and nothing else (woo:338)."""
    now = state.now()
    marks = {"_wp_trash_meta_status": f"wc-{row.status}", "_wp_trash_meta_time": str(now)}
    document = documents.own_of_order(state, row)
    document["meta_data"] += [{"id": state.next_id("meta"), "key": key, "value": value} for key, value in marks.items()]
    row.status = "trash"
    state.orders.touch(row, now)
    state.changed("order.deleted", row.id)


def restore(state: State, row: Row) -> None:
    """Take an order out of the trash: order.restored is sent with the full order (woo:339).

    A PUT with a status does so too, but leaves the marks of the trash in the meta data (woo:456).
    """
    marks = {entry["key"]: entry["value"] for entry in documents.own_of_order(state, row)["meta_data"]}
    _forget_trash(state, row)
    _set_status(state, row, str(marks.get("_wp_trash_meta_status", "wc-pending")).removeprefix("wc-"))
    state.orders.touch(row, state.now())
    state.changed("order.restored", row.id)


def _forget_trash(state: State, row: Row) -> None:
    document = documents.own_of_order(state, row)
    document["meta_data"] = [entry for entry in document["meta_data"] if entry["key"] not in TRASH_MARKS]


def delete(state: State, row: Row) -> None:
    """Delete an order for good: no order webhook is sent, only customer.updated of its buyer (woo:340)."""
    state.orders.remove(row)
    state.notes.pop(row.id, None)
    state.refunds.pop(row.id, None)
    state.changed()
    person = state.people.get(row.customer_id)
    if person:
        paying = any(other.customer_id == person.id and other.status in PAID for other in state.orders)
        documents.own_of_person(person)["is_paying_customer"] = paying
        accounts.touch(state, person)
