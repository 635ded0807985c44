"""The store's JSON as records and changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration.errors import MappingError
from integration.events import Change, Kind, Origin
from integration.identity import person_key_of, visible
from integration.mapping import field_map
from integration.mapping.contacts import email_among
from integration.record_ids import is_given, number_of
from integration.records import Address, Customer, LineItem, Order
from integration.settings.mapping import META
from integration.store import mapped_values
from integration.store.dates import lenient
from integration.store.meta_data import ASKED, asked, meta
from integration.store.php_values import decoded, entries_of, map_of, shown, whole
from integration.store.record_fields import Fields
from integration.store.sanitizing import INTEGER_MAX, storable, text_of

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
#: Meta data that tells by which link the buyer came (storefront:144).
CAMPAIGN_KEY = "_wc_order_attribution_utm_campaign"
_CAMPAIGN_MAX_CHARS = 100
#: Single values that customer() reads.
CUSTOMER_FIELDS = ("id", "email", "first_name", "last_name", "role", "date_created_gmt", "date_modified_gmt")
#: What names a record goes into columns, which hold so many characters.
COLUMN_MAX_CHARS = {"number": 60, "status": 40, "currency": 10}
_SOURCE_ID_MAX_CHARS = 40
_ITEM = ("name", "product_id", "variation_id", "sku", "price", "quantity", "total")
#: Paths whose value the record has as an attribute of the same name.
_ATTRIBUTES = {
    Kind.ORDER: field_map.ATTRIBUTES,
    Kind.CONTACT: field_map.ATTRIBUTES | {"first_name", "last_name", "email", "role"},
}


def order(raw: Raw) -> Order:
    """Return an order; raises MappingError naming a field that decides and cannot be read.

    These are id, status, currency, total and refunds, the buyer's address, and the dates that tell which order and
    which sighting is newer. What else cannot be read is empty and named in `unread`.
    """
    number = record_id(raw)
    fields = Fields(raw)
    return Order(
        id=number,
        number=fields.column("number", COLUMN_MAX_CHARS["number"]) or _source(raw),
        status=fields.column("status", COLUMN_MAX_CHARS["status"], decides=True),
        currency=fields.column("currency", COLUMN_MAX_CHARS["currency"], decides=True).upper(),
        total=fields.amount("total", decides=True),
        billing=_address(fields.map("billing", decides=True), decides=True),
        discount_total=fields.amount("discount_total"),
        coupons=tuple(filter(None, (coupon.words("code") for coupon in fields.maps("coupon_lines")))),
        payment_method=fields.words("payment_method_title") or fields.words("payment_method"),
        customer_id=fields.whole("customer_id"),
        items=tuple(_item(line) for line in fields.maps("line_items")),
        refunds=tuple(abs(refund.amount("total", decides=True)) for refund in fields.maps("refunds", decides=True)),
        created_at=fields.moment("date_created_gmt", decides=True),
        local_date=fields.day("date_created"),
        modified_at=fields.moment("date_modified_gmt", decides=True),
        paid_at=fields.moment("date_paid_gmt"),
        completed_at=fields.moment("date_completed_gmt"),
        created_via=fields.text("created_via"),
        meta=meta(raw),
        lines_read="line_items" in raw,
        given_id=str(raw["id"]) if is_given(raw["id"]) else "",
        extra=_extra(raw, Kind.ORDER),
        asked=asked(raw),
        unread=fields.unread,
        mapped=mapped_values.read(raw),
    )


def customer(raw: Raw) -> Customer:
    """Return a customer; raises MappingError without an id.

    Account names come HTML-encoded and are decoded once (woo:095-112).
    """
    fields = Fields(raw)
    return Customer(
        id=record_id(raw),
        email=fields.text("email"),
        first_name=fields.words("first_name"),
        last_name=fields.words("last_name"),
        role=fields.text("role") or "customer",
        billing=_address(fields.map("billing")),
        created_at=fields.moment("date_created_gmt"),
        modified_at=fields.moment("date_modified_gmt"),
        meta=meta(raw),
        extra=_extra(raw, Kind.CONTACT),
        asked=asked(raw),
        unread=fields.unread,
        mapped=mapped_values.read(raw),
    )


def billing_email(raw: Raw) -> str:
    """Return the address of a record's billing part as it stands, "" where there is none that can be read."""
    return Fields(raw).map("billing").text("email")


def _item(line: Fields) -> LineItem:
    """Return a line; a deleted product has product_id 0 and no SKU (woo:061)."""
    return LineItem(
        name=line.words("name"),
        product_id=line.whole("product_id"),
        variation_id=line.whole("variation_id"),
        sku=line.words("sku"),
        price=line.amount("price"),
        quantity=line.amount("quantity") if "quantity" in line.raw else Decimal(1),
        total=line.amount("total"),
    )


def _address(fields: Fields, *, decides: bool = False) -> Address:
    """Return a billing address, "" for what is missing; the e-mail stays as it is written, for `&` is damage there."""
    values = {name: fields.words(name) for name in _ADDRESS if name != "email"}
    return Address(**values, email=fields.text("email", decides=decides))


def order_change(raw: Raw, origin: Origin, seen_at: datetime) -> Change:
    """Return the change that an order's record stands for: its status.

    What is wrong with the record is said when it is mapped, so that this record alone fails. Raises MappingError
    (no_id) for one without an id, for which there is no delivery that could fail.
    """
    return Change(
        kind=Kind.ORDER,
        source_id=_source(raw),
        event=_status(raw) or "updated",
        person_key=_person_key(billing_email(raw)),
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
        person_key=customer_key(raw),
        payload=slim_customer(raw),
        seen_at=seen_at,
        origin=origin,
        modified_at=lenient(raw.get("date_modified_gmt")),
    )


def customer_email(raw: Raw) -> str:
    """Return the address that a customer is known by, "" without one."""
    return email_among(text_of(raw.get("email")), billing_email(raw))


def customer_key(raw: Raw) -> str:
    """Return the person key of a customer, "" without an address."""
    return _person_key(customer_email(raw))


def slim_order(raw: Raw) -> dict[str, Any]:
    """Return only what order() and the field map look at, so that what waits in the database is small."""
    slim = _slim(raw, ORDER_FIELDS)
    slim["billing"] = _slim_map(raw.get("billing"))
    slim["coupon_lines"] = _slim_rows(raw, "coupon_lines", ("code",))
    if "line_items" in raw:
        slim["line_items"] = _slim_rows(raw, "line_items", _ITEM)
    slim["refunds"] = _slim_rows(raw, "refunds", ("id", "total"))
    campaign = _single(raw, f"{META}.{CAMPAIGN_KEY}")
    if isinstance(campaign, str) and campaign:
        slim[META] = [{"key": CAMPAIGN_KEY, "value": campaign[:_CAMPAIGN_MAX_CHARS]}]
    return _with_extra(slim, raw, Kind.ORDER)


def slim_customer(raw: Raw) -> dict[str, Any]:
    """Return only what customer() and the field map look at."""
    slim = _slim(raw, CUSTOMER_FIELDS)
    slim["billing"] = _slim_map(raw.get("billing"))
    return _with_extra(slim, raw, Kind.CONTACT)


def _extra(raw: Raw, kind: Kind) -> dict[str, Any]:
    """Return path -> value, as it reads, for the paths of the field map that no attribute of the record stands for."""
    found = _extra_raw(raw, kind)
    return {path: decoded(value) if isinstance(value, str) else value for path, value in found.items()}


def _extra_raw(raw: Raw, kind: Kind) -> dict[str, Any]:
    paths = (path for path in field_map.paths(kind) if path not in _ATTRIBUTES[kind])
    found = {path: _single(raw, path) for path in paths}
    return {path: value for path, value in found.items() if value is not None}


def _single(raw: Raw, path: str) -> Any:
    """Return the single value at a path, of repeated meta data the last; None where there is none, or a list."""
    root, _, rest = path.partition(".")
    if root == META:
        value = meta(raw).get(rest)
    else:
        value = raw.get(root)
        for name in rest.split(".") if rest else ():
            value = (map_of(value) or {}).get(name)
    return storable(value) if isinstance(value, str | int | float) else None


def _with_extra(slim: dict[str, Any], raw: Raw, kind: Kind) -> dict[str, Any]:
    if isinstance(raw.get(mapped_values.MAPPED), Mapping):
        slim[mapped_values.MAPPED] = storable(raw[mapped_values.MAPPED])
    if ASKED in raw:
        slim[ASKED] = asked(raw)
    for path, value in _extra_raw(raw, kind).items():
        *parents, name = path.split(".")
        if parents and parents[0] == META:
            slim.setdefault(META, []).append({"key": path.partition(".")[2], "value": value})
            continue
        target = slim
        for parent in parents:
            target = target.setdefault(parent, {})
        target[name] = value
    return slim


def _slim(raw: Raw, names: Sequence[str]) -> dict[str, Any]:
    return {name: storable(raw[name]) for name in names if name in raw}


def _slim_map(value: Any) -> Any:
    """Return an address as it is kept, of what is no map only so much that it is seen to be none."""
    found = map_of(value)
    return shown(value) if found is None else _slim(found, _ADDRESS)


def _slim_rows(raw: Raw, name: str, names: Sequence[str]) -> list[Any]:
    """Return as many rows as there are: one without a name that we know is kept as an empty one."""
    rows = entries_of(raw.get(name))
    return [(_slim(row, names) or {names[0]: None}) if isinstance(row, Mapping) else shown(row) for row in rows]


def _status(raw: Raw) -> str:
    text = text_of(raw.get("status")).strip()
    return "" if text == "0" else text[: COLUMN_MAX_CHARS["status"]]


def _person_key(email: str) -> str:
    return person_key_of(email) if visible(email) else ""


def record_id(raw: Raw) -> int:
    """Return a record's id, a negative number for one that a program gave; raises MappingError (no_id, bad_number)."""
    if is_given(raw.get("id")):
        return number_of(str(raw["id"])) or 0
    number = whole(raw.get("id"))
    if number > INTEGER_MAX:
        raise MappingError(
            "bad_number", f"The id {str(number)[:30]}… is too great for an id.", "Look at the record in the store."
        )
    if not number:
        raise MappingError("no_id", "The store's record has no id.", "Look at the record in the store.")
    return number


def _source(raw: Raw) -> str:
    """Return the id as text; one that no column holds becomes a name that nothing takes for an id."""
    if is_given(raw.get("id")):
        return str(raw["id"])
    number = whole(raw.get("id"))
    return str(record_id(raw)) if number <= INTEGER_MAX else f"?{number}"[:_SOURCE_ID_MAX_CHARS]
