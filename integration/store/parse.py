"""The store's JSON as records and changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from html import unescape
from typing import Any

from integration.errors import MappingError
from integration.events import Change, Kind, Origin
from integration.identity import person_key_of, visible
from integration.mapping import field_map
from integration.mapping.contacts import email_among
from integration.records import Address, Customer, LineItem, Order
from integration.store.dates import lenient, moment
from integration.store.sanitizing import INTEGER_MAX, fitting, storable, text_of

Raw = Mapping[str, Any]

_ADDRESS = tuple(each.name for each in dataclasses.fields(Address))
DATE_FIELDS = ("date_created", "date_created_gmt", "date_modified_gmt", "date_paid_gmt", "date_completed_gmt")
#: Single values that order() reads, whatever the contact fields are.
ORDER_FIELDS = (
    "id",
    "number",
    "status",
    "currency",
    "total",
    "discount_total",
    "customer_id",
    "payment_method",
    "payment_method_title",
    "created_via",
    *DATE_FIELDS,
)
#: Single values that customer() reads.
CUSTOMER_FIELDS = ("id", "email", "first_name", "last_name", "role", "date_created_gmt", "date_modified_gmt")
#: What names a record goes into columns, which hold so many characters.
COLUMN_MAX_CHARS = {"number": 60, "status": 40, "currency": 10}
_SOURCE_ID_MAX_CHARS = 40
#: Python refuses to read longer numbers.
_DIGITS = 4000
_ITEM = ("name", "product_id", "variation_id", "sku", "price", "quantity", "total")
_BILLING = frozenset(f"billing.{name}" for name in _ADDRESS)
#: Paths whose value the record has as an attribute of the same name.
_ATTRIBUTES = {Kind.ORDER: _BILLING, Kind.CONTACT: _BILLING | {"first_name", "last_name", "email", "role"}}


def order(raw: Raw) -> Order:
    """Return an order; raises MappingError naming the field that cannot be read."""
    number = _id(raw)
    return Order(
        id=number,
        number=_named(raw, "number") or str(number),
        status=_named(raw, "status"),
        currency=_named(raw, "currency"),
        total=money(raw.get("total"), "total"),
        billing=address(raw.get("billing")),
        discount_total=money(raw.get("discount_total"), "discount_total"),
        coupons=tuple(text_of(c.get("code")) for c in _list(raw, "coupon_lines") if c.get("code")),
        payment_method=unescape(text_of(raw.get("payment_method_title")) or text_of(raw.get("payment_method"))),
        customer_id=_whole(raw.get("customer_id")),
        items=tuple(item(line) for line in _list(raw, "line_items")),
        refunds=tuple(abs(money(r.get("total"), "refunds.total")) for r in _list(raw, "refunds")),
        created_at=moment(raw.get("date_created_gmt"), "date_created_gmt"),
        local_date=text_of(raw.get("date_created"))[:10],
        modified_at=moment(raw.get("date_modified_gmt"), "date_modified_gmt"),
        paid_at=moment(raw.get("date_paid_gmt"), "date_paid_gmt"),
        completed_at=moment(raw.get("date_completed_gmt"), "date_completed_gmt"),
        created_via=text_of(raw.get("created_via")),
        meta=meta(raw),
        lines_read="line_items" in raw,
        extra=_extra(raw, Kind.ORDER),
    )


def customer(raw: Raw) -> Customer:
    """Return a customer; account names come HTML-encoded and are decoded once (woo:095-112)."""
    return Customer(
        id=_id(raw),
        email=text_of(raw.get("email")),
        first_name=unescape(text_of(raw.get("first_name"))),
        last_name=unescape(text_of(raw.get("last_name"))),
        role=text_of(raw.get("role")) or "customer",
        billing=address(raw.get("billing")),
        created_at=moment(raw.get("date_created_gmt"), "date_created_gmt"),
        modified_at=moment(raw.get("date_modified_gmt"), "date_modified_gmt"),
        meta=meta(raw),
        extra=_extra(raw, Kind.CONTACT),
    )


def item(raw: Raw) -> LineItem:
    """Return a line; a deleted product has product_id 0 and no SKU (woo:061)."""
    return LineItem(
        name=unescape(text_of(raw.get("name"))),
        product_id=_whole(raw.get("product_id")),
        variation_id=_whole(raw.get("variation_id")),
        sku=text_of(raw.get("sku")),
        price=money(raw.get("price"), "line_items.price"),
        quantity=money(raw.get("quantity", 1), "line_items.quantity"),
        total=money(raw.get("total"), "line_items.total"),
    )


def address(raw: Any) -> Address:
    """Return a billing address as it stands, "" for what is missing."""
    values = raw if isinstance(raw, Mapping) else {}
    return Address(**{name: text_of(values.get(name)) for name in _ADDRESS})


def meta(raw: Raw) -> dict[str, Any]:
    """Return key -> value of meta_data, values of any type (woo:060), the last of a key wins."""
    return {str(row["key"]): row.get("value") for row in _list(raw, "meta_data") if row.get("key")}


def money(value: Any, field: str) -> Decimal:
    """Return an amount, 0 for a missing one; raises MappingError naming the field."""
    if value in (None, ""):
        return Decimal(0)
    text = text_of(value).strip()
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or _beyond_money(amount):
        shown = text[:40] or type(value).__name__
        raise MappingError("bad_amount", f"“{shown}” in {field} is no amount.", "Correct it in the store.")
    # PHP's floats leave rests such as 1.4e-17 where it means nothing.
    return amount if amount.adjusted() >= -15 else Decimal(0)


def _beyond_money(amount: Decimal) -> bool:
    """Tell whether no currency has such an amount: floats, columns and Mautic's numbers break on it."""
    return amount.adjusted() > 15 or len(amount.as_tuple().digits) > 30


def order_change(raw: Raw, origin: Origin, seen_at: datetime) -> Change:
    """Return the change that an order's record stands for: its status.

    What is wrong with the record is said when it is mapped, so that this record alone fails. Raises MappingError
    (no_id) for one without an id, for which there is no delivery that could fail.
    """
    email = address(raw.get("billing")).email
    return Change(
        kind=Kind.ORDER,
        source_id=_source(raw),
        event=text_of(raw.get("status"))[: COLUMN_MAX_CHARS["status"]] or "updated",
        person_key=_person_key(email),
        payload=slim_order(raw),
        seen_at=seen_at,
        origin=origin,
        modified_at=lenient(raw.get("date_modified_gmt")),
        number=text_of(raw.get("number"))[: COLUMN_MAX_CHARS["number"]],
    )


def customer_change(raw: Raw, origin: Origin, seen_at: datetime, *, created: bool) -> Change:
    """Return the change that a customer's record stands for; raises as order_change does."""
    return Change(
        kind=Kind.CONTACT,
        source_id=_source(raw),
        event="created" if created else "updated",
        person_key=_person_key(email_among(text_of(raw.get("email")), address(raw.get("billing")).email)),
        payload=slim_customer(raw),
        seen_at=seen_at,
        origin=origin,
        modified_at=lenient(raw.get("date_modified_gmt")),
    )


def slim_order(raw: Raw) -> dict[str, Any]:
    """Return only what order() and the field map look at, so that what waits in the database is small."""
    slim = _slim(raw, ORDER_FIELDS)
    slim["billing"] = _slim(raw.get("billing"), _ADDRESS)
    slim["coupon_lines"] = [_slim(row, ("code",)) for row in _list(raw, "coupon_lines")]
    if "line_items" in raw:
        slim["line_items"] = [_slim(row, _ITEM) for row in _list(raw, "line_items")]
    slim["refunds"] = [_slim(row, ("id", "total")) for row in _list(raw, "refunds")]
    return _with_extra(slim, raw, Kind.ORDER)


def slim_customer(raw: Raw) -> dict[str, Any]:
    """Return only what customer() and the field map look at."""
    slim = _slim(raw, CUSTOMER_FIELDS)
    slim["billing"] = _slim(raw.get("billing"), _ADDRESS)
    return _with_extra(slim, raw, Kind.CONTACT)


def _extra(raw: Raw, kind: Kind) -> dict[str, Any]:
    """Return path -> value for the paths of the field map that no attribute of the record stands for."""
    paths = (path for path in field_map.paths(kind) if path not in _ATTRIBUTES[kind])
    found = {path: _single(raw, path) for path in paths}
    return {path: value for path, value in found.items() if value is not None}


def _single(raw: Raw, path: str) -> Any:
    """Return the single value at a path, of repeated meta data the last; None where there is none, or a list."""
    root, _, rest = path.partition(".")
    if root == field_map.META:
        value = meta(raw).get(rest)
    else:
        value = raw.get(root)
        for name in rest.split(".") if rest else ():
            value = value.get(name) if isinstance(value, Mapping) else None
    return storable(value) if isinstance(value, str | int | float) else None


def _with_extra(slim: dict[str, Any], raw: Raw, kind: Kind) -> dict[str, Any]:
    for path, value in _extra(raw, kind).items():
        *parents, name = path.split(".")
        if parents and parents[0] == field_map.META:
            slim.setdefault(field_map.META, []).append({"key": path.partition(".")[2], "value": value})
            continue
        target = slim
        for parent in parents:
            target = target.setdefault(parent, {})
        target[name] = value
    return slim


def _slim(raw: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: storable(raw[name]) for name in names if name in raw} if isinstance(raw, Mapping) else {}


def _person_key(email: str) -> str:
    return person_key_of(email) if visible(email) else ""


def _list(raw: Raw, name: str) -> list[Raw]:
    rows = raw.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list | tuple) else []


def _named(raw: Raw, name: str) -> str:
    text = text_of(raw.get(name))
    return fitting(text.upper() if name == "currency" else text, name, COLUMN_MAX_CHARS[name])


def _whole(value: Any) -> int:
    text = text_of(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def _id(raw: Raw) -> int:
    number = _whole(raw.get("id"))
    if number > INTEGER_MAX:
        raise MappingError(
            "bad_number", f"The id {str(number)[:30]}… is too great for an id.", "Look at the record in the store."
        )
    if not number:
        raise MappingError("no_id", "The store's record has no id.", "Look at the record in the store.")
    return number


def _source(raw: Raw) -> str:
    """Return the id as text; one that no column holds becomes a name that nothing takes for an id."""
    number = _whole(raw.get("id"))
    return str(_id(raw)) if number <= INTEGER_MAX else f"?{number}"[:_SOURCE_ID_MAX_CHARS]
