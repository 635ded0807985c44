"""Recorded orders and customers as records, and the fields of a Mautic 5.2.1."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from integration.mapping.fields import needs
from integration.plans import Lifetime, MauticField
from integration.records import Address, Customer, LineItem, Order
from integration.settings import Modules

DATA = Path(__file__).parent / "data"

CORE = ("firstname", "lastname", "company", "address1", "address2", "city", "zipcode", "position")


def fields(modules: Modules | None = None) -> dict[str, MauticField]:
    """Return the contact fields of a Mautic in which all needed ones were created."""
    found = {alias: MauticField(alias, "text", alias.capitalize()) for alias in CORE}
    found["email"] = MauticField("email", "email", "Email")
    found["phone"] = MauticField("phone", "tel", "Phone")
    found["country"] = MauticField("country", "country", "Country", None)
    found["state"] = MauticField("state", "region", "State", None)
    for need in needs(modules or Modules()):
        found[need.alias] = MauticField(need.alias, need.type, need.label, None)
    return found


def orders() -> dict[str, Order]:
    """Return all recorded orders by what is odd about them."""
    return {name: _order(record) for name, record in _records("orders").items()}


def order(name: str = "guest") -> Order:
    """Return one recorded order."""
    return _order(_records("orders")[name])


def customers() -> dict[str, Customer]:
    """Return all recorded customers by what is odd about them."""
    return {name: _customer(record) for name, record in _records("customers").items()}


def customer(name: str = "plain") -> Customer:
    """Return one recorded customer."""
    return _customer(_records("customers")[name])


def lifetime(spent: str = "120.50", count: int = 2, others: int = 0) -> Lifetime:
    """Return lifetime values with a first order in January and a last in March 2026."""
    first, last = datetime(2026, 1, 5, 9, 30, tzinfo=UTC), datetime(2026, 3, 7, 23, 59, tzinfo=UTC)
    return Lifetime(Decimal(spent), count, first if count else None, last if count else None, others)


@cache
def _records(name: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return loaded


def _order(record: Mapping[str, Any]) -> Order:
    return Order(
        id=record["id"],
        number=record["number"],
        status=record["status"],
        currency=record["currency"],
        total=Decimal(record["total"]),
        billing=_address(record["billing"]),
        discount_total=Decimal(record["discount_total"]),
        coupons=tuple(line["code"] for line in record["coupon_lines"]),
        payment_method=html.unescape(record["payment_method_title"]),
        customer_id=record["customer_id"],
        items=tuple(_item(line) for line in record["line_items"]),
        refunds=tuple(abs(Decimal(refund["total"])) for refund in record["refunds"]),
        created_at=_at(record["date_created_gmt"]),
        local_date=record["date_created"][:10],
        modified_at=_at(record["date_modified_gmt"]),
        completed_at=_at(record["date_completed_gmt"]),
    )


def _item(line: Mapping[str, Any]) -> LineItem:
    return LineItem(
        name=html.unescape(line["name"]),
        product_id=line["product_id"],
        variation_id=line["variation_id"],
        sku=line["sku"] or "",
        price=Decimal(str(line["price"])),
        quantity=Decimal(str(line["quantity"])),
        total=Decimal(line["total"]),
    )


def _customer(record: Mapping[str, Any]) -> Customer:
    return Customer(
        id=record["id"],
        email=record["email"],
        first_name=html.unescape(record["first_name"]),
        last_name=html.unescape(record["last_name"]),
        role=record["role"],
        billing=_address(record["billing"]),
        modified_at=_at(record["date_modified_gmt"]),
    )


def _address(record: Mapping[str, str]) -> Address:
    names = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state")
    names += ("postcode", "country", "email", "phone")
    return Address(**{name: html.unescape(record.get(name) or "") for name in names})


def _at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
