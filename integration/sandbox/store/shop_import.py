"""Taking items as the API shows them into a shop: the recorded ones, or those of another shop."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store.order_store import Row
from integration.sandbox.store.people import Person
from integration.sandbox.store.state import State
from integration.sandbox.store.times import from_gmt

ORDER_DERIVED = ("id", "status", "number", "customer_id", "payment_url", "is_editable", "needs_payment")
PERSON_OWN = ("first_name", "last_name", "username", "billing", "shipping", "is_paying_customer", "meta_data")


def order(state: State, shown: dict[str, Any]) -> Row:
    """Put an order in as `GET /orders/{id}` showed it; what follows from other fields is dropped and made anew."""
    dropped = (*ORDER_DERIVED, "currency_symbol", "_links")
    document = {name: value for name, value in shown.items() if name not in dropped and not name.startswith("date_")}
    created, modified = from_gmt(shown["date_created_gmt"]), from_gmt(shown["date_modified_gmt"])
    row = Row(shown["id"], shown["status"], created or 0, modified or 0, document=document)
    row.customer_id, row.email = shown["customer_id"], shown["billing"]["email"]
    row.paid, row.completed = from_gmt(shown["date_paid_gmt"]), from_gmt(shown["date_completed_gmt"])
    state.reach_id("post", row.id)
    held = state.orders.get(row.id)
    if held:
        state.orders.remove(held)
    return state.orders.add(row)


def person(state: State, shown: dict[str, Any], name: str = "") -> Person:
    """Put an account in as `GET /customers/{id}` showed it; `name` is what lists sort by."""
    made = Person(
        shown["id"],
        from_gmt(shown["date_created_gmt"]) or 0,
        shown["email"],
        name or f"{shown['first_name']} {shown['last_name']}",
        modified=from_gmt(shown["date_modified_gmt"]),
        role=shown["role"],
        document={field: shown[field] for field in PERSON_OWN},
    )
    state.reach_id("user", made.id)
    state.people[made.id] = made
    return made


def product(state: State, shown: dict[str, Any]) -> dict[str, Any]:
    """Put a product or variation in as the API showed it."""
    entry = _stored(shown)
    entry["path"] = "/" + entry.pop("permalink").partition("://")[2].partition("/")[2]
    state.products[entry["id"]] = entry
    state.reach_id("post", entry["id"])
    return entry


def coupon(state: State, shown: dict[str, Any]) -> dict[str, Any]:
    """Put a coupon in as the API showed it."""
    entry = _stored(shown)
    entry["expires"] = from_gmt(shown["date_expires_gmt"])
    for name in ("date_expires", "date_expires_gmt"):
        entry.pop(name)
    state.coupons[entry["id"]] = entry
    state.reach_id("post", entry["id"])
    return entry


def category(state: State, shown: dict[str, Any]) -> None:
    """Put a category in as the API showed it."""
    state.categories[shown["id"]] = {name: value for name, value in shown.items() if name != "_links"}


def webhook(state: State, shown: dict[str, Any], secret: str = "") -> dict[str, Any]:
    """Put a webhook in as the API showed it; the secret is never shown."""
    own = ("id", "name", "status", "topic", "delivery_url")
    entry = {name: shown[name] for name in own} | {"secret": secret, "failures": 0}
    entry |= {"created": from_gmt(shown["date_created_gmt"]), "modified": from_gmt(shown["date_modified_gmt"])}
    state.webhooks[entry["id"]] = entry
    state.reach_id("webhook", entry["id"])
    return entry


def refund(state: State, number: int, shown: dict[str, Any]) -> None:
    """Put a refund of an order in as the API showed it."""
    entry = {name: value for name, value in shown.items() if name != "_links" and not name.startswith("date_")}
    entry |= {"parent_id": number, "created": from_gmt(shown["date_created_gmt"])}
    state.refunds.setdefault(number, []).append(entry)


def note(state: State, number: int, shown: dict[str, Any]) -> None:
    """Put a note of an order in as the API showed it."""
    own = ("id", "author", "note", "customer_note")
    entry = {name: shown[name] for name in own} | {"created": from_gmt(shown["date_created_gmt"])}
    state.notes.setdefault(number, []).append(entry)


def _stored(shown: dict[str, Any]) -> dict[str, Any]:
    dates = ("date_created", "date_created_gmt", "date_modified", "date_modified_gmt", "_links")
    entry = {name: value for name, value in shown.items() if name not in dates}
    entry |= {"created": from_gmt(shown["date_created_gmt"]), "modified": from_gmt(shown["date_modified_gmt"])}
    return entry
