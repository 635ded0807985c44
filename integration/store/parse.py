"""The store's JSON as records and changes."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from decimal import Decimal
from decimal import InvalidOperation
from html import unescape
from typing import Any

from integration.errors import MappingError
from integration.events import Change
from integration.events import Kind
from integration.events import Origin
from integration.events import subject_of
from integration.records import Address
from integration.records import Customer
from integration.records import LineItem
from integration.records import Order

Raw = Mapping[str, Any]

_ADDRESS = (
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "state",
    "postcode",
    "country",
    "email",
    "phone",
)
_DATES = ("date_created", "date_created_gmt", "date_modified_gmt", "date_paid_gmt", "date_completed_gmt")
_ORDER = (
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
    *_DATES,
)
_CUSTOMER = ("id", "email", "first_name", "last_name", "role", "date_created_gmt", "date_modified_gmt")
_ITEM = ("name", "product_id", "variation_id", "sku", "price", "quantity", "total")


def order(raw: Raw) -> Order:
    """Return an order; raises MappingError naming the field that cannot be read."""
    number = _id(raw)
    return Order(
        id=number,
        number=_text(raw.get("number")) or str(number),
        status=_text(raw.get("status")),
        currency=_text(raw.get("currency")).upper(),
        total=money(raw.get("total"), "total"),
        billing=address(raw.get("billing")),
        discount_total=money(raw.get("discount_total"), "discount_total"),
        coupons=tuple(_text(c.get("code")) for c in _list(raw, "coupon_lines") if c.get("code")),
        payment_method=unescape(_text(raw.get("payment_method_title")) or _text(raw.get("payment_method"))),
        customer_id=_whole(raw.get("customer_id")),
        items=tuple(item(line) for line in _list(raw, "line_items")),
        refunds=tuple(abs(money(r.get("total"), "refunds.total")) for r in _list(raw, "refunds")),
        created_at=moment(raw.get("date_created_gmt"), "date_created_gmt"),
        local_date=_text(raw.get("date_created"))[:10],
        modified_at=moment(raw.get("date_modified_gmt"), "date_modified_gmt"),
        paid_at=moment(raw.get("date_paid_gmt"), "date_paid_gmt"),
        completed_at=moment(raw.get("date_completed_gmt"), "date_completed_gmt"),
        created_via=_text(raw.get("created_via")),
        meta=meta(raw),
    )


def customer(raw: Raw) -> Customer:
    """Return a customer; account names come HTML-encoded and are decoded once (recordings 095 to 112)."""
    return Customer(
        id=_id(raw),
        email=_text(raw.get("email")),
        first_name=unescape(_text(raw.get("first_name"))),
        last_name=unescape(_text(raw.get("last_name"))),
        role=_text(raw.get("role")) or "customer",
        billing=address(raw.get("billing")),
        created_at=moment(raw.get("date_created_gmt"), "date_created_gmt"),
        modified_at=moment(raw.get("date_modified_gmt"), "date_modified_gmt"),
        meta=meta(raw),
    )


def item(raw: Raw) -> LineItem:
    """Return a line; a deleted product has product_id 0 and no SKU (recording 061)."""
    return LineItem(
        name=unescape(_text(raw.get("name"))),
        product_id=_whole(raw.get("product_id")),
        variation_id=_whole(raw.get("variation_id")),
        sku=_text(raw.get("sku")),
        price=money(raw.get("price"), "line_items.price"),
        quantity=money(raw.get("quantity", 1), "line_items.quantity"),
        total=money(raw.get("total"), "line_items.total"),
    )


def address(raw: Any) -> Address:
    """Return a billing address as it stands, "" for what is missing."""
    values = raw if isinstance(raw, Mapping) else {}
    return Address(**{name: _text(values.get(name)) for name in _ADDRESS})


def meta(raw: Raw) -> dict[str, Any]:
    """Return key -> value of meta_data, values of any type (recording 060), the last of a key wins."""
    return {str(row["key"]): row.get("value") for row in _list(raw, "meta_data") if row.get("key")}


def money(value: Any, field: str) -> Decimal:
    """Return an amount, 0 for a missing one; raises MappingError naming the field."""
    if value in (None, ""):
        return Decimal(0)
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or isinstance(value, bool) or _beyond_money(amount):
        raise MappingError("bad_amount", f"“{str(value)[:40]}” in {field} is no amount.", "Correct it in the store.")
    return amount


def _beyond_money(amount: Decimal) -> bool:
    """Tell whether no currency has such an amount: floats, columns and Mautic's numbers break on it."""
    return abs(amount.adjusted()) > 15 or len(amount.as_tuple().digits) > 30


def moment(value: Any, field: str) -> datetime | None:
    """Return a *_gmt date, which has no zone, as aware UTC; None for a missing one; raises MappingError."""
    text = _text(value).strip()
    if not text or text.startswith("0000"):
        return None
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise MappingError("bad_date", f"“{text[:40]}” in {field} is no date.", "Correct it in the store.") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def order_change(raw: Raw, origin: Origin, seen_at: datetime) -> Change:
    """Return the change that an order's record stands for: its status."""
    email = address(raw.get("billing")).email
    return Change(
        kind=Kind.ORDER,
        source_id=str(_id(raw)),
        what=_text(raw.get("status")) or "updated",
        subject=_subject(email),
        payload=slim_order(raw),
        seen_at=seen_at,
        origin=origin,
        modified_at=_lenient(raw),
        number=_text(raw.get("number")),
    )


def customer_change(raw: Raw, origin: Origin, seen_at: datetime, *, created: bool) -> Change:
    """Return the change that a customer's record stands for."""
    account, billing = _text(raw.get("email")).strip(), address(raw.get("billing")).email.strip()
    decayed = "@" not in account or "&" in account
    return Change(
        kind=Kind.CONTACT,
        source_id=str(_id(raw)),
        what="created" if created else "updated",
        subject=_subject(billing if decayed and billing else account),
        payload=slim_customer(raw),
        seen_at=seen_at,
        origin=origin,
        modified_at=_lenient(raw),
    )


def slim_order(raw: Raw) -> dict[str, Any]:
    """Return only what order() looks at, so that what waits in the database is small."""
    slim = {name: raw[name] for name in _ORDER if name in raw}
    slim["billing"] = _slim(raw.get("billing"), _ADDRESS)
    slim["coupon_lines"] = [_slim(row, ("code",)) for row in _list(raw, "coupon_lines")]
    slim["line_items"] = [_slim(row, _ITEM) for row in _list(raw, "line_items")]
    slim["refunds"] = [_slim(row, ("id", "total")) for row in _list(raw, "refunds")]
    return slim


def slim_customer(raw: Raw) -> dict[str, Any]:
    """Return only what customer() looks at."""
    slim = {name: raw[name] for name in _CUSTOMER if name in raw}
    slim["billing"] = _slim(raw.get("billing"), _ADDRESS)
    return slim


def _slim(raw: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: raw[name] for name in names if name in raw} if isinstance(raw, Mapping) else {}


def _lenient(raw: Raw) -> datetime | None:
    """Return the date of the change; one that cannot be read is reported when the record is mapped."""
    try:
        return moment(raw.get("date_modified_gmt"), "date_modified_gmt")
    except MappingError:
        return None


def _subject(email: str) -> str:
    return subject_of(email) if email.strip() else ""


def _list(raw: Raw, name: str) -> list[Raw]:
    rows = raw.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list | tuple) else []


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _whole(value: Any) -> int:
    text = _text(value)
    return int(text) if text.isascii() and text.isdigit() else 0


def _id(raw: Raw) -> int:
    number = _whole(raw.get("id"))
    if not number:
        raise MappingError("no_id", "The store's record has no id.", "Look at the record in the store.")
    return number
